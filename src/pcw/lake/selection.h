// Run folders of an entity, in the order in which their parts were written.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pcw/lake/bronze_store.h"

namespace pcw::lake {

/// One object of a run folder: a part, or something that has no business there.
struct FolderObject {
  std::string key;
  std::uint64_t bytes = 0;
  int part = 0;  ///< 1 = data.json; 0 = not a part's name
};

struct RunFolder {
  std::string prefix;  ///< ".../2026/11/23/run-<id>/"
  std::string run_id;
  bool has_manifest = false;
  std::vector<FolderObject> objects;  ///< by part number; the manifest is not among them
};

/// What a key says, by docs/bronze.md.
struct KeyParts {
  std::string_view prefix;  ///< of the run folder, with its slash
  std::string_view run_id;
  std::string_view name;
  int part = 0;  ///< 0: the manifest, or no part's name
};
/// nullopt for what lies outside run folders.
std::optional<KeyParts> SplitKey(std::string_view key);

/// Where an object stands in the order of ingestion; keys alone sort part 1 behind part 2.
bool IsBefore(std::string_view key, std::string_view other);

/// The run folders below `prefix`, oldest first. Objects outside run folders are left out: `pcw
/// bronze verify` names them.
Result<std::vector<RunFolder>> ListRunFolders(BronzeStore& store, std::string_view prefix,
                                              std::stop_token stop);

}  // namespace pcw::lake
