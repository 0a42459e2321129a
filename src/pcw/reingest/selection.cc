#include "pcw/reingest/selection.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "pcw/base/storable_text.h"
#include "pcw/base/time.h"
#include "pcw/dlq/replay_letters.h"

namespace pcw::reingest {
namespace {

Status AddNullRows(pg::Connection& connection, const connector::EntityDef& def,
                   const std::string& column, std::vector<std::uint64_t>& hashes,
                   std::stop_token stop) {
  PCW_TRY(const pg::Rows known,
          connection.Exec({"reingest_column",
                           "SELECT quote_ident(attname) FROM pg_attribute WHERE attrelid = "
                           "$1::regclass AND attnum > 0 AND NOT attisdropped AND attname = $2"},
                          {std::string(def.table), column}, stop));
  if (known.empty()) {
    return Error(ErrorCode::kInvalidRequest,
                 fmt::format("{} has no column \"{}\"", def.table, CutAtCharacter(column, 64)));
  }
  // The name comes quoted from the server itself.
  const std::string sql = fmt::format(
      "SELECT {0} FROM {1} WHERE tenant_id = pcw_tenant() AND {2} IS NULL AND {0} > $1 ORDER BY "
      "{0} LIMIT 10000",
      def.id_column, def.table, known.Text(0, 0));
  std::string last;
  for (;;) {
    PCW_TRY(const pg::Rows rows, connection.Exec({"reingest_null", sql}, {last}, stop));
    for (std::size_t row = 0; row < rows.size(); ++row)
      hashes.push_back(HashOfId(rows.Text(row, 0)));
    if (rows.size() < 10'000) return Ok{};
    last = rows.Text(rows.size() - 1, 0);
  }
}

Status AddLetters(pg::Connection& connection, const connector::EntityDef& def,
                  std::int64_t connector_id, ResolvedSelection& resolved,
                  std::vector<std::uint64_t>& hashes, std::stop_token stop) {
  PCW_TRY(const auto letters, dlq::LettersToMap(connection, connector_id, def.name, stop));
  for (const dlq::LetterInBronze& letter : letters) {
    hashes.push_back(HashOfId(letter.record_key));
    resolved.objects.keys.emplace(letter.bronze_key);
  }
  // Without dead letters no object is read, not every one.
  if (letters.empty()) resolved.objects.keys.emplace("none");
  return Ok{};
}

// When the run began that first found it.
Result<WallTime> FirstSeen(pg::Connection& connection, const connector::EntityDef& def,
                           std::int64_t connector_id, const std::string& finding,
                           std::stop_token stop) {
  PCW_TRY(const pg::Rows rows,
          connection.Exec(
              {"reingest_finding",
               "SELECT (extract(epoch FROM min(least(d.first_seen_at, r.started_at))) * "
               "1000000)::bigint FROM schema_drift d LEFT JOIN ingestion_runs r ON r.tenant_id = "
               "d.tenant_id AND r.id = d.first_seen_run WHERE d.tenant_id = pcw_tenant() AND "
               "d.connector_id = $1::bigint AND d.entity = $2 AND (d.column_name = $3 OR d.pointer "
               "= $3 OR to_jsonb(d) ->> 'id' LIKE $4 || '%')"},
              {std::to_string(connector_id), std::string(def.name), finding,
               // Of an id, its first characters are enough; of a name, all of it counts.
               finding.size() >= 8 && finding.find_first_of("%_\\") == std::string::npos
                   ? finding
                   : std::string("-")},
              stop));
  if (rows.empty() || !rows.At(0, 0)) {
    return Error(ErrorCode::kNotFound, fmt::format("there is no finding \"{}\" about {}",
                                                   CutAtCharacter(finding, 64), def.name));
  }
  return WallTime(std::chrono::microseconds(rows.Int(0, 0)));
}

}  // namespace

OrderedJson ToJson(const ReingestSelection& selection) {
  OrderedJson json = OrderedJson::object();
  if (selection.since) json["since"] = FormatRfc3339(*selection.since);
  if (selection.until) json["until"] = FormatRfc3339(*selection.until);
  if (!selection.run.empty()) json["run"] = selection.run;
  if (!selection.ids.empty()) json["ids"] = selection.ids;
  if (!selection.null_column.empty()) json["null"] = selection.null_column;
  if (selection.letters) json["letters"] = true;
  if (!selection.finding.empty()) json["finding"] = selection.finding;
  return json;
}

Result<ReingestSelection> ParseSelection(const Json& json) {
  ReingestSelection selection;
  try {
    if (json.contains("since")) {
      PCW_TRY(selection.since, ParseRfc3339(json.at("since").get<std::string>()));
    }
    if (json.contains("until")) {
      PCW_TRY(selection.until, ParseRfc3339(json.at("until").get<std::string>()));
    }
    selection.run = json.value("run", "");
    if (json.contains("ids")) selection.ids = json.at("ids").get<std::vector<std::string>>();
    selection.null_column = json.value("null", "");
    selection.letters = json.value("letters", false);
    selection.finding = json.value("finding", "");
  } catch (const Json::exception& problem) {
    return Error(ErrorCode::kConfig,
                 std::string("the run's stored selection cannot be read: ") + problem.what());
  }
  return selection;
}

bool RecordFilter::Takes(const lake::ScannedLine& line) const {
  if (is_by_id && !std::binary_search(id_hashes.begin(), id_hashes.end(), HashOfId(line.id)))
    return false;
  if (!since && !until) return true;
  const Result<WallTime> fetched = ParseRfc3339(line.fetched_at);
  // A line that does not say when it was fetched is taken: nothing is left out by accident.
  if (!fetched) return true;
  return (!since || *fetched >= *since) && (!until || *fetched < *until);
}

void RecordFilter::NarrowTo(std::vector<std::uint64_t> hashes) {
  std::sort(hashes.begin(), hashes.end());
  if (is_by_id) {
    std::vector<std::uint64_t> both;
    std::set_intersection(id_hashes.begin(), id_hashes.end(), hashes.begin(), hashes.end(),
                          std::back_inserter(both));
    hashes = std::move(both);
  }
  id_hashes = std::move(hashes);
  is_by_id = true;
}

std::uint64_t HashOfId(std::string_view id) { return std::hash<std::string_view>{}(id); }

std::string UntilDay(WallTime until) {
  // A run begins no later than it fetches.
  std::string day = FormatRfc3339(until).substr(0, 10);
  std::replace(day.begin(), day.end(), '-', '/');
  return day;
}

Status CheckRunStart(std::string_view run) {
  const bool is_id =
      run.size() >= 8 && run.find_first_not_of("0123456789abcdef-") == std::string_view::npos;
  if (is_id) return Ok{};
  return Error(ErrorCode::kInvalidRequest,
               fmt::format("\"{}\" is not a run id; give the id that `pcw runs list` shows, or "
                           "its first 8 or more characters",
                           CutAtCharacter(run, 64)));
}

Result<ResolvedSelection> Resolve(pg::Connection& connection, const connector::EntityDef& def,
                                  std::int64_t connector_id, const ReingestSelection& selection,
                                  std::stop_token stop) {
  ResolvedSelection resolved;
  RecordFilter& records = resolved.records;
  records.since = selection.since;
  records.until = selection.until;
  if (!selection.run.empty()) {
    PCW_TRY_OK(CheckRunStart(selection.run));
    resolved.objects.run = selection.run;
  }
  if (!selection.finding.empty()) {
    PCW_TRY(const WallTime first,
            FirstSeen(connection, def, connector_id, selection.finding, stop));
    records.since = std::max(records.since.value_or(first), first);
  }
  std::vector<std::uint64_t> hashes;
  if (!selection.ids.empty()) {
    for (const std::string& id : selection.ids) hashes.push_back(HashOfId(id));
    records.NarrowTo(std::exchange(hashes, {}));
  }
  if (!selection.null_column.empty()) {
    PCW_TRY_OK(AddNullRows(connection, def, selection.null_column, hashes, stop));
    records.NarrowTo(std::exchange(hashes, {}));
  }
  if (selection.letters) {
    PCW_TRY_OK(AddLetters(connection, def, connector_id, resolved, hashes, stop));
    records.NarrowTo(std::exchange(hashes, {}));
  }
  resolved.objects.since = records.since;
  if (records.until) resolved.objects.until_day = UntilDay(*records.until);
  return resolved;
}

}  // namespace pcw::reingest
