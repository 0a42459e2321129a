#include "pcw/pg/function_files.h"

#include <charconv>
#include <utility>

#include "pcw/base/assert.h"
#include "pcw/base/digest.h"

namespace pcw::pg {

// Generated from sql/functions by cmake/Embed.cmake.
const std::vector<std::pair<std::string_view, std::string_view>>& FunctionTexts();

const std::vector<FunctionFile>& FunctionFiles() {
  static const std::vector<FunctionFile> files = [] {
    constexpr std::string_view kFirstWords = "-- version ";
    std::vector<FunctionFile> list;
    for (const auto& [file, sql] : FunctionTexts()) {
      PCW_ASSERT(sql.starts_with(kFirstWords));
      int version = 0;
      std::from_chars(sql.data() + kFirstWords.size(), sql.data() + sql.size(), version);
      PCW_ASSERT(version > 0);
      list.push_back({std::string(file.substr(0, file.rfind('.'))), version, sql});
    }
    return list;
  }();
  return files;
}

SchemaState Compare(const FunctionFile& file, const AppliedFunctionFile& applied) {
  if (applied.version > file.version) return SchemaState::kNewer;
  if (applied.version < file.version) return SchemaState::kPending;
  return applied.sha256 == Sha256Hex(file.sql) ? SchemaState::kApplied : SchemaState::kAltered;
}

}  // namespace pcw::pg
