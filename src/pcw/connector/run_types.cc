#include "pcw/connector/run_types.h"

#include <fmt/format.h>

namespace pcw::connector {

std::string_view NameOf(RunMode mode) {
  switch (mode) {
    case RunMode::kFull:
      return "full";
    case RunMode::kIncremental:
      return "incremental";
    case RunMode::kReingest:
      return "reingest";
    case RunMode::kReplay:
      return "replay";
    case RunMode::kFetch:
      return "fetch";
  }
  return "full";
}

Result<RunMode> ParseRunMode(std::string_view text) {
  if (text == "full") return RunMode::kFull;
  if (text == "incremental") return RunMode::kIncremental;
  return Error(ErrorCode::kInvalidRequest,
               fmt::format("\"{}\" is not a mode; expected full or incremental", text));
}

std::string_view NameOf(RunStatus status) {
  switch (status) {
    case RunStatus::kSucceeded:
      return "succeeded";
    case RunStatus::kPartial:
      return "partial";
    case RunStatus::kFailed:
      return "failed";
    case RunStatus::kCancelled:
      return "cancelled";
  }
  return "failed";
}

}  // namespace pcw::connector
