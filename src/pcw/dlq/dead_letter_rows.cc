#include "pcw/dlq/dead_letter_rows.h"

#include <set>
#include <string_view>
#include <tuple>
#include <utility>

#include <nlohmann/json.hpp>

#include "pcw/base/storable_text.h"
#include "pcw/dlq/record_key.h"

namespace pcw::dlq {

std::vector<std::span<const DeadLetter>> StatementsOf(std::span<const DeadLetter> letters,
                                                      std::size_t most) {
  std::vector<std::span<const DeadLetter>> statements;
  std::set<std::tuple<std::string_view, std::string_view, std::string_view, Stage>> records;
  std::size_t begin = 0;
  for (std::size_t at = 0; at < letters.size(); ++at) {
    const DeadLetter& letter = letters[at];
    const std::tuple record{std::string_view(letter.entity), std::string_view(letter.catalog),
                            std::string_view(letter.record_key), letter.stage};
    if (at - begin >= most || records.contains(record)) {
      statements.push_back(letters.subspan(begin, at - begin));
      records.clear();
      begin = at;
    }
    records.insert(record);
  }
  if (begin < letters.size()) statements.push_back(letters.subspan(begin));
  return statements;
}

Json RowOf(const DeadLetter& letter, std::string id) {
  const bool is_in_bronze = !letter.bronze_key.empty();
  Json row{{"tenant_id", letter.tenant_id},
           {"id", std::move(id)},
           {"connector_id", letter.connector_id},
           {"entity", letter.entity},
           {"catalog", letter.catalog},
           {"record_key", RecordKeyOf(letter.record_key)},
           {"stage", NameOf(letter.stage)},
           {"error_code", letter.error_code},
           {"error", StorableText(letter.error, kMostErrorBytes, LineBreaks::kKeep)},
           {"error_context", StorableJson(letter.error_context_json)},
           {"attempts", letter.attempts},
           {"failed_replays", letter.is_replay ? 1 : 0}};
  if (!letter.run_id.empty()) row["run_id"] = letter.run_id;
  if (is_in_bronze) row["bronze_key"] = letter.bronze_key;
  if (is_in_bronze) row["bronze_line"] = letter.bronze_line;
  if (letter.mapping_version != 0) row["mapping_version"] = letter.mapping_version;
  if (!letter.original.empty())
    row["original"] = StorableText(letter.original, kUnlimited, LineBreaks::kKeep);
  return row;
}

}  // namespace pcw::dlq
