#include "pcw/sync/reingest_batch.h"

#include <algorithm>
#include <utility>

#include "pcw/lake/selection.h"

namespace pcw::sync {

std::string_view BytesArena::Keep(std::string_view bytes) {
  constexpr std::size_t kChunk = 1U << 20U;
  if (bytes.empty()) return {};
  if (chunks_.empty() || chunks_.back().capacity() - chunks_.back().size() < bytes.size())
    chunks_.emplace_back().reserve(std::max(kChunk, bytes.size()));
  std::string& chunk = chunks_.back();
  const std::size_t at = chunk.size();
  chunk += bytes;  // within its capacity: nothing moves
  bytes_ += bytes.size();
  return std::string_view(chunk).substr(at, bytes.size());
}

bool ReingestBatch::IsOf(std::string_view id, const connector::EntityDef& def,
                         const connector::Mapping& mapping, const connector::Row& row) {
  for (std::size_t i = 0; i < mapping.columns.size(); ++i) {
    if (mapping.columns[i].column == def.id_column)
      return std::get<std::string>(row.values[i]) == id;
  }
  return false;
}

void ReingestBatch::Add(const std::string& key, const lake::ScannedLine& line, connector::Row row,
                        const connector::SourceDef& source) {
  if (batch_.keys.empty() || batch_.keys.back() != key) batch_.keys.push_back(key);
  batch_.records.push_back({std::string(line.id), batch_.keys.size() - 1, line.line});
  mapped_.push_back({.id = std::string(line.id),
                     .row = std::move(row),
                     .rank = source.rank,
                     .is_sparse = connector::IsSparse(source, line.operation),
                     .payload = arena_.Keep(line.payload),
                     .payload_sha256 = line.sha256,
                     .companion = arena_.Keep(line.companion),
                     .companion_sha256 = line.companion_sha256,
                     .bronze_key = {},
                     .bronze_line = line.line,
                     .fetched_run = {}});
}

Result<LoadBatch> ReingestBatch::Encode(const BulkTable& table) {
  for (std::size_t i = 0; i < mapped_.size(); ++i) {
    const std::string& key = batch_.keys[batch_.records[i].key];
    mapped_[i].bronze_key = key;
    mapped_[i].fetched_run = lake::SplitKey(key)->run_id;
  }
  PCW_TRY(batch_.rounds, table.Encode(mapped_));
  mapped_.clear();
  arena_ = {};
  return std::exchange(batch_, {});
}

}  // namespace pcw::sync
