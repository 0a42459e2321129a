#include "pcw/dlq/outbox.h"

#include <algorithm>
#include <map>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "pcw/base/failpoint.h"
#include "pcw/base/json.h"
#include "pcw/base/uuid.h"
#include "pcw/dlq/dead_letter.h"

namespace pcw::dlq {
namespace {

constexpr std::string_view kKind = "pcw.dead_letter";
constexpr int kVersion = 1;
constexpr int kEmptyReceives = 2;  // one alone does not mean that nothing is there (F28)

constexpr std::string_view kClaim =
    "SELECT d.id, coalesce(d.run_id::text, ''), c.kind, d.entity, d.catalog, d.record_key, "
    "d.stage, d.error_code, left(d.error, 2000), d.fingerprint, coalesce(d.bronze_key, ''), "
    "coalesce(d.bronze_line, 0), d.attempts, coalesce(d.mapping_version, 0), "
    "to_char(d.first_seen_at "
    "AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), to_char(d.last_seen_at AT TIME ZONE "
    "'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), coalesce(d.error_context ->> 'request_id', ''), "
    "coalesce(d.error_context ->> 'pointer', '') FROM dead_letters d JOIN connectors c ON "
    "c.tenant_id = d.tenant_id AND c.id = d.connector_id WHERE d.tenant_id = $1::uuid AND d.state "
    "= 'open' AND d.delivered_at IS NULL AND d.delivery_attempts < "
    "$2::integer ORDER BY d.first_seen_at LIMIT 10 FOR UPDATE OF d SKIP LOCKED";

// What a consumer needs to act; the record itself stays in bronze.
std::string EnvelopeOf(const pg::Rows& rows, std::size_t row, std::string_view tenant_id) {
  const auto text = [&](std::size_t column) { return std::string(rows.Text(row, column)); };
  OrderedJson envelope{{"kind", kKind},
                       {"version", kVersion},
                       {"tenant", tenant_id},
                       {"letter_id", text(0)},
                       {"connector", text(2)},
                       {"entity", text(3)},
                       {"catalog", text(4)},
                       {"record_key", text(5)},
                       {"run_id", text(1)},
                       {"stage", text(6)},
                       {"error_code", text(7)},
                       {"error", text(8)},
                       {"pointer", text(17)},
                       {"request_id", text(16)},
                       {"group", text(9)},
                       {"bronze_key", text(10)},
                       {"bronze_line", rows.Int(row, 11)},
                       {"attempts", rows.Int(row, 12)},
                       {"mapping_version", rows.Int(row, 13)},
                       {"first_seen_at", text(14)},
                       {"last_seen_at", text(15)},
                       {"next", "pcw dlq show " + text(0)}};
  for (auto member = envelope.begin(); member != envelope.end();) {
    member = member->is_string() && member->get_ref<const std::string&>().empty()
                 ? envelope.erase(member)
                 : std::next(member);
  }
  return DumpJson(envelope);
}

class Pass {
 public:
  Pass(pg::Connection& connection, std::string_view tenant_id, aws::sqs::Queue& queue,
       const DeliveryOptions& options, std::stop_token stop)
      : connection_(connection),
        tenant_id_(tenant_id),
        queue_(queue),
        options_(options),
        stop_(std::move(stop)) {}

  Result<DeliveryReport> Run() {
    PCW_TRY(attributes_, queue_.Attributes(stop_));
    PCW_TRY_OK(SendAll());
    PCW_TRY_OK(MarkExpired());
    PCW_TRY(const bool is_needed, IsLookNeeded());
    Status looked = is_needed ? LookThrough() : Status(Ok{});
    // What is not deleted must not stay hidden, whatever ended the look.
    Status shown = ShowAgain();
    PCW_TRY_OK(looked);
    PCW_TRY_OK(shown);
    PCW_TRY(const pg::Rows rows,
            connection_.Exec({"outbox_waiting",
                              "SELECT count(*) FROM dead_letters WHERE tenant_id = $1::uuid AND "
                              "state = 'open' AND delivered_at IS NULL"},
                             {std::string(tenant_id_)}, stop_));
    report_.waiting = rows.Int(0, 0);
    return report_;
  }

