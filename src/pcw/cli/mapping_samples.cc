#include "pcw/cli/mapping_samples.h"

#include <algorithm>
#include <cstdio>
#include <set>

#include <fmt/format.h>

#include "pcw/base/time.h"
#include "pcw/cli/output.h"
#include "pcw/lake/layout.h"
#include "pcw/lake/part_reader.h"
#include "pcw/lake/unreadable.h"

namespace pcw::cli {
namespace {

using connector::ColumnMapping;
using connector::Mapping;
using connector::Pii;
using connector::Row;
using connector::Value;

constexpr std::size_t kMostExamples = 3;
constexpr const char* kWholeRecord = "(record)";

// How a column of one record looks; absent if the mapping does not have it.
struct Cell {
  std::string text = "(no column)";
  bool is_pii = false;
};

Cell CellOf(const Mapping& mapping, const Row& row, std::string_view column) {
  for (std::size_t i = 0; i < mapping.columns.size(); ++i) {
    const ColumnMapping& candidate = mapping.columns[i];
    if (candidate.column == column)
      return {.text = TextOf(row.values[i], candidate.type), .is_pii = candidate.pii != Pii::kNone};
  }
  return {};
}

// Equal JSON of equal size must not pass for the same.
bool IsSame(const Mapping& a, const Row& row_a, const Mapping& b, const Row& row_b,
            std::string_view column) {
  const auto value = [&](const Mapping& mapping, const Row& row) -> const Value* {
    for (std::size_t i = 0; i < mapping.columns.size(); ++i) {
      if (mapping.columns[i].column == column) return &row.values[i];
    }
    return nullptr;
  };
  const auto type = [&](const Mapping& mapping) {
    const auto found = std::find_if(mapping.columns.begin(), mapping.columns.end(),
                                    [&](const ColumnMapping& c) { return c.column == column; });
    return found == mapping.columns.end() ? connector::ColumnType::kText : found->type;
  };
  const Value* before = value(a, row_a);
  const Value* after = value(b, row_b);
  if (before == nullptr || after == nullptr) {
    // A column that one of them lacks differs where the other has something.
    const Value* other = before == nullptr ? after : before;
    return other == nullptr || std::holds_alternative<std::monostate>(*other);
  }
  if (before->index() != after->index()) return false;
  if (const auto* text = std::get_if<std::string>(before))
    return *text == std::get<std::string>(*after);
  return TextOf(*before, type(a)) == TextOf(*after, type(b));
}

void Add(MappingDifference& difference, const std::string& id, std::string before,
         std::string after) {
  ++difference.records;
  if (difference.examples.size() < kMostExamples)
    difference.examples.push_back({id, std::move(before), std::move(after)});
}

std::string Outcome(const Result<Row>& row) {
  return row ? "a row" : "dead letter: " + row.error().message();
}

}  // namespace

Result<std::vector<BronzeSample>> NewestSamples(lake::BronzeStore& store,
                                                const connector::EntityDef& entity,
                                                std::size_t count, std::stop_token stop) {
  PCW_TRY(const std::vector<lake::ObjectInfo> objects,
          store.List(lake::EntityPrefix(entity.connector->lake_prefix, entity.name), stop));
  std::vector<BronzeSample> samples;
  std::set<std::string> ids;
  for (auto object = objects.rbegin(); object != objects.rend() && samples.size() < count;
       ++object) {
    if (object->key.ends_with("manifest.json")) continue;
    Result<std::string> text = store.Get(object->key, stop);
    if (!text && !lake::IsOfTheObject(text.error())) return std::move(text).error();
    if (!text) {
      std::fprintf(stderr, "pcw: warning: left out: %s: %s\n", ForTerminal(object->key).c_str(),
                   ForTerminal(lake::WhyUnreadable(text.error(), true)).c_str());
      continue;
    }
    Result<lake::ScannedPart> part = lake::ScanPart(*text, lake::LineDigests::kCheck);
    if (!part) return std::move(part).error().With("key", object->key);
    const auto& lines = part->lines;
    for (auto line = lines.rbegin(); line != lines.rend() && samples.size() < count; ++line) {
      if (!ids.insert(std::string(line->id)).second) continue;
      samples.push_back({.id = std::string(line->id),
                         .operation = std::string(line->operation),
                         .version = std::string(line->version),
                         .served_at = std::string(line->served_at),
                         .payload = std::string(line->payload),
                         .companion = std::string(line->companion),
                         .companion_operation = std::string(line->companion_operation),
                         .bronze_key = object->key,
                         .bronze_line = line->line});
    }
  }
  return samples;
}

std::string TextOf(const Value& value, connector::ColumnType type) {
  if (const auto* text = std::get_if<std::string>(&value)) {
    return type == connector::ColumnType::kJson ? fmt::format("(JSON, {} bytes)", text->size())
                                                : *text;
  }
  if (const auto* number = std::get_if<std::int64_t>(&value)) return std::to_string(*number);
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
  if (const auto* time = std::get_if<WallTime>(&value)) return FormatRfc3339(*time);
  if (const auto* date = std::get_if<connector::Date>(&value))
    return fmt::format("{:04}-{:02}-{:02}", date->year, date->month, date->day);
  return "NULL";
}

std::vector<MappingDifference> CompareMappings(const Mapping& before, const Mapping& after,
                                               const std::vector<BronzeSample>& samples) {
  std::vector<MappingDifference> differences;
  const auto difference_of = [&](std::string_view column) -> MappingDifference& {
    for (MappingDifference& known : differences) {
      if (known.column == column) return known;
    }
    return differences.emplace_back(
        MappingDifference{.column = std::string(column), .records = 0, .examples = {}});
  };
  std::vector<std::string> columns;
  for (const Mapping* mapping : {&before, &after}) {
    for (const ColumnMapping& column : mapping->columns) {
      if (std::find(columns.begin(), columns.end(), column.column) == columns.end())
        columns.push_back(column.column);
    }
  }
  connector::Mapper map_before(before), map_after(after);
  for (const BronzeSample& sample : samples) {
    const Result<Row> old_row = map_before.MapRecord(sample.view());
    const Result<Row> new_row = map_after.MapRecord(sample.view());
    if (!old_row || !new_row) {
      if (old_row.has_value() != new_row.has_value())
        Add(difference_of(kWholeRecord), sample.id, Outcome(old_row), Outcome(new_row));
      continue;
    }
    for (const std::string& column : columns) {
      if (IsSame(before, *old_row, after, *new_row, column)) continue;
      Cell was = CellOf(before, *old_row, column);
      Cell is = CellOf(after, *new_row, column);
      const bool is_pii = was.is_pii || is.is_pii;
      for (Cell* cell : {&was, &is}) {
        if (is_pii && cell->text != "NULL" && cell->text != "(no column)") cell->text = "***";
      }
      Add(difference_of(column), sample.id, std::move(was.text), std::move(is.text));
    }
  }
  return differences;
}

MappingTrial TryMapping(const Mapping& mapping, const std::vector<BronzeSample>& samples) {
  MappingTrial trial;
  for (const ColumnMapping& column : mapping.columns)
    trial.columns.push_back({.column = column.column});
  connector::Mapper mapper(mapping);
  for (const BronzeSample& sample : samples) {
    const Result<Row> row = mapper.MapRecord(sample.view());
    if (!row) {
      trial.letters.push_back({.id = sample.id,
                               .error = row.error().message(),
                               .bronze_key = sample.bronze_key,
                               .bronze_line = sample.bronze_line});
      continue;
    }
    for (std::size_t i = 0; i < row->values.size(); ++i) {
      const bool is_null = std::holds_alternative<std::monostate>(row->values[i]);
      ++(is_null ? trial.columns[i].null : trial.columns[i].filled);
    }
    for (const connector::Misfit& misfit : row->misfits) {
      for (MappingTrial::Column& column : trial.columns) {
        if (column.column != misfit.column) continue;
        ++column.misfit;
        --column.null;
      }
    }
  }
  return trial;
}

}  // namespace pcw::cli
