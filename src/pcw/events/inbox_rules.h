// Rules of taking messages in, without queue and database.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "pcw/aws/sqs.h"
#include "pcw/events/inbox.h"

namespace pcw::events {

/// What becomes of a message after its event was read.
enum class MessageOutcome {
  kRecorded,    ///< an event that is new
  kKnown,       ///< it had come before
  kDeadLetter,  ///< not an event
  kFailed,      ///< nothing was decided: the batch is not recorded, and its messages come again
};
MessageOutcome OutcomeOf(const Result<RecordedEvent>& recorded);

/// Adds a message that was recorded, known or a dead letter to the report.
void Count(InboxReport& report, MessageOutcome outcome, std::int64_t fetches);

/// Two listeners may meet in the same rows: a batch that ended in a conflict is recorded again, at
/// most five times in all.
Result<InboxReport> RecordAgainAfterConflicts(const std::function<Result<InboxReport>()>& record);

/// Receipt handles in batches of what one call deletes, in the order of the messages.
std::vector<std::vector<std::string>> HandleBatches(std::span<const aws::sqs::Message> messages);

}  // namespace pcw::events
