#include "pcw/dlq/dead_letter.h"

#include <algorithm>
#include <span>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "pcw/base/clock.h"
#include "pcw/base/json.h"
#include "pcw/base/rng.h"
#include "pcw/base/storable_text.h"
#include "pcw/base/uuid.h"
#include "pcw/dlq/dead_letter_rows.h"
#include "pcw/dlq/drop_all.h"
#include "pcw/dlq/filter_check.h"
#include "pcw/dlq/record_key.h"

namespace pcw::dlq {
namespace {

// Every filter has these parameters in this order: tenant, entity, state, run, id, cause, group,
// since, until, stage.
#define PCW_DLQ_WHERE                                                                           \
  " WHERE d.tenant_id = $1::uuid AND ($2 = '' OR d.entity = $2) AND ($3 = '' OR d.state = $3) " \
  "AND ($4 = '' OR starts_with(d.run_id::text, $4)) AND ($5 = '' OR starts_with(d.id::text, "   \
  "$5)) AND ($6 = '' OR d.error_code = $6) AND ($7 = '' OR starts_with(d.fingerprint, $7)) "    \
  "AND ($8 = '' OR d.last_seen_at >= nullif($8, '')::timestamptz) "                             \
  "AND ($9 = '' OR d.last_seen_at < nullif($9, '')::timestamptz) AND ($10 = '' OR d.stage = $10) "
#define PCW_DLQ_TIME(column) \
  "coalesce(to_char(" column " AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), '')"

// $12 is how much of a foreign message's body is wanted.
#define PCW_DLQ_SELECT \
  "SELECT d.id, coalesce(d.run_id::text, ''), d.connector_id, c.kind, d.entity, d.catalog, "      \
  "d.record_key, d.stage, d.error_code, d.error, d.error_context, d.bronze_key, d.bronze_line, "  \
  "d.attempts, " PCW_DLQ_TIME("d.first_seen_at") ", " PCW_DLQ_TIME(                               \
      "d.last_seen_at") ", d.state, d.fingerprint, d.mapping_version, d.failed_replays, d.patch, " \
                        "left(d.original, $12::integer), d.note, " PCW_DLQ_TIME(                        \
                            "d.delivered_at") ", d.message_id, " PCW_DLQ_TIME("d.expires_at") ", " \
  "d.delivery_error FROM dead_letters d JOIN connectors c ON c.tenant_id = d.tenant_id AND c.id " \
  "= d.connector_id" PCW_DLQ_WHERE

constexpr std::string_view kSelect =
    PCW_DLQ_SELECT "ORDER BY d.last_seen_at DESC, d.id DESC LIMIT $11::integer";
constexpr std::string_view kPage = PCW_DLQ_SELECT
    "AND ($13 = '' OR d.id < nullif($13, '')::uuid) ORDER BY d.id DESC LIMIT $11::integer";

// The sample's text is looked up by its id: gathering the texts of all to take one costs a sort.
constexpr std::string_view kGroups =
    "SELECT g.fingerprint, g.entity, g.stage, g.error_code, s.error, g.pointer, g.letters, "
    "g.guarded, g.first_seen, g.last_seen, g.sample FROM (SELECT d.fingerprint, d.entity, d.stage, "
    "d.error_code, coalesce(min(d.error_context ->> 'pointer'), '') AS pointer, count(*) AS "
    "letters, count(*) FILTER (WHERE d.failed_replays >= $11::integer) AS guarded, " PCW_DLQ_TIME(
        "min(d.first_seen_at)") " AS first_seen, " PCW_DLQ_TIME(
        "max(d.last_seen_at)") " AS last_seen, max(d.last_seen_at) AS newest, max(d.id::text) AS "
                               "sample FROM dead_letters d" PCW_DLQ_WHERE
                               "GROUP BY 1, 2, 3, 4 ORDER BY count(*) DESC, max(d.last_seen_at) "
                               "DESC LIMIT $12::integer) g JOIN dead_letters s ON s.tenant_id = "
                               "$1::uuid AND s.id = g.sample::uuid ORDER BY g.letters DESC, "
                               "g.newest DESC";

constexpr std::string_view kCount = "SELECT count(*) FROM dead_letters d" PCW_DLQ_WHERE;

constexpr std::string_view kDrop =
    "WITH dropped AS (UPDATE dead_letters AS d SET state = 'dropped', settled_at = now(), note = "
    "$11" PCW_DLQ_WHERE
    "AND d.state = 'open' RETURNING d.tenant_id, d.id), noted AS (INSERT INTO dead_letter_events "
    "(tenant_id, letter_id, event, actor, detail) SELECT tenant_id, id, 'dropped', $12, "
    "jsonb_build_object('reason', $11::text) FROM dropped) SELECT count(*) FROM dropped";

std::vector<pg::Param> ParamsOf(std::string_view tenant_id, const DeadLetterFilter& filter) {
  return {std::string(tenant_id), filter.entity, filter.state, filter.run_id, filter.id,
          filter.cause,           filter.group,  filter.since, filter.until,  filter.stage};
}

Stage StageNamed(std::string_view name) {
  if (name == "map") return Stage::kMap;
  return name == "event" ? Stage::kEvent : Stage::kFetch;
}

DeadLetter ReadLetter(const pg::Rows& rows, std::size_t row, std::string_view tenant_id) {
  const auto text = [&](std::size_t column) { return std::string(rows.Text(row, column)); };
  DeadLetter letter;
  letter.tenant_id = tenant_id;
  letter.id = text(0);
  letter.run_id = text(1);
  letter.connector_id = rows.Int(row, 2);
  letter.connector = text(3);
  letter.entity = text(4);
  letter.catalog = text(5);
  letter.record_key = text(6);
  letter.stage = StageNamed(text(7));
  letter.error_code = text(8);
  letter.error = text(9);
  letter.error_context_json = text(10);
  letter.bronze_key = text(11);
  letter.bronze_line = static_cast<int>(rows.Int(row, 12));
  letter.attempts = static_cast<int>(rows.Int(row, 13));
  letter.first_seen_at = text(14);
  letter.last_seen_at = text(15);
  letter.state = text(16);
  letter.fingerprint = text(17);
  letter.mapping_version = static_cast<int>(rows.Int(row, 18));
  letter.failed_replays = static_cast<int>(rows.Int(row, 19));
  letter.patch_json = text(20);
  letter.original = text(21);
  letter.note = text(22);
  letter.delivered_at = text(23);
  letter.message_id = text(24);
  letter.expires_at = text(25);
  letter.delivery_error = text(26);
  return letter;
}

std::string ArrayOf(const std::vector<std::string>& items) {
  // JSON is an array literal that needs no escaping rules of its own: the server unpacks it.
  return DumpJson(Json(items));
}

}  // namespace

std::string_view NameOf(Stage stage) {
  switch (stage) {
    case Stage::kFetch:
      return "fetch";
    case Stage::kMap:
      return "map";
    case Stage::kEvent:
      return "event";
  }
  return "fetch";
}

DeadLetter MakeDeadLetter(const Error& error, Stage stage, std::string record_key) {
  DeadLetter letter;
  letter.record_key = RecordKeyOf(record_key);
  letter.stage = stage;
  letter.error_code = pcw::NameOf(error.code());
  letter.error = StorableText(error.message(), kMostErrorBytes, LineBreaks::kKeep);
  OrderedJson context = OrderedJson::object();
  for (const auto& [key, value] : error.context())
    context[key] = StorableText(value, kMostErrorBytes, LineBreaks::kKeep);
  letter.error_context_json = DumpJson(context);
  return letter;
}

namespace {

// Dead letters of one statement must be of different records: a row can be changed only once by it.
constexpr std::string_view kPut =
    "INSERT INTO dead_letters AS d (tenant_id, id, run_id, connector_id, entity, catalog, "
    "record_key, stage, error_code, error, error_context, bronze_key, bronze_line, attempts, "
    "mapping_version, failed_replays, original) SELECT tenant_id, id, run_id, connector_id, "
    "entity, catalog, record_key, stage, error_code, error, error_context::jsonb, bronze_key, "
    "bronze_line, attempts, mapping_version, failed_replays, original FROM "
    "jsonb_to_recordset($1::jsonb) AS x (tenant_id uuid, id uuid, run_id uuid, connector_id "
    "bigint, entity text, catalog text, record_key text, stage text, error_code text, error text, "
    "error_context text, bronze_key text, bronze_line integer, attempts integer, mapping_version "
    "integer, failed_replays integer, original text) ON CONFLICT (tenant_id, connector_id, entity, "
    "catalog, record_key, stage) WHERE state = 'open' DO UPDATE SET run_id = excluded.run_id, "
    "error_code = excluded.error_code, error = excluded.error, error_context = "
    "excluded.error_context, bronze_key = excluded.bronze_key, bronze_line = "
    "excluded.bronze_line, attempts = d.attempts + CASE WHEN d.run_id = excluded.run_id "
    "THEN 0 ELSE excluded.attempts END, last_seen_at = now(), "
    "mapping_version = coalesce(excluded.mapping_version, d.mapping_version), replay_failed = "
    "d.replay_failed OR excluded.failed_replays > 0, "
    // The loop guard counts replays that end the same way; a sync that meets the record again
    // leaves the count alone.
    "failed_replays = CASE WHEN d.mapping_version IS DISTINCT FROM excluded.mapping_version OR "
    "d.fingerprint <> pcw_dlq_fingerprint(excluded.entity, excluded.stage, excluded.error_code, "
    "excluded.error, excluded.error_context) THEN excluded.failed_replays ELSE d.failed_replays + "
    "excluded.failed_replays END";

}  // namespace

Status PutDeadLetters(pg::Connection& connection, const std::vector<DeadLetter>& letters,
                      std::stop_token stop) {
  SystemClock clock;
  SystemRng rng;
  for (const std::span<const DeadLetter> statement : StatementsOf(letters)) {
    Json rows = Json::array();
    for (const DeadLetter& letter : statement)
      rows.push_back(RowOf(letter, letter.id.empty() ? MakeUuidV7(clock.Now(), rng) : letter.id));
    PCW_TRY_OK(connection.Exec({"dead_letters_put", kPut}, {DumpJson(rows)}, stop));
  }
  return Ok{};
}

Result<std::int64_t> SettleDeadLetters(pg::Connection& connection, std::string_view tenant_id,
                                       std::int64_t connector_id, std::string_view entity,
                                       std::string_view catalog,
                                       const std::vector<std::string>& record_keys,
                                       std::stop_token stop) {
  std::vector<std::string> keys;
  keys.reserve(record_keys.size());
  for (const std::string& key : record_keys) keys.push_back(RecordKeyOf(key));
  PCW_TRY(const pg::Rows rows,
          connection.Exec({"dead_letters_settle",
                           "UPDATE dead_letters SET state = 'settled', settled_at = now() WHERE "
                           "tenant_id = $1::uuid AND connector_id = $2::bigint AND entity = $3 AND "
                           "catalog = $4 AND state = 'open' AND record_key IN (SELECT "
                           "jsonb_array_elements_text($5::jsonb))"},
                          {std::string(tenant_id), std::to_string(connector_id),
                           std::string(entity), std::string(catalog), ArrayOf(keys)},
                          stop));
  return rows.affected();
}

Result<std::vector<std::string>> LoadOpenRecordKeys(
    pg::Connection& connection, std::string_view tenant_id, std::int64_t connector_id,
    std::string_view entity, std::string_view catalog, Stage stage, std::stop_token stop) {
  PCW_TRY(const pg::Rows rows,
          connection.Exec({"dead_letters_open_keys",
                           "SELECT record_key FROM dead_letters WHERE tenant_id = $1::uuid AND "
                           "connector_id = $2::bigint AND entity = $3 AND catalog = $4 AND stage = "
                           "$5 AND state = 'open'"},
                          {std::string(tenant_id), std::to_string(connector_id),
                           std::string(entity), std::string(catalog), std::string(NameOf(stage))},
                          stop));
  std::vector<std::string> keys;
  keys.reserve(rows.size());
  for (std::size_t row = 0; row < rows.size(); ++row) keys.emplace_back(rows.Text(row, 0));
  return keys;
}

Status VisitDeadLetters(pg::Connection& connection, std::string_view tenant_id,
                        const DeadLetterFilter& filter,
                        const std::function<void(DeadLetter)>& visit, std::stop_token stop) {
  PCW_TRY_OK(CheckFilter(filter));
  PCW_TRY(pg::Transaction transaction,
          pg::Transaction::Begin(connection, "read dead letters", stop));
  std::vector<pg::Param> params = ParamsOf(tenant_id, filter);
  params.emplace_back(std::to_string(filter.limit));
  params.emplace_back("0");
  const std::string declare =
      fmt::format("DECLARE dead_letters_visited NO SCROLL CURSOR FOR {}", kSelect);
  PCW_TRY_OK(connection.Exec({"dead_letters_declare", declare}, params, stop));
  for (;;) {
    PCW_TRY(
        const pg::Rows rows,
        connection.Exec({"dead_letters_fetch", "FETCH 1000 FROM dead_letters_visited"}, {}, stop));
    for (std::size_t row = 0; row < rows.size(); ++row) visit(ReadLetter(rows, row, tenant_id));
    if (rows.empty()) return Ok{};  // nothing was written: the end rolls back
  }
}

Result<std::vector<DeadLetter>> LoadDeadLetters(pg::Connection& connection,
                                                std::string_view tenant_id,
                                                const DeadLetterFilter& filter,
                                                std::stop_token stop) {
  PCW_TRY_OK(CheckFilter(filter));
  std::vector<pg::Param> params = ParamsOf(tenant_id, filter);
  params.emplace_back(std::to_string(filter.limit));
  params.emplace_back("0");
  PCW_TRY(const pg::Rows rows, connection.Exec({"dead_letters_load", kSelect}, params, stop));
  std::vector<DeadLetter> letters;
  for (std::size_t row = 0; row < rows.size(); ++row)
    letters.push_back(ReadLetter(rows, row, tenant_id));
  return letters;
}

Result<std::vector<DeadLetter>> LoadDeadLetterPage(pg::Connection& connection,
                                                   std::string_view tenant_id,
                                                   const DeadLetterFilter& filter,
                                                   std::string_view before_id,
                                                   std::stop_token stop) {
  PCW_TRY_OK(CheckFilter(filter));
  std::vector<pg::Param> params = ParamsOf(tenant_id, filter);
  params.emplace_back(std::to_string(filter.limit));
  params.emplace_back("0");
  params.emplace_back(std::string(before_id));
  PCW_TRY(const pg::Rows rows, connection.Exec({"dead_letters_page", kPage}, params, stop));
  std::vector<DeadLetter> letters;
  for (std::size_t row = 0; row < rows.size(); ++row)
    letters.push_back(ReadLetter(rows, row, tenant_id));
  return letters;
}

Result<DeadLetter> LoadDeadLetter(pg::Connection& connection, std::string_view tenant_id,
                                  std::string_view id, std::stop_token stop) {
  if (!IsUuidStart(id)) {
    return Error(ErrorCode::kInvalidRequest,
                 fmt::format("\"{}\" is not a dead letter id; give the id that `pcw dlq list` "
                             "shows, or its first 8 or more characters",
                             CutAtCharacter(id, 64)));
  }
  DeadLetterFilter filter;
  filter.state.clear();
  filter.id = id;
  std::vector<pg::Param> params = ParamsOf(tenant_id, filter);
  params.emplace_back("2");
  params.emplace_back("262144");
  PCW_TRY(const pg::Rows rows, connection.Exec({"dead_letters_load", kSelect}, params, stop));
  if (rows.empty())
    return Error(
        ErrorCode::kNotFound,
        fmt::format("there is no dead letter {}; `pcw dlq list --state all` shows them", id));
  if (rows.size() > 1)
    return Error(ErrorCode::kInvalidRequest,
                 fmt::format("more than one dead letter begins with {}; give more of the id", id));
  return ReadLetter(rows, 0, tenant_id);
}

Result<std::vector<DeadLetterGroup>> LoadDeadLetterGroups(pg::Connection& connection,
                                                          std::string_view tenant_id,
                                                          const DeadLetterFilter& filter,
                                                          int loop_guard, std::stop_token stop) {
  PCW_TRY_OK(CheckFilter(filter));
  std::vector<pg::Param> params = ParamsOf(tenant_id, filter);
  params.emplace_back(std::to_string(loop_guard));
  params.emplace_back(std::to_string(filter.limit));
  PCW_TRY(const pg::Rows rows, connection.Exec({"dead_letter_groups", kGroups}, params, stop));
  std::vector<DeadLetterGroup> groups;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const auto text = [&](std::size_t column) { return std::string(rows.Text(row, column)); };
    groups.push_back({.fingerprint = text(0),
                      .entity = text(1),
                      .stage = text(2),
                      .error_code = text(3),
                      .error = text(4),
                      .pointer = text(5),
                      .letters = rows.Int(row, 6),
                      .guarded = rows.Int(row, 7),
                      .first_seen_at = text(8),
                      .last_seen_at = text(9),
                      .sample_id = text(10)});
  }
  return groups;
}

