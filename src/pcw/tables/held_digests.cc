#include "pcw/tables/held_digests.h"

#include <algorithm>
#include <charconv>

namespace pcw::tables {
namespace {

constexpr std::size_t kHexDigits = 16;  // of 64 bits
constexpr std::uint64_t kNoCompanion = 0x9e3779b97f4a7c15;

std::uint64_t Mixed(std::uint64_t payload, std::uint64_t companion, int rank) {
  // The companion is turned so that two equal digests do not cancel out.
  return payload ^ (companion << 23U | companion >> 41U) ^
         static_cast<std::uint64_t>(rank) * 0xc2b2ae3d27d4eb4f;
}

std::uint64_t LeadingBits(const Sha256Digest& digest) {
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < sizeof bits; ++i) bits = bits << 8U | digest[i];
  return bits;
}

// "\x0011223344556677", as PostgreSQL prints bytea.
std::uint64_t LeadingBits(std::string_view bytea) {
  std::uint64_t bits = 0;
  bytea.remove_prefix(std::min<std::size_t>(2, bytea.size()));
  bytea = bytea.substr(0, kHexDigits);
  std::from_chars(bytea.data(), bytea.data() + bytea.size(), bits, 16);
  return bits;
}

}  // namespace

Result<std::optional<HeldDigests>> HeldDigests::Load(pg::Database& database, const BulkTable& table,
                                                     std::string_view catalog, std::stop_token stop,
                                                     std::size_t most_rows) {
  using Loaded = std::optional<HeldDigests>;
  return database.Run<Loaded>(stop, [&](pg::Connection& connection) -> Result<Loaded> {
    Loaded held(std::in_place);
    bool is_within = true;
    PCW_TRY_OK(table.ReadContents(
        connection, catalog,
        [&](const pg::Rows& rows) {
          for (std::size_t row = 0; row < rows.size(); ++row) {
            held->Note(rows.Text(row, 0), rows.Text(row, 1), rows.At(row, 2),
                       static_cast<int>(rows.Int(row, 3)));
          }
          is_within = held->size() <= most_rows;
          return is_within;
        },
        stop));
    if (!is_within) held.reset();
    return held;
  });
}

void HeldDigests::Note(std::string_view id, std::string_view payload_sha256,
                       std::optional<std::string_view> companion_sha256, int rank) {
  const std::uint64_t companion = companion_sha256 ? LeadingBits(*companion_sha256) : kNoCompanion;
  rows_[HashOf(id)] = Mixed(LeadingBits(payload_sha256), companion, rank);
}

bool HeldDigests::Holds(std::uint64_t id_hash, const KnownVersion& version) const {
  const auto found = rows_.find(id_hash);
  if (found == rows_.end()) return false;
  const std::uint64_t companion =
      version.has_companion ? LeadingBits(version.companion_sha256) : kNoCompanion;
  return found->second == Mixed(LeadingBits(version.sha256), companion, version.rank);
}

}  // namespace pcw::tables
