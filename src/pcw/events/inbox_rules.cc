#include "pcw/events/inbox_rules.h"

namespace pcw::events {
namespace {

constexpr int kMostTries = 5;

}  // namespace

MessageOutcome OutcomeOf(const Result<RecordedEvent>& recorded) {
  if (recorded) return recorded->is_new ? MessageOutcome::kRecorded : MessageOutcome::kKnown;
  return recorded.error().code() == ErrorCode::kSchemaMismatch ? MessageOutcome::kDeadLetter
                                                               : MessageOutcome::kFailed;
}

void Count(InboxReport& report, MessageOutcome outcome, std::int64_t fetches) {
  ++report.received;
  if (outcome == MessageOutcome::kKnown) ++report.duplicates;
  if (outcome == MessageOutcome::kDeadLetter) ++report.malformed;
  report.fetches += fetches;
}

Result<InboxReport> RecordAgainAfterConflicts(const std::function<Result<InboxReport>()>& record) {
  Result<InboxReport> report = record();
  for (int tries = 1; !report && tries < kMostTries; ++tries) {
    if (report.error().code() != ErrorCode::kConflict) break;
    report = record();
  }
  return report;
}

std::vector<std::vector<std::string>> HandleBatches(std::span<const aws::sqs::Message> messages) {
  std::vector<std::vector<std::string>> batches;
  for (const aws::sqs::Message& message : messages) {
    if (batches.empty() || batches.back().size() == aws::sqs::kMostEntries) batches.emplace_back();
    batches.back().push_back(message.receipt_handle);
  }
  return batches;
}

}  // namespace pcw::events
