#include "pcw/dlq/dead_letter.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "pcw/base/clock.h"
#include "pcw/base/json.h"
#include "pcw/base/rng.h"
#include "pcw/base/uuid.h"

namespace pcw::dlq {
namespace {

constexpr std::string_view kSelect = R"sql(
  SELECT d.id, d.run_id, d.connector_id, c.kind, d.entity, d.catalog, d.record_key, d.stage, d.error_code, d.error, d.error_context, d.bronze_key,
         d.bronze_line, d.attempts, to_char(d.first_seen_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
         to_char(d.last_seen_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), d.state
  FROM dead_letters d JOIN connectors c ON c.tenant_id = d.tenant_id AND c.id = d.connector_id
  WHERE d.tenant_id = $1::uuid AND ($2 = '' OR d.entity = $2) AND ($3 = '' OR d.state = $3) AND ($4 = '' OR d.run_id::text LIKE $4 || '%')
    AND ($5 = '' OR d.id::text LIKE $5 || '%')
  ORDER BY d.last_seen_at DESC, d.id DESC LIMIT $6::integer)sql";

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
  letter.stage = text(7) == "map" ? Stage::kMap : Stage::kFetch;
  letter.error_code = text(8);
  letter.error = text(9);
  letter.error_context_json = text(10);
  letter.bronze_key = text(11);
  letter.bronze_line = static_cast<int>(rows.Int(row, 12));
  letter.attempts = static_cast<int>(rows.Int(row, 13));
  letter.first_seen_at = text(14);
  letter.last_seen_at = text(15);
  letter.state = text(16);
  return letter;
}

std::string ArrayOf(const std::vector<std::string>& items) {
  // JSON is an array literal that needs no escaping rules of its own: the server unpacks it.
  return DumpJson(Json(items));
}

}  // namespace

std::string_view NameOf(Stage stage) { return stage == Stage::kMap ? "map" : "fetch"; }

DeadLetter MakeDeadLetter(const Error& error, Stage stage, std::string record_key) {
  DeadLetter letter;
  letter.record_key = std::move(record_key);
  letter.stage = stage;
  letter.error_code = pcw::NameOf(error.code());
  letter.error = error.message();
  OrderedJson context = OrderedJson::object();
  for (const auto& [key, value] : error.context()) context[key] = value;
  letter.error_context_json = DumpJson(context);
  if (const auto attempts = error.Find("attempts"))
    letter.attempts = std::max(1, std::atoi(std::string(*attempts).c_str()));
  return letter;
}

Status PutDeadLetters(pg::Connection& connection, const std::vector<DeadLetter>& letters,
                      std::stop_token stop) {
  SystemClock clock;
  SystemRng rng;
  for (const DeadLetter& letter : letters) {
    const bool is_in_bronze = !letter.bronze_key.empty();
    PCW_TRY_OK(connection.Exec(
        {"dead_letter_put",
         "INSERT INTO dead_letters AS d (tenant_id, id, run_id, connector_id, entity, catalog, "
         "record_key, stage, error_code, error, error_context, bronze_key, "
         "bronze_line, attempts) VALUES ($1::uuid, $2::uuid, $3::uuid, $4::bigint, $5, $6, $7, $8, "
         "$9, $10, $11::jsonb, $12, $13::integer, $14::integer) ON CONFLICT "
         "(tenant_id, connector_id, entity, catalog, record_key, stage) WHERE state = 'open' DO "
         "UPDATE SET run_id = excluded.run_id, error_code = "
         "excluded.error_code, error = excluded.error, error_context = excluded.error_context, "
         "bronze_key = excluded.bronze_key, bronze_line = "
         "excluded.bronze_line, attempts = d.attempts + excluded.attempts, last_seen_at = now()"},
        {letter.tenant_id, letter.id.empty() ? MakeUuidV7(clock.Now(), rng) : letter.id,
         letter.run_id, std::to_string(letter.connector_id), letter.entity, letter.catalog,
         letter.record_key, std::string(NameOf(letter.stage)), letter.error_code, letter.error,
         letter.error_context_json, is_in_bronze ? pg::Param(letter.bronze_key) : std::nullopt,
         is_in_bronze ? pg::Param(std::to_string(letter.bronze_line)) : std::nullopt,
         std::to_string(letter.attempts)},
        stop));
  }
  return Ok{};
}

Result<std::int64_t> SettleDeadLetters(pg::Connection& connection, std::string_view tenant_id,
                                       std::int64_t connector_id, std::string_view entity,
                                       std::string_view catalog,
                                       const std::vector<std::string>& record_keys,
                                       std::stop_token stop) {
  PCW_TRY(const pg::Rows rows,
          connection.Exec({"dead_letters_settle",
                           "UPDATE dead_letters SET state = 'settled', settled_at = now() WHERE "
                           "tenant_id = $1::uuid AND connector_id = $2::bigint AND entity = $3 AND "
                           "catalog = $4 AND state = 'open' AND record_key IN (SELECT "
                           "jsonb_array_elements_text($5::jsonb))"},
                          {std::string(tenant_id), std::to_string(connector_id),
                           std::string(entity), std::string(catalog), ArrayOf(record_keys)},
                          stop));
  return rows.affected();
}

Result<std::vector<DeadLetter>> LoadDeadLetters(pg::Connection& connection,
                                                std::string_view tenant_id,
                                                const DeadLetterFilter& filter,
                                                std::stop_token stop) {
  PCW_TRY(const pg::Rows rows,
          connection.Exec({"dead_letters_load", kSelect},
                          {std::string(tenant_id), filter.entity, filter.state, filter.run_id,
                           std::string(), std::to_string(filter.limit)},
                          stop));
  std::vector<DeadLetter> letters;
  for (std::size_t row = 0; row < rows.size(); ++row)
    letters.push_back(ReadLetter(rows, row, tenant_id));
  return letters;
}

Result<DeadLetter> LoadDeadLetter(pg::Connection& connection, std::string_view tenant_id,
                                  std::string_view id, std::stop_token stop) {
  if (id.size() < 8 || id.find_first_not_of("0123456789abcdef-") != std::string_view::npos) {
    return Error(ErrorCode::kInvalidRequest,
                 fmt::format("\"{}\" is not a dead letter id; give the id that `pcw dlq list` "
                             "shows, or its first 8 or more characters",
                             id.substr(0, 64)));
  }
  PCW_TRY(const pg::Rows rows, connection.Exec({"dead_letters_load", kSelect},
                                               {std::string(tenant_id), std::string(),
                                                std::string(), std::string(), std::string(id), "2"},
                                               stop));
  if (rows.empty())
    return Error(
        ErrorCode::kNotFound,
        fmt::format("there is no dead letter {}; `pcw dlq list --state all` shows them", id));
  if (rows.size() > 1)
    return Error(ErrorCode::kInvalidRequest,
                 fmt::format("more than one dead letter begins with {}; give more of the id", id));
  return ReadLetter(rows, 0, tenant_id);
}

}  // namespace pcw::dlq
