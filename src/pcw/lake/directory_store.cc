#include <algorithm>
#include <random>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pcw/base/file.h"
#include "pcw/base/stale_temporaries.h"
#include "pcw/base/time.h"
#include "pcw/lake/bronze_store.h"
#include "pcw/lake/layout.h"

namespace pcw::lake {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostObjectBytes = 64U << 20U;
// A part is written in seconds; this is far beyond any write that is still going on.
constexpr std::chrono::hours kStaleAge{1};
constexpr const char* kTemporaries = ".tmp";
constexpr std::size_t kProbeBytes = 1U << 20U;

// Below the root no segment may be a symbolic link: somebody could have pointed one at another
// tenant's files.
Status CheckNoLinks(const fs::path& root, std::string_view key) {
  fs::path path = root;
  for (const fs::path& segment : fs::path(key)) {
    path /= segment;
    struct stat info {};
    if (::lstat(path.c_str(), &info) != 0) return Ok{};  // what does not exist yet is not a link
    if (S_ISLNK(info.st_mode))
      return Error(
          ErrorCode::kConfig,
          fmt::format("{} is a symbolic link; a lake holds only plain files and directories",
                      path.string()));
  }
  return Ok{};
}

std::string ModifiedAt(const fs::path& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return "";
  return FormatRfc3339(WallTime(std::chrono::seconds(info.st_mtim.tv_sec)));
}

}  // namespace

DirectoryBronzeStore::DirectoryBronzeStore(fs::path root) : root_(std::move(root)) {}

Status DirectoryBronzeStore::Put(std::string_view key, std::string_view content,
                                 std::stop_token /*stop*/) {
  PCW_TRY_OK(CheckKey(key));
  PCW_TRY_OK(CheckNoLinks(root_, key));
  const fs::path path = root_ / key;
  Status written = WriteFileDurably(path, content, IfExists::kFail, root_ / kTemporaries);
  if (written || written.error().code() != ErrorCode::kConflict) return written;
  // Our own earlier write whose answer was lost, or somebody else's: the bytes tell (T11).
  PCW_TRY(const std::string held, ReadFile(path, kMostObjectBytes));
  if (held == content) return Ok{};
  return Error(ErrorCode::kConflict,
               "a bronze object of this key holds other bytes; bronze is never overwritten")
      .With("key", std::string(key));
}

Result<std::string> DirectoryBronzeStore::Get(std::string_view key, std::stop_token /*stop*/) {
  PCW_TRY_OK(CheckKey(key));
  PCW_TRY_OK(CheckNoLinks(root_, key));
  return ReadFile(root_ / key, kMostObjectBytes);
}

Result<std::vector<ObjectInfo>> DirectoryBronzeStore::List(std::string_view prefix,
                                                           std::stop_token stop) {
  PCW_TRY_OK(CheckKeyPrefix(prefix));
  // Start at the last whole directory of the prefix.
  const std::string_view directory =
      prefix.substr(0, prefix.rfind('/') == std::string_view::npos ? 0 : prefix.rfind('/'));
  std::vector<ObjectInfo> objects;
  std::error_code problem;
  const fs::path start = directory.empty() ? root_ : root_ / directory;
  if (!fs::exists(start, problem)) return objects;
  for (fs::recursive_directory_iterator entry(start, problem), end; !problem && entry != end;
       entry.increment(problem)) {
    if (stop.stop_requested())
      return Error(ErrorCode::kCancelled, "stopped while listing the lake");
    if (entry->path().filename() == kTemporaries) {
      entry.disable_recursion_pending();
      continue;
    }
    if (!entry->is_regular_file(problem) || entry->is_symlink(problem)) continue;
    if (entry->path().filename() == ".lake-id") continue;  // what tells this lake from others
    std::string key = fs::relative(entry->path(), root_, problem).generic_string();
    if (!key.starts_with(prefix)) continue;
    objects.push_back({std::move(key), entry->file_size(problem), ModifiedAt(entry->path())});
  }
  if (problem)
    return Error(ErrorCode::kConfig,
                 fmt::format("cannot list {}: {}", start.string(), problem.message()));
  std::sort(objects.begin(), objects.end(),
            [](const ObjectInfo& a, const ObjectInfo& b) { return a.key < b.key; });
  return objects;
}

Status DirectoryBronzeStore::Probe(std::stop_token /*stop*/) {
  // The root is made by the first Put: until then what counts is the directory it will be made in.
  fs::path there = fs::absolute(root_);
  std::error_code problem;
  while (!fs::exists(there, problem) && there.has_relative_path()) there = there.parent_path();
  if (fs::is_directory(there, problem) && ::access(there.c_str(), R_OK | W_OK | X_OK) == 0)
    return Ok{};
  return Error(
      ErrorCode::kConfig,
      fmt::format("the lake {} cannot be written: {} is not a directory that this user may "
                  "write; fix that, or set lake.url",
                  Describe(), there.string()));
}

Status BronzeStore::CheckRoom(std::stop_token /*stop*/) { return Ok{}; }

Status DirectoryBronzeStore::CheckRoom(std::stop_token stop) {
  PCW_TRY_OK(Probe(std::move(stop)));
  const fs::path temporaries = root_ / kTemporaries;
  RemoveStaleTemporaries(temporaries, kStaleAge);
  // Bytes that no file system makes smaller.
  std::mt19937_64 random{std::random_device{}()};
  std::string bytes;
  bytes.reserve(kProbeBytes);
  while (bytes.size() < kProbeBytes) {
    const std::uint64_t drawn = random();
    for (unsigned shift = 0; shift < 64; shift += 8) bytes += static_cast<char>(drawn >> shift);
  }
  const fs::path probe = temporaries / fmt::format(".room.{:016x}.tmp", random());
  Status written = WriteFileDurably(probe, bytes, IfExists::kReplace);
  std::error_code gone;
  fs::remove(probe, gone);
  return written;
}

std::string DirectoryBronzeStore::Describe() const { return "file://" + root_.string(); }

}  // namespace pcw::lake