Result<std::int64_t> CountDeadLetters(pg::Connection& connection, std::string_view tenant_id,
                                      const DeadLetterFilter& filter, std::stop_token stop) {
  PCW_TRY_OK(CheckFilter(filter));
  PCW_TRY(const pg::Rows rows,
          connection.Exec({"dead_letters_count", kCount}, ParamsOf(tenant_id, filter), stop));
  return rows.Int(0, 0);
}

namespace {

Result<std::int64_t> Drop(pg::Connection& connection, std::string_view tenant_id,
                          const DeadLetterFilter& filter, std::string_view reason,
                          std::string_view actor, std::optional<std::int64_t> expected,
                          std::stop_token stop) {
  PCW_TRY(pg::Transaction transaction,
          pg::Transaction::Begin(connection, "drop dead letters", stop));
  std::vector<pg::Param> params = ParamsOf(tenant_id, filter);
  params.emplace_back(std::string(reason));
  params.emplace_back(std::string(actor));
  PCW_TRY(const pg::Rows rows, connection.Exec({"dead_letters_drop", kDrop}, params, stop));
  const std::int64_t dropped = rows.Int(0, 0);
  if (expected && dropped != *expected) {
    return Error(ErrorCode::kConflict,
                 fmt::format("{} dead letters match, {} were expected: nothing is dropped", dropped,
                             *expected));
  }
  PCW_TRY_OK(transaction.Commit());
  return dropped;
}

}  // namespace

