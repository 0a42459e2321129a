#include "pcw/reingest/batch.h"

#include <utility>

#include "pcw/lake/selection.h"

namespace pcw::reingest {

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
  const std::string_view listed = tables::ListedName(
      line.version, std::get<std::string>(row.values[version_column_]), line.served_at);
  mapped_.push_back({.id = std::string(line.id),
                     .row = std::move(row),
                     .rank = source.rank,
                     .is_sparse = connector::IsSparse(source, line.operation),
                     .payload = line.payload,
                     .payload_sha256 = line.sha256,
                     .companion = line.companion,
                     .companion_sha256 = line.companion_sha256,
                     .bronze_key = {},
                     .bronze_line = line.line,
                     .listed_version = listed,
                     .accepts_older = line.accepts_older,
                     .fetched_run = {}});
  payload_bytes_ += line.payload.size() + line.companion.size();
}

Result<LoadBatch> ReingestBatch::Encode(const tables::BulkTable& table, std::string spare) {
  for (std::size_t i = 0; i < mapped_.size(); ++i) {
    const std::string& key = batch_.keys[batch_.records[i].key];
    mapped_[i].bronze_key = key;
    mapped_[i].fetched_run = lake::SplitKey(key)->run_id;
  }
  PCW_TRY(batch_.rounds, table.Encode(mapped_, std::move(spare)));
  mapped_.clear();
  payload_bytes_ = 0;
  return std::exchange(batch_, {});
}

}  // namespace pcw::reingest
