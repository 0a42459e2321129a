#include "pcw/lake/record_versions.h"

#include <algorithm>

#include "pcw/base/time.h"
#include "pcw/lake/part.h"
#include "pcw/lake/part_reader.h"
#include "pcw/lake/selection.h"

namespace pcw::lake {
namespace {

void TakeLine(std::string_view text, int number, const std::string& key, RecordVersions& found) {
  const Result<ScannedPart> part = ScanPart(text, LineDigests::kCheck);
  if (!part || part->lines.empty()) {
    // The scanner counts from 1 in what it is given, which is this line.
    found.problems.push_back(key + ", line " + std::to_string(number) + ": " +
                             (part ? part->unreadable.front().why : part.error().message()));
    return;
  }
  const ScannedLine& line = part->lines.front();
  const auto own = [](std::string_view view) { return std::string(view); };
  found.versions.push_back({.key = key,
                            .line = number,
                            .run_id = own(SplitKey(key)->run_id),
                            .operation = own(line.operation),
                            .request_id = own(line.request_id),
                            .fetched_at = own(line.fetched_at),
                            .served_at = own(line.served_at),
                            .version = own(line.version),
                            .sha256 = line.sha256,
                            .companion_sha256 = line.companion_sha256,
                            .payload = own(line.payload),
                            .companion = own(line.companion),
                            .companion_operation = own(line.companion_operation),
                            .malformed = own(line.malformed)});
}

void TakeObject(std::string_view text, const std::string& beginning, const std::string& key,
                RecordVersions& found) {
  // Most objects do not hold the record: one search decides.
  auto at = text.find(beginning);
  int number = 1;
  std::size_t counted = 0;
  while (at != std::string_view::npos) {
    const auto end = std::min(text.find('\n', at), text.size() - 1);
    if (at == 0 || text[at - 1] == '\n') {
      number += static_cast<int>(std::count(text.begin() + static_cast<std::ptrdiff_t>(counted),
                                            text.begin() + static_cast<std::ptrdiff_t>(at), '\n'));
      counted = at;
      TakeLine(text.substr(at, end + 1 - at), number, key, found);
    }
    at = text.find(beginning, at + 1);
  }
}

}  // namespace

Result<RecordVersions> FindVersions(BronzeStore& store, std::string_view prefix,
                                    std::string_view id, std::stop_token stop) {
  std::string beginning;
  AppendLineStart(beginning, id);
  beginning += ',';
  PCW_TRY(const std::vector<RunFolder> folders, ListRunFolders(store, prefix, stop));
  RecordVersions found;
  for (const RunFolder& folder : folders) {
    for (const FolderObject& object : folder.objects) {
      if (object.part == 0) continue;
      if (stop.stop_requested())
        return Error(ErrorCode::kCancelled, "stopped while reading bronze");
      const Result<std::string> text = store.Get(object.key, stop);
      if (!text && text.error().code() == ErrorCode::kCancelled) return text.error();
      if (!text) {
        found.problems.push_back(object.key + ": " + text.error().message());
        continue;
      }
      TakeObject(*text, beginning, object.key, found);
    }
  }
  // As AWS served them; within one second of its Date as they were fetched.
  const auto when = [](const RecordVersion& version) {
    const auto time = [](const std::string& text) {
      return ParseRfc3339(text).value_or(WallTime{});
    };
    const WallTime fetched = time(version.fetched_at);
    return std::pair(version.served_at.empty() ? fetched : time(version.served_at), fetched);
  };
  std::stable_sort(
      found.versions.begin(), found.versions.end(),
      [&](const RecordVersion& a, const RecordVersion& b) { return when(a) < when(b); });
  return found;
}

}  // namespace pcw::lake
