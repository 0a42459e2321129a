#include "pcw/lake/selection.h"

#include <algorithm>
#include <charconv>

namespace pcw::lake {
namespace {

int PartOf(std::string_view name) {
  if (name == "data.json") return 1;
  if (!name.starts_with("data-") || !name.ends_with(".json")) return 0;
  name = name.substr(5, name.size() - 10);
  int part = 0;
  const auto read = std::from_chars(name.data(), name.data() + name.size(), part);
  return read.ec == std::errc() && read.ptr == name.data() + name.size() && part > 1 ? part : 0;
}

}  // namespace

std::optional<KeyParts> SplitKey(std::string_view key) {
  const auto slash = key.rfind('/');
  const auto folder = slash == std::string_view::npos || slash == 0 ? std::string_view::npos
                                                                    : key.rfind('/', slash - 1);
  if (folder == std::string_view::npos) return std::nullopt;
  const std::string_view run = key.substr(folder + 1, slash - folder - 1);
  if (!run.starts_with("run-")) return std::nullopt;
  const std::string_view name = key.substr(slash + 1);
  return KeyParts{key.substr(0, slash + 1), run.substr(4), name, PartOf(name)};
}

bool IsBefore(std::string_view key, std::string_view other) {
  const auto a = SplitKey(key);
  const auto b = SplitKey(other);
  if (!a || !b || a->prefix != b->prefix) return key < other;
  return a->part < b->part;
}

Result<std::vector<RunFolder>> ListRunFolders(BronzeStore& store, std::string_view prefix,
                                              std::stop_token stop) {
  PCW_TRY(const std::vector<ObjectInfo> objects, store.List(prefix, stop));
  std::vector<RunFolder> folders;
  for (const ObjectInfo& object : objects) {
    const auto parts = SplitKey(object.key);
    if (!parts) continue;
    if (folders.empty() || folders.back().prefix != parts->prefix) {
      folders.push_back({.prefix = std::string(parts->prefix),
                         .run_id = std::string(parts->run_id),
                         .objects = {}});
    }
    if (parts->name == "manifest.json") {
      folders.back().has_manifest = true;
    } else {
      folders.back().objects.push_back({object.key, object.bytes, parts->part});
    }
  }
  for (RunFolder& folder : folders) {
    std::stable_sort(folder.objects.begin(), folder.objects.end(),
                     [](const FolderObject& a, const FolderObject& b) { return a.part < b.part; });
  }
  return folders;
}

}  // namespace pcw::lake
