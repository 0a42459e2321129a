#include "pcw/tables/version_rounds.h"

#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>

namespace pcw::tables {
namespace {

std::string_view TextAt(const MappedRecord& record, std::size_t column) {
  const auto* text = std::get_if<std::string>(&record.row.values[column]);
  return text != nullptr ? std::string_view(*text) : std::string_view();
}

// As the merge has it: `a` changes nothing where `b` is held.
bool SaysNothingNew(const MappedRecord& a, const MappedRecord& b, std::size_t version_column) {
  return (a.listed_version.empty() || a.listed_version == b.listed_version) && !a.accepts_older &&
         TextAt(a, version_column) == TextAt(b, version_column) &&
         a.payload_sha256 == b.payload_sha256 && a.companion_sha256 == b.companion_sha256;
}

// Where a record's latest version stands.
struct Place {
  std::size_t round;
  std::size_t index;
};

}  // namespace

std::vector<std::vector<const MappedRecord*>> RoundsOf(std::span<const MappedRecord> records,
                                                       std::size_t modified_column,
                                                       std::size_t version_column,
                                                       VersionClock clock) {
  std::vector<std::vector<const MappedRecord*>> rounds(1);
  rounds.front().reserve(records.size());
  std::unordered_map<std::string_view, Place> latest;
  latest.reserve(records.size());
  for (const MappedRecord& record : records) {
    const auto [place, is_first] = latest.try_emplace(record.id, Place{0, rounds.front().size()});
    if (is_first) {
      rounds.front().push_back(&record);
      continue;
    }
    const MappedRecord*& before = rounds[place->second.round][place->second.index];
    const auto modified = [&](const MappedRecord& r) {
      return std::get<WallTime>(r.row.values[modified_column]);
    };
    const bool is_lower = record.rank < before->rank;
    // An older record still tells what a sparse one does not.
    const bool is_outdone =
        modified(record) < modified(*before) && !before->is_sparse && !record.accepts_older;
    const bool is_stale = record.rank == before->rank &&
                          (is_outdone || SaysNothingNew(record, *before, version_column));
    if (is_lower || is_stale) continue;
    const bool tells_all = !record.is_sparse && record.row.left_alone.empty();
    // An accepted older version is a decision: what follows it does not swallow it.
    if (clock == VersionClock::kSource && tells_all && !before->is_sparse &&
        !before->accepts_older) {
      before = &record;
      continue;
    }
    const std::size_t round = place->second.round + 1;
    if (round == rounds.size()) rounds.emplace_back();
    place->second = {round, rounds[round].size()};
    rounds[round].push_back(&record);
  }
  return rounds;
}

}  // namespace pcw::tables