Result<std::int64_t> DropDeadLetters(pg::Connection& connection, std::string_view tenant_id,
                                     const DeadLetterFilter& filter, std::string_view reason,
                                     std::string_view actor, std::optional<std::int64_t> expected,
                                     std::stop_token stop) {
  PCW_TRY_OK(CheckSelection(filter, Meant::kFilter));
  return Drop(connection, tenant_id, filter, reason, actor, expected, std::move(stop));
}

Result<std::int64_t> DropAllDeadLetters(pg::Connection& connection, std::string_view tenant_id,
                                        std::string_view reason, std::string_view actor,
                                        std::optional<std::int64_t> expected,
                                        std::stop_token stop) {
  return Drop(connection, tenant_id, {}, reason, actor, expected, std::move(stop));
}

Status PatchDeadLetter(pg::Connection& connection, const DeadLetter& letter,
                       std::string_view patch_json, std::string_view actor, std::stop_token stop) {
  if (StorableJson(patch_json) != patch_json)
    return Error(ErrorCode::kInvalidRequest,
                 "the patch holds a text that PostgreSQL does not take: U+0000, half of a "
                 "surrogate pair, or bytes that are not UTF-8; leave it out");
  const bool has_something = !letter.bronze_key.empty() || !letter.original.empty();
  if (!has_something || letter.state != "open") {
    return Error(
        ErrorCode::kInvalidRequest,
        fmt::format("dead letter {} has no record in bronze and no message that a patch could "
                    "apply to, or is not open",
                    letter.id));
  }
  PCW_TRY_OK(connection.Exec(
      {"dead_letter_patch",
       "WITH patched AS (UPDATE dead_letters SET patch = $3::jsonb, failed_replays = 0 WHERE "
       "tenant_id = $1::uuid AND id = $2::uuid RETURNING tenant_id, id) INSERT INTO "
       "dead_letter_events (tenant_id, letter_id, event, actor, detail) SELECT tenant_id, id, "
       "'patched', $4, jsonb_build_object('patch', $3::jsonb) FROM patched"},
      {letter.tenant_id, letter.id, std::string(patch_json), std::string(actor)}, stop));
  return Ok{};
}

Result<std::vector<DeadLetterEvent>> LoadDeadLetterEvents(pg::Connection& connection,
                                                          std::string_view tenant_id,
                                                          std::string_view letter_id,
                                                          std::stop_token stop) {
  PCW_TRY(
      const pg::Rows rows,
      connection.Exec({"dead_letter_events",
                       "SELECT " PCW_DLQ_TIME(
                           "at") ", event, actor, detail FROM "
                                 "dead_letter_events WHERE tenant_id = $1::uuid AND letter_id = "
                                 "$2::uuid ORDER BY id LIMIT 200"},
                      {std::string(tenant_id), std::string(letter_id)}, stop));
  std::vector<DeadLetterEvent> events;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    events.push_back({std::string(rows.Text(row, 0)), std::string(rows.Text(row, 1)),
                      std::string(rows.Text(row, 2)), std::string(rows.Text(row, 3))});
  }
  return events;
}

}  // namespace pcw::dlq
