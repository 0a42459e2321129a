// Events on their way in: recorded once, then the message may go; the records they name wait to be
// fetched.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "pcw/aws/sqs.h"
#include "pcw/events/event_message.h"
#include "pcw/pg/connection.h"

namespace pcw::events {

/// What dead letters of messages that are not events are filed under.
inline constexpr std::string_view kLetterEntity = "events";

/// Whose events.
struct InboxScope {
  std::string tenant_id;
  std::int64_t connector_id = 0;
  std::string catalog;
  std::vector<const connector::EntityDef*> entities;  ///< configured ones
  std::string queue_url;
};

struct InboxReport {
  std::int64_t received = 0;    ///< messages
  std::int64_t duplicates = 0;  ///< events that had come before
  std::int64_t fetches = 0;     ///< records to be fetched, new events' only
  std::int64_t malformed = 0;   ///< dead letters
};

/// What became of one event.
struct RecordedEvent {
  bool is_new = false;
  Disposition disposition = Disposition::kUnknown;
  std::int64_t fetches = 0;
  std::string entity, record_key;  ///< that it is about; empty: none of ours
};

/// Notes that this queue is listened to, since now if it was another one before.
Status NoteListening(pg::Connection& connection, const InboxScope& scope, std::stop_token stop);

/// Records an event inside the caller's transaction, with the fetches it asks for; of an event that
/// came before, only that it came again. kSchemaMismatch for a body that is not an event: nothing
/// is written.
Result<RecordedEvent> RecordEvent(pg::Connection& connection, const InboxScope& scope,
                                  std::string_view body, std::stop_token stop);

/// Records a batch of messages in one transaction and deletes them from the queue after its commit
/// (I23). A message that is not an event becomes a dead letter of stage event and holds up nobody
/// (I25). Killed in between, the messages come again and are found to be known.
///
/// Errors as pg::Connection and Queue. A failed delete is not a failure of the batch: they come
/// again.
Result<InboxReport> TakeMessages(pg::Connection& connection, const InboxScope& scope,
                                 aws::sqs::Queue& queue,
                                 const std::vector<aws::sqs::Message>& messages,
                                 std::stop_token stop);

/// Forgets events that no queue can deliver again: SQS keeps a message for at most 14 days, and
/// eight more are a margin; requests for fetches that are as old; verdicts older than 90 days.
Status PruneEvents(pg::Connection& connection, std::stop_token stop);

}  // namespace pcw::events