 private:
  Status SendAll() {
    // A letter that SQS refused in this pass waits for the next one.
    PCW_TRY(const pg::Rows most,
            connection_.Exec({"outbox_attempts",
                              "SELECT coalesce(max(delivery_attempts), 0) + 1 FROM dead_letters "
                              "WHERE tenant_id = $1::uuid AND state = 'open' AND delivered_at IS "
                              "NULL"},
                             {std::string(tenant_id_)}, stop_));
    const std::string below(most.Text(0, 0));
    for (;;) {
      if (stop_.stop_requested()) return Error(ErrorCode::kCancelled, "stopped while delivering");
      PCW_TRY(const bool has_sent, SendTen(below));
      if (!has_sent) return Ok{};
    }
  }

  Result<bool> SendTen(const std::string& below) {
    PCW_TRY(pg::Transaction transaction,
            pg::Transaction::Begin(connection_, "deliver dead letters", stop_));
    PCW_TRY(const pg::Rows rows,
            connection_.Exec({"outbox_claim", kClaim}, {std::string(tenant_id_), below}, stop_));
    if (rows.empty()) return false;
    std::vector<aws::sqs::OutgoingMessage> messages;
    for (std::size_t row = 0; row < rows.size(); ++row) {
      messages.push_back({.id = std::string(rows.Text(row, 0)),
                          .body = EnvelopeOf(rows, row, tenant_id_),
                          .attributes = {{"letter", std::string(rows.Text(row, 0))},
                                         {"entity", std::string(rows.Text(row, 3))},
                                         {"stage", std::string(rows.Text(row, 6))},
                                         {"code", std::string(rows.Text(row, 7))},
                                         {"tenant", std::string(tenant_id_)}}});
    }
    PCW_FAILPOINT("dlq.send.before");
    PCW_TRY(const aws::sqs::BatchOutcome outcome, queue_.Send(messages, stop_));
    PCW_FAILPOINT("dlq.send.after");
    for (const auto& [id, message_id] : outcome.done) {
      PCW_TRY_OK(connection_.Exec(
          {"outbox_sent",
           "UPDATE dead_letters SET delivered_at = now(), sent_at = now(), expires_at = now() + "
           "make_interval(secs => $3::integer), message_id = $2, delivery_attempts = "
           "delivery_attempts + 1, delivery_error = NULL WHERE tenant_id = pcw_tenant() AND id = "
           "$1::uuid"},
          {id, message_id, std::to_string(attributes_.retention_seconds)}, {}));
    }
    for (const aws::sqs::FailedEntry& failed : outcome.failed) {
      PCW_TRY_OK(connection_.Exec(
          {"outbox_refused",
           "UPDATE dead_letters SET delivery_attempts = greatest(delivery_attempts + 1, "
           "$3::integer), delivery_error = $2 WHERE tenant_id = pcw_tenant() AND id = $1::uuid"},
          {failed.id, fmt::format("{}: {}", failed.code, failed.message), below}, {}));
    }
    PCW_TRY_OK(transaction.Commit());
    report_.sent += static_cast<std::int64_t>(outcome.done.size());
    report_.refused += static_cast<std::int64_t>(outcome.failed.size());
    return true;
  }

  // A message that is past its time is gone, whether we have seen it go or not.
  Status MarkExpired() {
    PCW_TRY_OK(connection_.Exec(
        {"outbox_expired",
         "UPDATE dead_letters SET removed_at = expires_at WHERE tenant_id = $1::uuid AND "
         "delivered_at IS NOT NULL AND removed_at IS NULL AND expires_at < now()"},
        {std::string(tenant_id_)}, stop_));
    return Ok{};
  }

  // Receiving costs calls and counts as a receive, so it is done only if something can come of it:
  // a letter that has ended, or more messages than we know of.
  Result<bool> IsLookNeeded() {
    PCW_TRY(const pg::Rows rows,
            connection_.Exec({"outbox_look",
                              "SELECT count(*) FILTER (WHERE state <> 'open'), count(*) FROM "
                              "dead_letters WHERE tenant_id = $1::uuid AND delivered_at IS NOT "
                              "NULL AND removed_at IS NULL"},
                             {std::string(tenant_id_)}, stop_));
    PCW_TRY(const aws::sqs::QueueAttributes now, queue_.Attributes(stop_));
    return rows.Int(0, 0) > 0 || now.messages + now.in_flight > rows.Int(0, 1);
  }

