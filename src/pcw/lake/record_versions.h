// Every version of one record that bronze holds, found without parsing what is of others.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "pcw/base/digest.h"
#include "pcw/lake/bronze_store.h"

namespace pcw::lake {

/// One line of bronze, owned.
struct RecordVersion {
  std::string key;
  int line = 0;
  std::string run_id, operation, request_id, fetched_at, served_at, version;
  Sha256Digest sha256{}, companion_sha256{};
  std::string payload, companion, companion_operation;
  std::string malformed;  ///< why one of the two is not well-formed JSON; empty if both are
};

struct RecordVersions {
  std::vector<RecordVersion> versions;  ///< in the order they were written
  std::vector<std::string> problems;    ///< "<key>: <reason>" of lines or objects that are damaged
};

/// Reads every part below `prefix`. Lines that begin with another id are passed over by comparing
/// bytes. Damaged lines of the record, and objects that cannot be read, are problems, not errors.
Result<RecordVersions> FindVersions(BronzeStore& store, std::string_view prefix,
                                    std::string_view id, std::stop_token stop);

}  // namespace pcw::lake
