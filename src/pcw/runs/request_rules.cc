#include "pcw/runs/request_rules.h"

#include <string>

#include <fmt/format.h>

namespace pcw::runs {
namespace {

constexpr int kInteractive = 10;
constexpr int kByEvent = 30;
constexpr int kScheduled = 50;

}  // namespace

int PriorityOf(std::string_view trigger) {
  if (trigger == "event") return kByEvent;
  return trigger == "schedule" ? kScheduled : kInteractive;
}

std::string_view KindOf(connector::RunMode mode) {
  return mode == connector::RunMode::kFetch ? "fetch" : "sync";
}

Status CheckCancel(const CancelTarget& target) {
  const bool is_open =
      target.status == "queued" || target.status == "running" || target.status == "stalled";
  if (!is_open) {
    return Error(ErrorCode::kConflict,
                 fmt::format("run {} is {} already; there is nothing to cancel", target.run_id,
                             target.status))
        .With("run_id", std::string(target.run_id));
  }
  if (target.job_state.empty()) {
    return Error(ErrorCode::kConflict,
                 fmt::format("run {} belongs to a command on {}; stop it there with Ctrl-C",
                             target.run_id, target.holder))
        .With("run_id", std::string(target.run_id));
  }
  return Ok{};
}

bool EndsAtOnce(const CancelTarget& target) { return target.job_state == "queued"; }

}  // namespace pcw::runs