  Status LookThrough() {
    int empty = 0;
    int seen = 0;
    while (empty < kEmptyReceives && seen < options_.most_messages) {
      if (stop_.stop_requested()) return Error(ErrorCode::kCancelled, "stopped while delivering");
      PCW_TRY(const auto messages, queue_.Receive(static_cast<int>(aws::sqs::kMostEntries),
                                                  options_.visibility_seconds, 0, stop_));
      empty = messages.empty() ? empty + 1 : 0;
      seen += static_cast<int>(messages.size());
      PCW_TRY_OK(TakeMessages(messages));
    }
    return Ok{};
  }

  Status TakeMessages(const std::vector<aws::sqs::Message>& messages) {
    std::vector<const aws::sqs::Message*> finished;
    for (const aws::sqs::Message& message : messages) {
      PCW_TRY(const bool has_ended, TakeMessage(message));
      if (has_ended) {
        finished.push_back(&message);
      } else {
        held_.push_back(message.receipt_handle);
      }
    }
    return Remove(finished);
  }

  // True if the message has done its duty: what it stands for is settled, and that is committed.
  Result<bool> TakeMessage(const aws::sqs::Message& message) {
    const ReadEnvelope envelope = ReadMessage(message.body, tenant_id_);
    PCW_TRY(
        const pg::Rows known,
        connection_.Exec({"outbox_letter",
                          "SELECT id, state FROM dead_letters WHERE tenant_id = $1::uuid AND "
                          "(id = nullif($2, '')::uuid OR (stage = 'event' AND message_id = "
                          "$3)) LIMIT 1"},
                         {std::string(tenant_id_), envelope.letter_id, message.message_id}, stop_));
    if (known.empty()) {
      ForeignMessage foreign = envelope.foreign.value_or(ForeignMessage{
          "unknown_letter", "the message names a letter that this database does not have"});
      PCW_TRY_OK(TakeIn(message, foreign));
      return false;
    }
    const std::string id(known.Text(0, 0));
    PCW_TRY_OK(connection_.Exec(
        {"outbox_mirror",
         "UPDATE dead_letters SET delivered_at = coalesce(delivered_at, now()), message_id = "
         "coalesce(message_id, $2), sent_at = least(sent_at, to_timestamp($3::bigint / 1000.0)), "
         "expires_at = least(sent_at, to_timestamp($3::bigint / 1000.0)) + make_interval(secs => "
         "$4::integer) WHERE tenant_id = pcw_tenant() AND id = $1::uuid AND removed_at IS NULL"},
        {id, message.message_id, std::to_string(message.sent_at_ms),
         std::to_string(attributes_.retention_seconds)},
        stop_));
    if (known.Text(0, 1) == "open") return false;
    ended_[message.receipt_handle] = id;
    return true;
  }

  // Its body is kept as it is: nothing that was put there is lost with the queue (I26).
  Status TakeIn(const aws::sqs::Message& message, const ForeignMessage& foreign) {
    PCW_TRY(const pg::Rows connector,
            connection_.Exec({"outbox_connector",
                              "SELECT id FROM connectors WHERE tenant_id = $1::uuid AND kind = $2"},
                             {std::string(tenant_id_), options_.connector_kind}, stop_));
    if (connector.empty())
      return Error(ErrorCode::kNotFound,
                   "no run has been made yet, so foreign messages have nowhere to be filed");
    DeadLetter letter = MakeDeadLetter(Error(ErrorCode::kInvalidRequest, foreign.text)
                                           .With("reason", foreign.reason)
                                           .With("receives", std::to_string(message.receive_count)),
                                       Stage::kEvent, message.message_id);
    letter.tenant_id = tenant_id_;
    letter.connector_id = connector.Int(0, 0);
    letter.entity = "messages";
    letter.catalog = options_.catalog;
    letter.original = message.body;
    PCW_TRY(pg::Transaction transaction,
            pg::Transaction::Begin(connection_, "take in a message", stop_));
    PCW_TRY_OK(PutDeadLetters(connection_, {letter}, stop_));
    PCW_TRY_OK(connection_.Exec(
        {"outbox_taken",
         "UPDATE dead_letters SET delivered_at = now(), message_id = $1, sent_at = "
         "to_timestamp($2::bigint / 1000.0), expires_at = to_timestamp($2::bigint / 1000.0) + "
         "make_interval(secs => $3::integer) WHERE tenant_id = pcw_tenant() AND stage = 'event' "
         "AND record_key = $1 AND state = 'open'"},
        {message.message_id, std::to_string(message.sent_at_ms),
         std::to_string(attributes_.retention_seconds)},
        stop_));
    PCW_TRY_OK(transaction.Commit());
    ++report_.received;
    return Ok{};
  }

