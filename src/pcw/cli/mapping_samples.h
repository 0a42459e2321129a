// The newest records of an entity in bronze, to try mappings on.
#pragma once

#include <string>
#include <vector>

#include "pcw/connector/entity_def.h"
#include "pcw/connector/mapping.h"
#include "pcw/lake/bronze_store.h"

namespace pcw::cli {

struct BronzeSample {
  std::string id, operation, version, served_at, payload, companion, companion_operation;
  std::string bronze_key;
  int bronze_line = 0;

  connector::RecordView view() const {
    return {.payload = payload,
            .companion = companion,
            .companion_operation = companion_operation,
            .id = id,
            .version = version,
            .served_at = served_at,
            .operation = operation};
  }
};

/// At most `count` records, of the newest runs first, each id once. An object that is damaged is an
/// error that names it.
Result<std::vector<BronzeSample>> NewestSamples(lake::BronzeStore& store,
                                                const connector::EntityDef& entity,
                                                std::size_t count, std::stop_token stop);

/// A value as people read it; "NULL" for none, JSON by its size alone.
std::string TextOf(const connector::Value& value, connector::ColumnType type);

/// What two mappings make of the same records differently.
struct MappingDifference {
  struct Example {
    std::string id, before, after;  ///< masked where either mapping says it is PII
  };
  std::string column;  ///< "(record)": lands with one mapping and not with the other
  std::int64_t records = 0;
  std::vector<Example> examples;  ///< at most three
};
std::vector<MappingDifference> CompareMappings(const connector::Mapping& before,
                                               const connector::Mapping& after,
                                               const std::vector<BronzeSample>& samples);

/// What a mapping makes of records.
struct MappingTrial {
  struct Column {
    std::string column;
    std::int64_t filled = 0, null = 0, misfit = 0;
  };
  struct Letter {
    std::string id, error, bronze_key;
    int bronze_line = 0;
  };
  std::vector<Column> columns;
  std::vector<Letter> letters;
};
MappingTrial TryMapping(const connector::Mapping& mapping,
                        const std::vector<BronzeSample>& samples);

}  // namespace pcw::cli
