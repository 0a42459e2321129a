#include "pcw/lake/verify.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include <fmt/format.h>

#include "pcw/base/digest.h"
#include "pcw/lake/part.h"
#include "pcw/lake/part_reader.h"
#include "pcw/lake/unreadable.h"

namespace pcw::lake {
namespace {

struct FolderUnderTest {
  std::string prefix;
  std::vector<ObjectInfo> objects;
};

// ".../run-<id>/data.json" -> ".../run-<id>/"; empty for what lies outside run folders.
std::string RunPrefixOf(const std::string& key) {
  const auto slash = key.rfind('/');
  const auto folder =
      slash == std::string::npos || slash == 0 ? std::string::npos : key.rfind('/', slash - 1);
  if (folder == std::string::npos || key.compare(folder + 1, 4, "run-") != 0) return "";
  return key.substr(0, slash + 1);
}

class Verifier {
 public:
  Verifier(BronzeStore& store, VerifyReport& report, std::stop_token stop)
      : store_(store), report_(report), stop_(stop) {}

  Status CheckRun(const FolderUnderTest& run) {
    ++report_.runs;
    const std::string manifest_key = run.prefix + "manifest.json";
    std::optional<Manifest> manifest;
    for (const ObjectInfo& object : run.objects) {
      if (object.key != manifest_key) continue;
      PCW_TRY(const std::optional<std::string> text, Read(object.key, WasListed::kYes));
      // Without it there is nothing to hold the parts to: they are read line by line below.
      if (!text) continue;
      Result<Manifest> parsed = ParseManifest(*text);
      if (!parsed) {
        Problem(object.key, parsed.error().message());
        return Ok{};
      }
      manifest = std::move(*parsed);
    }
    if (!manifest) ++report_.runs_without_manifest;

    std::set<std::string> expected;
    if (manifest) {
      for (const ManifestPart& part : manifest->parts) {
        expected.insert(part.key);
        const bool is_listed =
            std::any_of(run.objects.begin(), run.objects.end(),
                        [&](const ObjectInfo& object) { return object.key == part.key; });
        PCW_TRY_OK(CheckPart(part.key, &part, is_listed ? WasListed::kYes : WasListed::kNo));
      }
    }
    for (const ObjectInfo& object : run.objects) {
      if (object.key == manifest_key || expected.contains(object.key)) continue;
      const std::string_view name = std::string_view(object.key).substr(run.prefix.size());
      const bool is_part = name.starts_with("data") && name.ends_with(".json");
      if (manifest || !is_part) {
        Problem(object.key, "lies in a run folder but is not in its manifest");
        continue;
      }
      PCW_TRY_OK(CheckPart(object.key, nullptr, WasListed::kYes));
    }
    return Ok{};
  }

  // Nothing at all could be read, for lack of rights: that is about the lake, not about objects.
  std::optional<Error> denial() const { return has_read_ ? std::nullopt : denial_; }

 private:
  void Problem(std::string key, std::string what) {
    report_.problems.push_back({std::move(key), std::move(what)});
  }

  enum class WasListed { kNo, kYes };

  // The bytes of one object; nullopt if it alone cannot be read, which is a problem of the report.
  Result<std::optional<std::string>> Read(const std::string& key, WasListed was_listed) {
    Result<std::string> text = store_.Get(key, stop_);
    if (text) {
      has_read_ = true;
      return std::optional<std::string>(std::move(*text));
    }
    if (!IsOfTheObject(text.error())) return std::move(text).error();
    if (text.error().code() == ErrorCode::kPermissionDenied && !denial_) denial_ = text.error();
    Problem(key, WhyUnreadable(text.error(), was_listed == WasListed::kYes));
    return std::optional<std::string>();
  }

  Status CheckPart(const std::string& key, const ManifestPart* promised, WasListed was_listed) {
    if (stop_.stop_requested()) return Error(ErrorCode::kCancelled, "stopped while verifying");
    PCW_TRY(const std::optional<std::string> text, Read(key, was_listed));
    if (!text) return Ok{};
    ++report_.parts;
    report_.bytes += text->size();
    if (promised != nullptr &&
        (promised->bytes != text->size() || promised->sha256 != Sha256Hex(*text))) {
      Problem(key, fmt::format("is not what the manifest says: {} bytes with another SHA-256 or "
                               "length (promised {} bytes)",
                               text->size(), promised->bytes));
      return Ok{};
    }
    const Result<ScannedPart> part = ScanPart(*text, LineDigests::kCheck);
    if (!part) {
      Problem(key, part.error().message());
      return Ok{};
    }
    for (const UnreadableLine& line : part->unreadable) Problem(key, line.why);
    if (promised != nullptr && promised->records != static_cast<int>(part->size())) {
      Problem(key, fmt::format("holds {} records, the manifest says {}", part->size(),
                               promised->records));
    }
    report_.records += static_cast<std::int64_t>(part->lines.size());
    return Ok{};
  }

  BronzeStore& store_;
  VerifyReport& report_;
  std::stop_token stop_;
  bool has_read_ = false;
  std::optional<Error> denial_;  // the first
};

}  // namespace

Result<VerifyReport> VerifyBronze(BronzeStore& store, std::string_view prefix,
                                  std::stop_token stop) {
  PCW_TRY(const std::vector<ObjectInfo> objects, store.List(prefix, stop));
  std::map<std::string, FolderUnderTest> runs;
  VerifyReport report;
  for (const ObjectInfo& object : objects) {
    const std::string run = RunPrefixOf(object.key);
    if (run.empty()) {
      report.problems.push_back({object.key, "lies outside every run folder"});
      continue;
    }
    runs[run].prefix = run;
    runs[run].objects.push_back(object);
  }
  Verifier verifier(store, report, stop);
  for (const auto& [key, run] : runs) PCW_TRY_OK(verifier.CheckRun(run));
  if (const std::optional<Error> denial = verifier.denial()) return *denial;
  return report;
}

}  // namespace pcw::lake