  Status Remove(const std::vector<const aws::sqs::Message*>& finished) {
    if (finished.empty()) return Ok{};
    std::vector<std::string> handles;
    for (const aws::sqs::Message* message : finished) handles.push_back(message->receipt_handle);
    PCW_FAILPOINT("dlq.delete.before");
    PCW_TRY(const aws::sqs::BatchOutcome outcome, queue_.Delete(handles, stop_));
    PCW_FAILPOINT("dlq.delete.after");
    for (const auto& [place, nothing] : outcome.done) {
      const std::string& handle = handles[static_cast<std::size_t>(std::atoi(place.c_str()))];
      PCW_TRY_OK(connection_.Exec({"outbox_removed",
                                   "UPDATE dead_letters SET removed_at = coalesce(removed_at, "
                                   "now()) WHERE tenant_id = pcw_tenant() AND id = $1::uuid"},
                                  {ended_[handle]}, stop_));
      ++report_.removed;
    }
    // What could not be deleted comes again when its visibility ends, and is deleted then.
    return Ok{};
  }

  Status ShowAgain() {
    for (std::size_t begin = 0; begin < held_.size(); begin += aws::sqs::kMostEntries) {
      const std::vector<std::string> ten(
          held_.begin() + static_cast<std::ptrdiff_t>(begin),
          held_.begin() +
              static_cast<std::ptrdiff_t>(std::min(begin + aws::sqs::kMostEntries, held_.size())));
      // Entries that fail are visible already, or will be soon.
      PCW_TRY_OK(queue_.ChangeVisibility(ten, 0, {}));
    }
    return Ok{};
  }

  pg::Connection& connection_;
  const std::string_view tenant_id_;
  aws::sqs::Queue& queue_;
  const DeliveryOptions& options_;
  std::stop_token stop_;
  aws::sqs::QueueAttributes attributes_;
  std::vector<std::string> held_;             // receipt handles of messages that stay
  std::map<std::string, std::string> ended_;  // receipt handle -> letter
  DeliveryReport report_;
};

}  // namespace

ReadEnvelope ReadMessage(std::string_view body, std::string_view tenant_id) {
  const auto foreign = [](std::string_view reason, std::string text) {
    return ReadEnvelope{.letter_id = "",
                        .foreign = ForeignMessage{std::string(reason), std::move(text)}};
  };
  const Result<Json> json = ParseJson(body);
  if (!json) return foreign("not_json", "the message is not JSON");
  if (!json->is_object() || !json->contains("kind") || (*json)["kind"] != kKind)
    return foreign("not_an_envelope", "the message is none of pcw's");
  const Json& version = json->contains("version") ? (*json)["version"] : Json();
  if (!version.is_number_integer() || version.get<std::int64_t>() < 1)
    return foreign("no_version", "the envelope names no version");
  if (version.get<std::int64_t>() > kVersion)
    return foreign("future_version", "the envelope is of a newer pcw");
  if (!json->contains("tenant") || (*json)["tenant"] != tenant_id)
    return foreign("other_tenant", "the envelope is of another tenant");
  const Json& id = json->contains("letter_id") ? (*json)["letter_id"] : Json();
  if (!id.is_string() || !IsUuid(id.get_ref<const std::string&>()))
    return foreign("no_letter", "the envelope names no letter");
  return {.letter_id = id.get<std::string>(), .foreign = std::nullopt};
}

Result<DeliveryReport> Deliver(pg::Connection& connection, std::string_view tenant_id,
                               aws::sqs::Queue& queue, const DeliveryOptions& options,
                               std::stop_token stop) {
  return Pass(connection, tenant_id, queue, options, std::move(stop)).Run();
}

}  // namespace pcw::dlq
