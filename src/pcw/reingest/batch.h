// Records of one loader, gathered and then encoded.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "pcw/connector/entity_def.h"
#include "pcw/connector/mapping.h"
#include "pcw/lake/part_reader.h"
#include "pcw/reingest/loader.h"
#include "pcw/tables/bulk_table.h"

namespace pcw::reingest {

/// Gathers mapped records. Payloads and names of versions stay where they are: the objects that the
/// lines come from must live until Encode. Not thread-safe.
class ReingestBatch {
 public:
  explicit ReingestBatch(const connector::Mapping& mapping)
      : version_column_(tables::PlaceOf(mapping, "source_version")) {}

  /// The row's id column is `id`.
  static bool IsOf(std::string_view id, const connector::EntityDef& def,
                   const connector::Mapping& mapping, const connector::Row& row);

  void Add(const std::string& key, const lake::ScannedLine& line, connector::Row row,
           const connector::SourceDef& source);
  void Add(dlq::DeadLetter letter) { batch_.letters.push_back(std::move(letter)); }

  bool is_empty() const { return mapped_.empty() && batch_.letters.empty(); }
  /// So many records are gathered, or as many bytes as a batch should have.
  bool is_due(std::size_t records) const {
    return mapped_.size() + batch_.letters.size() >= records || payload_bytes_ >= kDueBytes;
  }

  /// The batch, ready to be loaded; this object is empty afterwards. `spare`: a buffer to write to.
  Result<LoadBatch> Encode(const tables::BulkTable& table, std::string spare);

 private:
  static constexpr std::size_t kDueBytes = 6U << 20U;
  std::size_t version_column_;
  std::size_t payload_bytes_ = 0;
  std::vector<tables::MappedRecord> mapped_;
  LoadBatch batch_;
};

}  // namespace pcw::reingest
