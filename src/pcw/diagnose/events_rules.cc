// Runbook 3.4: events and their queue.
#include <fmt/format.h>

#include "pcw/diagnose/catalogue.h"
#include "pcw/diagnose/rules.h"

namespace pcw::diagnose {
namespace {

constexpr std::int64_t kSilentSeconds = 300;
constexpr std::int64_t kLateSeconds = 600;
constexpr std::int64_t kMostWaitingRecords = 10'000;
constexpr std::int64_t kFewestChanges = 20;  // of which a share says something
constexpr double kMissedShare = 0.05;

Finding EventQueueFinding(const EventsFacts& events) {
  const Error& error = *events.queue_error;
  std::string_view code = "PCW3403";
  std::vector<std::string> steps{"pcw doctor connectivity",
                                 "pcw config show --origin   # events.url, AWS_ENDPOINT_URL_SQS"};
  if (error.code() == ErrorCode::kNotFound) {
    code = "PCW3401";
    steps = {"pcw config show --origin   # events.url",
             fmt::format("aws sqs get-queue-url --queue-name {}",
                         events.queue_url.substr(events.queue_url.rfind('/') + 1))};
  } else if (error.code() == ErrorCode::kPermissionDenied) {
    code = "PCW3402";
    steps = {"aws sts get-caller-identity",
             "pcw credentials policy   # what the role needs: sqs:ReceiveMessage, "
             "sqs:DeleteMessage and sqs:GetQueueAttributes on the queue"};
  }
  return {.def = &DefOf(code),
          .resource = events.queue_url,
          .message = error.message(),
          .evidence = {},
          .next_steps = std::move(steps)};
}

void JudgeListening(const EventsFacts& events, std::vector<Finding>& findings) {
  const std::int64_t silent = events.in.since_poll_seconds;
  if (silent >= 0 && silent <= kSilentSeconds) return;
  findings.push_back({.def = &DefOf("PCW3404"),
                      .resource = events.queue_url,
                      .message = silent < 0 ? "nobody has ever listened to the queue"
                                            : fmt::format("nobody has listened for {} s", silent),
                      .evidence = {{"last asked", events.in.polled_at}},
                      .next_steps = {"pcw serve   # all roles, or --roles events and ingest",
                                     "pcw events status"}});
}

void JudgeDelivery(const EventsFacts& events, std::vector<Finding>& findings) {
  const events::OutboxStatus& out = events.out;
  const auto evidence = [&out] {
    return out.last_error.empty()
               ? std::vector<std::pair<std::string, std::string>>{}
               : std::vector<std::pair<std::string, std::string>>{{"error", out.last_error}};
  };
  if (out.pending > 0 && out.oldest_seconds > kLateSeconds) {
    findings.push_back(
        {.def = &DefOf("PCW3408"),
         .resource = events.target,
         .message = fmt::format("{} changes are not delivered, the oldest since {}", out.pending,
                                out.oldest_at),
         .evidence = evidence(),
         .next_steps = {"pcw events status", "pcw serve   # all roles, or --roles events"}});
  }
  if (out.failed > 0) {
    findings.push_back({.def = &DefOf("PCW3409"),
                        .resource = events.target,
                        .message = fmt::format("{} changes were given up", out.failed),
                        .evidence = evidence(),
                        .next_steps = {"pcw events redeliver"}});
  }
}

void JudgeCoverage(const EventsFacts& events, std::vector<Finding>& findings) {
  const events::Coverage& day = events.in.last_day;
  if (day.told + day.missed < kFewestChanges || day.missed_share() < kMissedShare) return;
  const bool has_none = day.told == 0;
  findings.push_back(
      {.def = &DefOf(has_none ? "PCW3407" : "PCW3405"),
       .resource = events.queue_url,
       .message = fmt::format("{} of {} changes of the last 24 hours had no event ({:.1f} %)",
                              day.missed, day.told + day.missed, 100 * day.missed_share()),
       .evidence = {{"newest event", events.in.received_at}},
       .next_steps = {"aws events list-rules --region us-east-1",
                      "aws sqs get-queue-attributes --queue-url URL --attribute-names Policy",
                      "pcw events status"}});
}

}  // namespace

std::vector<Finding> JudgeEvents(const Facts& facts) {
  std::vector<Finding> findings;
  if (!facts.events) return findings;
  const EventsFacts& events = *facts.events;
  if (!events.target.empty()) JudgeDelivery(events, findings);
  if (events.queue_url.empty()) return findings;
  if (events.queue_error) {
    // Without good credentials SQS cannot answer, and that is said already.
    const bool is_said = !facts.credentials || facts.identity_error.has_value() ||
                         events.queue_error->code() == ErrorCode::kUnauthenticated;
    if (!is_said) findings.push_back(EventQueueFinding(events));
    return findings;  // what follows from it would be a second alarm for one fault
  }
  JudgeListening(events, findings);
  if (events.in.waiting.records > kMostWaitingRecords ||
      (events.queue && events.queue->messages > kMostWaitingRecords)) {
    findings.push_back({.def = &DefOf("PCW3406"),
                        .resource = events.queue_url,
                        .message = fmt::format(
                            "{} messages in the queue, {} records that wait to be fetched",
                            events.queue ? events.queue->messages : 0, events.in.waiting.records),
                        .evidence = {{"oldest", events.in.waiting.oldest_at}},
                        .next_steps = {"pcw runs list", "pcw quota show"}});
  }
  JudgeCoverage(events, findings);
  return findings;
}

}  // namespace pcw::diagnose
