// Dead letters: records that could not be fetched or mapped, kept with everything a replay needs.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "pcw/base/error.h"
#include "pcw/base/result.h"
#include "pcw/pg/connection.h"

namespace pcw::dlq {

/// Where in the flow a record failed. kEvent: a message that was put into our queue by somebody
/// else, SQS's redrive above all (entity "messages"), or one in the queue of events that is not an
/// event (entity "events").
enum class Stage { kFetch, kMap, kEvent };
std::string_view NameOf(Stage stage);

/// The envelope. Holds no payload: that stays in bronze.
struct DeadLetter {
  std::string id;  ///< UUIDv7; empty before the insert
  std::string tenant_id;
  std::string run_id;
  std::int64_t connector_id = 0;
  std::string connector;  ///< kind, for people; filled on load
  std::string entity;
  std::string catalog;
  std::string record_key;
  Stage stage = Stage::kFetch;
  std::string error_code;                 ///< NameOf(ErrorCode)
  std::string error;                      ///< message
  std::string error_context_json = "{}";  ///< the error's context as a JSON object
  std::string bronze_key;                 ///< empty if nothing reached bronze
  int bronze_line = 0;
  int attempts = 1;  ///< runs, replays and deliveries that failed; a call's own retries not
  std::string first_seen_at;  ///< RFC 3339, filled on load
  std::string last_seen_at;
  std::string state = "open";  ///< open | settled | dropped
  std::string fingerprint;     ///< of the cause; made by the database
  int mapping_version = 0;     ///< by which it failed; 0 = none
  bool is_replay = false;      ///< of a dead letter that is put: a replay failed, not a first try
  int failed_replays = 0;      ///< in a row, for the same cause and mapping
  std::string patch_json;      ///< JSON merge patch; empty = none
  std::string original;        ///< stage event: the message's body
  std::string note;            ///< why it was dropped
  std::string delivered_at;    ///< to SQS; empty = not
  std::string message_id;
  std::string expires_at;      ///< when SQS drops the message; empty = not delivered
  std::string delivery_error;  ///< of the last try, while it is not delivered
};

DeadLetter MakeDeadLetter(const Error& error, Stage stage, std::string record_key);

/// Inserts inside the caller's transaction. The same record failing at the same stage again updates
/// its open dead letter (attempts, last seen, run, error) instead of making a second one; within
/// one run it counts as one attempt.
Status PutDeadLetters(pg::Connection& connection, const std::vector<DeadLetter>& letters,
                      std::stop_token stop);

/// Settles open dead letters of records that have landed after all. Inside the caller's
/// transaction. Returns how many.
Result<std::int64_t> SettleDeadLetters(pg::Connection& connection, std::string_view tenant_id,
                                       std::int64_t connector_id, std::string_view entity,
                                       std::string_view catalog,
                                       const std::vector<std::string>& record_keys,
                                       std::stop_token stop);

/// The records of an entity that have an open dead letter of that stage.
Result<std::vector<std::string>> LoadOpenRecordKeys(
    pg::Connection& connection, std::string_view tenant_id, std::int64_t connector_id,
    std::string_view entity, std::string_view catalog, Stage stage, std::stop_token stop);

/// Which dead letters; everything that is set must hold.
struct DeadLetterFilter {
  std::string entity;          ///< empty = every
  std::string state = "open";  ///< empty = every
  std::string run_id;          ///< last seen by it; its first characters are enough
  std::string cause;           ///< an error code ("schema_mismatch"), empty = every
  std::string group;           ///< a fingerprint, or its first characters
  std::string since;           ///< last seen then or later; RFC 3339
  std::string until;           ///< last seen before
  std::string stage;
  std::string id;  ///< a dead letter, or its first characters
  int limit = 100;
};

/// Newest first, without the bodies of foreign messages.
Result<std::vector<DeadLetter>> LoadDeadLetters(pg::Connection& connection,
                                                std::string_view tenant_id,
                                                const DeadLetterFilter& filter,
                                                std::stop_token stop = {});
/// Page by page, in falling order of id, which is the order in which they were first met: unlike
/// the time they were last seen it never changes, so that no page repeats or misses a dead letter
/// that was there. `before_id` empty = from the newest.
Result<std::vector<DeadLetter>> LoadDeadLetterPage(pg::Connection& connection,
                                                   std::string_view tenant_id,
                                                   const DeadLetterFilter& filter,
                                                   std::string_view before_id,
                                                   std::stop_token stop = {});
/// The same one by one, as they stand at the beginning, in constant memory. Outside a transaction.
Status VisitDeadLetters(pg::Connection& connection, std::string_view tenant_id,
                        const DeadLetterFilter& filter,
                        const std::function<void(DeadLetter)>& visit, std::stop_token stop = {});
/// kNotFound if no such dead letter in this tenant. A unique prefix of the id (8 characters or
/// more) is enough.
Result<DeadLetter> LoadDeadLetter(pg::Connection& connection, std::string_view tenant_id,
                                  std::string_view id, std::stop_token stop = {});

/// Dead letters of one cause.
struct DeadLetterGroup {
  std::string fingerprint, entity, stage, error_code;
  std::string error;  ///< of the sample
  std::string pointer;
  std::int64_t letters = 0;
  std::int64_t guarded = 0;  ///< of them, those that the loop guard leaves alone
  std::string first_seen_at, last_seen_at;
  std::string sample_id;  ///< the newest dead letter
};

/// The largest first. The filter's limit is of groups.
Result<std::vector<DeadLetterGroup>> LoadDeadLetterGroups(pg::Connection& connection,
                                                          std::string_view tenant_id,
                                                          const DeadLetterFilter& filter,
                                                          int loop_guard,
                                                          std::stop_token stop = {});

/// Drops the open dead letters of the filter (its limit does not count) and notes who did it and
/// why. One transaction. kConflict if they are not `expected` many.
Result<std::int64_t> DropDeadLetters(pg::Connection& connection, std::string_view tenant_id,
                                     const DeadLetterFilter& filter, std::string_view reason,
                                     std::string_view actor, std::optional<std::int64_t> expected,
                                     std::stop_token stop = {});
/// How many open dead letters the filter has.
Result<std::int64_t> CountDeadLetters(pg::Connection& connection, std::string_view tenant_id,
                                      const DeadLetterFilter& filter, std::stop_token stop = {});

/// Keeps a JSON merge patch beside an open dead letter of stage map, or of stage event for its
/// message; bronze stays as it is. In place of an earlier one, which the history keeps.
/// kInvalidRequest for a dead letter that has neither record nor message.
Status PatchDeadLetter(pg::Connection& connection, const DeadLetter& letter,
                       std::string_view patch_json, std::string_view actor,
                       std::stop_token stop = {});

/// One line of a dead letter's history.
struct DeadLetterEvent {
  std::string at, event, actor, detail_json;
};
Result<std::vector<DeadLetterEvent>> LoadDeadLetterEvents(pg::Connection& connection,
                                                          std::string_view tenant_id,
                                                          std::string_view letter_id,
                                                          std::stop_token stop = {});

}  // namespace pcw::dlq
