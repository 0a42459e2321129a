// SQL functions, compiled into the binary from sql/functions: each stands there once, as it is now.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pcw::pg {

/// What a database has of a migration, or of a file of functions.
enum class SchemaState {
  kPending,
  kApplied,
  kAltered,  ///< it has another text of the same version
  kNewer,    ///< it has the text of a newer pcw
};

struct FunctionFile {
  std::string name;  ///< of the file, without ".sql"
  int version;       ///< of its first line, "-- version N"; grows with each released change
  std::string_view sql;
};

/// A file as a database has it. version 0: not at all.
struct AppliedFunctionFile {
  int version = 0;
  std::string sha256;
  std::string applied_at;  ///< RFC 3339
};

/// The files of this binary, in the order of their names.
const std::vector<FunctionFile>& FunctionFiles();

/// What becomes of a file: pending is applied, newer is left alone (the calls of an older pcw keep
/// working, ADR 15), altered is refused.
SchemaState Compare(const FunctionFile& file, const AppliedFunctionFile& applied);

}  // namespace pcw::pg
