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
#include "pcw/dlq/held_messages.h"
#include "pcw/dlq/queue_look.h"

namespace pcw::dlq {
namespace {

constexpr std::string_view kKind = "pcw.dead_letter";
constexpr int kVersion = 1;

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
  // In ASCII: SQS refuses a batch for one U+FFFF, or keeps the message under another MD5.
  return envelope.dump(-1, ' ', true, OrderedJson::error_handler_t::replace);
}

class Pass {
 public:
  Pass(pg::Connection& connection, std::string_view tenant_id, aws::sqs::Queue& queue,
       const DeliveryOptions& options, const Clock& clock, std::stop_token stop)
      : connection_(connection),
        tenant_id_(tenant_id),
        queue_(queue),
        options_(options),
        clock_(clock),
        stop_(std::move(stop)),
        held_(queue, options.visibility, clock) {}

  Result<DeliveryReport> Run() {
    PCW_TRY(attributes_, queue_.Attributes(stop_));
    PCW_TRY_OK(SendAll());
    PCW_TRY_OK(MarkExpired());
    PCW_TRY(const bool is_needed, IsLookNeeded());
    Status looked = is_needed ? LookThrough() : Status(Ok{});
    // What is not deleted must not stay hidden, whatever ended the look.
    Status shown = held_.Release();
    report_.extended = held_.extended();
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
  /// What the database knows of a message.
  struct KnownLetter {
    std::string id, state;
  };
  /// A message that can go; `letter` is the one that has ended, empty for a surplus message.
  struct Finished {
    std::string receipt_handle, letter;
  };

  Status SendAll() {
    // A dead letter that SQS refused in this pass waits for the next one.
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
    PCW_TRY_OK(NoteSent(outcome, below));
    PCW_TRY_OK(transaction.Commit());
    report_.sent += static_cast<std::int64_t>(outcome.done.size());
    report_.refused += static_cast<std::int64_t>(outcome.failed.size());
    return true;
  }

  Status NoteSent(const aws::sqs::BatchOutcome& outcome, const std::string& below) {
    Json sent = Json::array();
    for (const auto& [id, message_id] : outcome.done)
      sent.push_back({{"id", id}, {"message_id", message_id}});
    PCW_TRY_OK(connection_.Exec(
        {"outbox_sent",
         "UPDATE dead_letters AS d SET delivered_at = now(), sent_at = now(), expires_at = now() + "
         "make_interval(secs => $2::integer), message_id = s.message_id, delivery_attempts = "
         "d.delivery_attempts + 1, delivery_error = NULL FROM jsonb_to_recordset($1::jsonb) AS s "
         "(id uuid, message_id text) WHERE d.tenant_id = pcw_tenant() AND d.id = s.id"},
        {DumpJson(sent), std::to_string(attributes_.retention_seconds)}, {}));
    for (const aws::sqs::FailedEntry& failed : outcome.failed) {
      PCW_TRY_OK(connection_.Exec(
          {"outbox_refused",
           "UPDATE dead_letters SET delivery_attempts = greatest(delivery_attempts + 1, "
           "$3::integer), delivery_error = $2 WHERE tenant_id = pcw_tenant() AND id = $1::uuid"},
          {failed.id, fmt::format("{}: {}", failed.code, failed.message), below}, {}));
    }
    return Ok{};
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

  Result<bool> IsLookNeeded() {
    PCW_TRY(const pg::Rows rows,
            connection_.Exec({"outbox_look",
                              "SELECT count(*) FILTER (WHERE state <> 'open'), count(*) FROM "
                              "dead_letters WHERE tenant_id = $1::uuid AND delivered_at IS NOT "
                              "NULL AND removed_at IS NULL"},
                             {std::string(tenant_id_)}, stop_));
    PCW_TRY(const aws::sqs::QueueAttributes now, queue_.Attributes(stop_));
    return pcw::dlq::IsLookNeeded({.ended = rows.Int(0, 0),
                                   .known = rows.Int(0, 1),
                                   .visible = now.messages,
                                   .in_flight = now.in_flight});
  }

  Status LookThrough() {
    QueueLook look(options_.most_messages);
    while (!look.is_over()) {
      if (stop_.stop_requested()) return Error(ErrorCode::kCancelled, "stopped while delivering");
      const SteadyTime asked_at = clock_.Steady();
      PCW_TRY(const auto messages,
              queue_.Receive(static_cast<int>(aws::sqs::kMostEntries),
                             static_cast<int>(options_.visibility.count()), 0, stop_));
      look.Note(messages);
      PCW_TRY_OK(TakeMessages(messages, asked_at));
      PCW_TRY_OK(held_.Extend(stop_));
    }
    return Ok{};
  }

  // Messages whose duty is done are deleted: what they stand for is settled, and that is
  // committed (I23). The others stay.
  Status TakeMessages(const std::vector<aws::sqs::Message>& messages, SteadyTime asked_at) {
    PCW_TRY(const std::vector<KnownLetter> known, FindLetters(messages));
    PCW_TRY_OK(Mirror(messages, known));
    std::vector<Finished> finished;
    for (std::size_t i = 0; i < messages.size(); ++i) {
      const aws::sqs::Message& message = messages[i];
      if (known[i].id.empty()) {
        const ReadEnvelope envelope = ReadMessage(message.body, tenant_id_);
        PCW_TRY_OK(
            TakeIn(message, envelope.foreign.value_or(ForeignMessage{
                                "unknown_letter",
                                "the message names a dead letter that this database does not "
                                "have"})));
      } else if (known[i].state != "open") {
        finished.push_back({message.receipt_handle, known[i].id});
        continue;
      } else if (std::string other = surplus_.Add(known[i].id, message); !other.empty()) {
        finished.push_back({std::move(other), ""});
      }
      held_.Add(message.receipt_handle, asked_at);
    }
    return Remove(finished);
  }

  // By index; an empty id where there is none. One of ours is found by the dead letter it names,
  // one of others by its own id.
  Result<std::vector<KnownLetter>> FindLetters(const std::vector<aws::sqs::Message>& messages) {
    std::vector<KnownLetter> known(messages.size());
    Json named = Json::array();
    for (std::size_t i = 0; i < messages.size(); ++i) {
      if (std::string id = ReadMessage(messages[i].body, tenant_id_).letter_id; !id.empty())
        named.push_back({{"place", i}, {"id", std::move(id)}});
    }
    const auto keep = [&known](const pg::Rows& rows) {
      for (std::size_t row = 0; row < rows.size(); ++row) {
        known[static_cast<std::size_t>(rows.Int(row, 0))] = {std::string(rows.Text(row, 1)),
                                                             std::string(rows.Text(row, 2))};
      }
    };
    if (!named.empty()) {
      PCW_TRY(const pg::Rows rows,
              connection_.Exec({"outbox_letters",
                                "SELECT m.place, d.id, d.state FROM jsonb_to_recordset($2::jsonb) "
                                "AS m (place integer, id uuid) JOIN dead_letters d ON d.tenant_id "
                                "= $1::uuid AND d.id = m.id"},
                               {std::string(tenant_id_), DumpJson(named)}, stop_));
      keep(rows);
    }
    Json others = Json::array();
    for (std::size_t i = 0; i < messages.size(); ++i) {
      if (known[i].id.empty()) others.push_back({{"place", i}, {"id", messages[i].message_id}});
    }
    if (!others.empty()) {
      PCW_TRY(const pg::Rows rows,
              connection_.Exec({"outbox_events",
                                "SELECT m.place, d.id, d.state FROM jsonb_to_recordset($2::jsonb) "
                                "AS m (place integer, id text) JOIN dead_letters d ON d.tenant_id "
                                "= $1::uuid AND d.stage = 'event' AND d.message_id = m.id"},
                               {std::string(tenant_id_), DumpJson(others)}, stop_));
      keep(rows);
    }
    return known;
  }

  // What the queue says of the messages, where it is news. The oldest message of a dead letter
  // counts.
  Status Mirror(const std::vector<aws::sqs::Message>& messages,
                const std::vector<KnownLetter>& known) {
    std::map<std::string, const aws::sqs::Message*> oldest;
    for (std::size_t i = 0; i < messages.size(); ++i) {
      if (known[i].id.empty()) continue;
      const aws::sqs::Message*& held = oldest[known[i].id];
      if (held == nullptr || messages[i].sent_at_ms < held->sent_at_ms) held = &messages[i];
    }
    Json items = Json::array();
    for (const auto& [id, message] : oldest) {
      items.push_back(
          {{"id", id}, {"message_id", message->message_id}, {"sent", message->sent_at_ms}});
    }
    if (items.empty()) return Ok{};
    PCW_TRY_OK(connection_.Exec(
        {"outbox_mirror",
         "UPDATE dead_letters AS d SET delivered_at = coalesce(d.delivered_at, now()), message_id "
         "= coalesce(d.message_id, m.message_id), sent_at = m.at, expires_at = m.at + "
         "make_interval(secs => $2::integer) FROM (SELECT s.id, s.message_id, least(o.sent_at, "
         "to_timestamp(s.sent / 1000.0)) AS at FROM jsonb_to_recordset($1::jsonb) AS s (id uuid, "
         "message_id text, sent bigint) JOIN dead_letters o ON o.tenant_id = pcw_tenant() AND o.id "
         "= s.id) AS m WHERE d.tenant_id = pcw_tenant() AND d.id = m.id AND d.removed_at IS NULL "
         "AND (d.delivered_at IS NULL OR d.message_id IS NULL OR d.sent_at IS DISTINCT FROM m.at "
         "OR d.expires_at IS DISTINCT FROM m.at + make_interval(secs => $2::integer))"},
        {DumpJson(items), std::to_string(attributes_.retention_seconds)}, stop_));
    return Ok{};
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

  Status Remove(const std::vector<Finished>& finished) {
    if (finished.empty()) return Ok{};
    std::vector<std::string> handles;
    for (const Finished& message : finished) handles.push_back(message.receipt_handle);
    PCW_FAILPOINT("dlq.delete.before");
    PCW_TRY(const aws::sqs::BatchOutcome outcome, queue_.Delete(handles, stop_));
    PCW_FAILPOINT("dlq.delete.after");
    Json ended = Json::array();
    for (const auto& [place, nothing] : outcome.done) {
      const Finished& message = finished[static_cast<std::size_t>(std::atoi(place.c_str()))];
      if (!message.letter.empty()) ended.push_back(message.letter);
    }
    report_.removed += static_cast<std::int64_t>(outcome.done.size());
    if (ended.empty()) return Ok{};
    PCW_TRY_OK(connection_.Exec({"outbox_removed",
                                 "UPDATE dead_letters SET removed_at = now() WHERE tenant_id = "
                                 "pcw_tenant() AND removed_at IS NULL AND id IN (SELECT "
                                 "jsonb_array_elements_text($1::jsonb)::uuid)"},
                                {DumpJson(ended)}, stop_));
    // What could not be deleted comes again when its visibility ends, and is deleted then.
    return Ok{};
  }

  pg::Connection& connection_;
  const std::string_view tenant_id_;
  aws::sqs::Queue& queue_;
  const DeliveryOptions& options_;
  const Clock& clock_;
  std::stop_token stop_;
  aws::sqs::QueueAttributes attributes_;
  HeldMessages held_;  // messages that stay
  SurplusMessages surplus_;
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
    return foreign("no_letter", "the envelope names no dead letter");
  return {.letter_id = id.get<std::string>(), .foreign = std::nullopt};
}

Result<DeliveryReport> Deliver(pg::Connection& connection, std::string_view tenant_id,
                               aws::sqs::Queue& queue, const DeliveryOptions& options,
                               const Clock& clock, std::stop_token stop) {
  return Pass(connection, tenant_id, queue, options, clock, std::move(stop)).Run();
}

}  // namespace pcw::dlq
