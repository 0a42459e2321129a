#include "pcw/dlq/replay_letters.h"

#include <nlohmann/json.hpp>

#include "pcw/base/json.h"
#include "pcw/base/storable_text.h"

namespace pcw::dlq {
namespace {

// Keys and ids as one parameter.
std::string JsonArrayOf(const std::vector<std::string>& texts) { return DumpJson(Json(texts)); }

std::string StorableMessage(const Error& error) {
  return StorableText(error.message(), kMostErrorBytes, LineBreaks::kKeep);
}

std::vector<LetterInBronze> LettersIn(const pg::Rows& rows) {
  std::vector<LetterInBronze> letters;
  letters.reserve(rows.size());
  for (std::size_t row = 0; row < rows.size(); ++row) {
    letters.push_back({.id = std::string(rows.Text(row, 0)),
                       .record_key = std::string(rows.Text(row, 1)),
                       .bronze_key = std::string(rows.Text(row, 2)),
                       .bronze_line = static_cast<int>(rows.Int(row, 3))});
  }
  return letters;
}

}  // namespace

Result<std::vector<std::string>> RecordKeysInBronze(pg::Connection& connection,
                                                    std::int64_t connector_id,
                                                    std::string_view entity, std::stop_token stop) {
  PCW_TRY(const pg::Rows rows,
          connection.Exec({"letters_keys_in_bronze",
                           "SELECT record_key FROM dead_letters WHERE tenant_id = pcw_tenant() AND "
                           "connector_id = $1::bigint AND entity = $2 AND state = 'open' AND "
                           "bronze_key IS NOT NULL"},
                          {std::to_string(connector_id), std::string(entity)}, stop));
  std::vector<std::string> keys;
  keys.reserve(rows.size());
  for (std::size_t row = 0; row < rows.size(); ++row) keys.emplace_back(rows.Text(row, 0));
  return keys;
}

Result<std::vector<LetterInBronze>> LettersToMap(pg::Connection& connection,
                                                 std::int64_t connector_id, std::string_view entity,
                                                 std::stop_token stop) {
  PCW_TRY(const pg::Rows rows,
          connection.Exec({"letters_to_map",
                           "SELECT id, record_key, bronze_key, coalesce(bronze_line, 0) FROM "
                           "dead_letters WHERE tenant_id = pcw_tenant() AND connector_id = "
                           "$1::bigint AND entity = $2 AND state = 'open' AND stage = 'map' AND "
                           "bronze_key IS NOT NULL"},
                          {std::to_string(connector_id), std::string(entity)}, stop));
  return LettersIn(rows);
}

Result<std::vector<LetterInBronze>> LettersOfRecords(
    pg::Connection& connection, std::int64_t connector_id, std::string_view entity,
    std::string_view catalog, const std::vector<std::string>& record_keys, std::stop_token stop) {
  PCW_TRY(
      const pg::Rows rows,
      connection.Exec(
          {"letters_of_records",
           "SELECT id, record_key, bronze_key, coalesce(bronze_line, 0) FROM dead_letters "
           "WHERE tenant_id = pcw_tenant() AND connector_id = $1::bigint AND entity = $2 AND "
           "catalog = $3 AND state = 'open' AND stage IN ('map', 'fetch') AND bronze_key IS "
           "NOT NULL AND record_key = ANY (ARRAY(SELECT jsonb_array_elements_text($4::jsonb)))"},
          {std::to_string(connector_id), std::string(entity), std::string(catalog),
           JsonArrayOf(record_keys)},
          stop));
  return LettersIn(rows);
}

Result<std::vector<StoredPatch>> LoadPatches(pg::Connection& connection, std::int64_t connector_id,
                                             std::string_view entity, std::stop_token stop) {
  PCW_TRY(const pg::Rows rows,
          connection.Exec({"letters_patches",
                           "SELECT bronze_key, bronze_line, patch FROM dead_letters WHERE "
                           "tenant_id = pcw_tenant() AND connector_id = $1::bigint AND entity = $2 "
                           "AND patch IS NOT NULL AND bronze_key IS NOT NULL AND state <> "
                           "'dropped' ORDER BY last_seen_at"},
                          {std::to_string(connector_id), std::string(entity)}, stop));
  std::vector<StoredPatch> patches;
  patches.reserve(rows.size());
  for (std::size_t row = 0; row < rows.size(); ++row) {
    patches.push_back({.bronze_key = std::string(rows.Text(row, 0)),
                       .bronze_line = static_cast<int>(rows.Int(row, 1)),
                       .patch_json = std::string(rows.Text(row, 2))});
  }
  return patches;
}

Result<LetterMessage> LoadLetterMessage(pg::Connection& connection, std::string_view letter_id,
                                        std::stop_token stop) {
  PCW_TRY(const pg::Rows rows,
          connection.Exec({"event_letter",
                           "SELECT coalesce(original, ''), coalesce(patch::text, '') FROM "
                           "dead_letters WHERE tenant_id = pcw_tenant() AND id = $1::uuid"},
                          {std::string(letter_id)}, stop));
  if (rows.empty()) return Error(ErrorCode::kNotFound, "the dead letter is gone");
  return LetterMessage{.body = std::string(rows.Text(0, 0)),
                       .patch_json = std::string(rows.Text(0, 1))};
}

Status SettleLetters(pg::Connection& connection, const std::vector<std::string>& ids,
                     std::stop_token stop) {
  PCW_TRY_OK(connection.Exec(
      {"letters_settle",
       "UPDATE dead_letters SET state = 'settled', settled_at = now() WHERE tenant_id = "
       "pcw_tenant() AND id = ANY (ARRAY(SELECT jsonb_array_elements_text($1::jsonb)::uuid)) AND "
       "state = 'open'"},
      {JsonArrayOf(ids)}, stop));
  return Ok{};
}

Status NoteMessageFailedAgain(pg::Connection& connection, std::string_view letter_id,
                              const Error& error, std::stop_token stop) {
  PCW_TRY_OK(connection.Exec(
      {"event_replay_failed",
       "UPDATE dead_letters SET failed_replays = CASE WHEN error_code = $2 AND error = $3 THEN "
       "failed_replays + 1 ELSE 1 END, attempts = attempts + 1, last_seen_at = now(), error_code = "
       "$2, error = $3, mapping_version = 0 WHERE tenant_id = pcw_tenant() AND id = $1::uuid AND "
       "state = 'open'"},
      {std::string(letter_id), std::string(pcw::NameOf(error.code())), StorableMessage(error)},
      stop));
  return Ok{};
}

Status NoteFetchFailedAgain(pg::Connection& connection, std::string_view letter_id,
                            const Error& error, std::stop_token stop) {
  PCW_TRY_OK(connection.Exec(
      {"refetch_failed",
       "UPDATE dead_letters SET failed_replays = CASE WHEN error_code = $2 THEN failed_replays + 1 "
       "ELSE 1 END, attempts = attempts + 1, last_seen_at = now(), replay_failed = true, "
       "error_code = $2, error = $3 WHERE tenant_id = pcw_tenant() AND id = $1::uuid AND state = "
       "'open'"},
      {std::string(letter_id), std::string(pcw::NameOf(error.code())), StorableMessage(error)},
      stop));
  return Ok{};
}

Status NoteRefetched(pg::Connection& connection, std::string_view bronze_key,
                     const std::vector<std::pair<std::string, int>>& lines, std::string_view actor,
                     std::stop_token stop) {
  Json found = Json::array();
  for (const auto& [id, line] : lines) found.push_back({{"id", id}, {"line", line}});
  PCW_TRY_OK(connection.Exec(
      {"refetched",
       "WITH found AS (UPDATE dead_letters AS d SET bronze_key = $2, bronze_line = f.line FROM "
       "jsonb_to_recordset($1::jsonb) AS f (id uuid, line integer) WHERE d.tenant_id = "
       "pcw_tenant() AND d.id = f.id AND d.state = 'open' RETURNING d.tenant_id, d.id) INSERT INTO "
       "dead_letter_events (tenant_id, letter_id, event, actor, detail) SELECT tenant_id, id, "
       "'refetched', $3, jsonb_build_object('bronze_key', $2::text) FROM found"},
      {DumpJson(found), std::string(bronze_key), std::string(actor)}, stop));
  return Ok{};
}

}  // namespace pcw::dlq
