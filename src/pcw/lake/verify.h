// Proves that bronze is what its manifests say (I9).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "pcw/lake/bronze_store.h"

namespace pcw::lake {

struct VerifyProblem {
  std::string key;
  std::string what;  ///< one sentence
};

struct VerifyReport {
  int runs = 0;
  int runs_without_manifest = 0;  ///< crashed or still running: listed, not a problem
  int parts = 0;
  std::int64_t records = 0;
  std::uint64_t bytes = 0;
  std::vector<VerifyProblem> problems;
};

/// Checks every run below `prefix`: each part in the manifest exists with its sha256, bytes and
/// records; every line is whole; nothing else lies in a run folder; parts of runs without a
/// manifest are readable line by line. An object that cannot be read (archived, another KMS key,
/// gone since it was listed) is a problem, and the rest is checked; if nothing at all may be read,
/// kPermissionDenied.
Result<VerifyReport> VerifyBronze(BronzeStore& store, std::string_view prefix,
                                  std::stop_token stop);

}  // namespace pcw::lake
