// The built-in mappings over whole answers: tests/fixtures/<entity>/<case>.json in,
// <case>.rows.json out. PCW_UPDATE_FIXTURES=1 writes the latter anew; review decides.
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "pcw/base/file.h"
#include "pcw/base/json.h"
#include "pcw/base/time.h"
#include "pcw/connector/entity_def.h"
#include "pcw/connector/mapping.h"

namespace pcw::connector {
namespace {

namespace fs = std::filesystem;

OrderedJson ToJson(const Value& value, ColumnType type) {
  if (std::holds_alternative<std::monostate>(value)) return nullptr;
  if (const auto* text = std::get_if<std::string>(&value)) {
    return type == ColumnType::kJson ? OrderedJson::parse(*text) : OrderedJson(*text);
  }
  if (const auto* number = std::get_if<std::int64_t>(&value)) return *number;
  if (const auto* boolean = std::get_if<bool>(&value)) return *boolean;
  if (const auto* time = std::get_if<WallTime>(&value)) return FormatRfc3339(*time);
  const auto& date = std::get<Date>(value);
  return fmt::format("{:04}-{:02}-{:02}", date.year, date.month, date.day);
}

std::string RowsOf(const Mapping& mapping, const Row& row) {
  OrderedJson rows;
  for (std::size_t i = 0; i < mapping.columns.size(); ++i) {
    rows["columns"][mapping.columns[i].column] = ToJson(row.values[i], mapping.columns[i].type);
  }
  rows["misfits"] = OrderedJson::array();
  for (const Misfit& misfit : row.misfits) {
    rows["misfits"].push_back(
        {{"column", misfit.column}, {"pointer", misfit.pointer}, {"found", misfit.found}});
  }
  return DumpJsonPretty(rows);
}

TEST(GoldenMappingTest, WholeAnswersGiveTheRowsThatWereReviewed) {
  const bool updates = std::getenv("PCW_UPDATE_FIXTURES") != nullptr;
  for (const EntityDef* entity : AllEntities()) {
    const Result<Mapping> mapping = BuiltinMapping(entity->name);
    ASSERT_TRUE(mapping);
    int cases = 0;
    for (const auto& file :
         fs::directory_iterator(fs::path(PCW_SOURCE_DIR "/tests/fixtures") / entity->name)) {
      const std::string name = file.path().filename().string();
      if (name.ends_with(".rows.json") || name.ends_with(".companion.json")) continue;
      SCOPED_TRACE(file.path().string());
      ++cases;
      const Result<std::string> input = ReadFile(file.path(), 1U << 20U);
      ASSERT_TRUE(input);
      fs::path beside = file.path();
      beside.replace_extension(".companion.json");
      const Result<std::string> companion = ReadFile(beside, 1U << 20U);
      const aws::Operation* second = entity->sources.front().companion;
      const Result<Row> row = Mapper(*mapping).MapRecord(
          {.payload = *input,
           .companion = companion ? std::string_view(*companion) : std::string_view(),
           .companion_operation = second != nullptr ? second->name : std::string_view(),
           .id = "the-id",
           .version = "the-version",
           .served_at = "2026-11-23T10:00:00Z"});
      ASSERT_TRUE(row) << row.error().message();
      const std::string rows = RowsOf(*mapping, *row);
      fs::path golden = file.path();
      golden.replace_extension(".rows.json");
      if (updates) std::ofstream(golden) << rows;

      const Result<std::string> expected = ReadFile(golden, 1U << 20U);

      ASSERT_TRUE(expected) << "no such file; write it with PCW_UPDATE_FIXTURES=1";
      EXPECT_EQ(rows, *expected);
    }
    EXPECT_GE(cases, 2) << "a full and a sparse answer of " << entity->name;
  }
}

}  // namespace
}  // namespace pcw::connector
