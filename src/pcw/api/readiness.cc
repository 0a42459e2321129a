#include "pcw/api/readiness.h"

#include <exception>

#include "pcw/base/log.h"

namespace pcw::api {
namespace {

constexpr std::chrono::seconds kBetweenTries{15};
constexpr std::chrono::seconds kBetweenFailures{2};
constexpr std::chrono::minutes kMostAge{1};

}  // namespace

Readiness::Readiness(std::vector<ReadinessCheck> checks, const Clock& clock, Sleeper& sleeper)
    : checks_(std::move(checks)), clock_(clock), sleeper_(sleeper) {
  for (const ReadinessCheck& check : checks_)
    threads_.emplace_back([this, &check](std::stop_token stop) { Watch(check, stop); });
}

Readiness::~Readiness() {
  for (std::jthread& thread : threads_) thread.request_stop();
}

ReadinessReport Readiness::Report() const {
  ReadinessReport report{.is_ready = true, .components = {}};
  const SteadyTime now = clock_.Steady();
  const std::lock_guard lock(mutex_);
  for (const ReadinessCheck& check : checks_) {
    const auto seen = seen_.find(check.component);
    const bool is_usable =
        seen != seen_.end() && seen->second.is_usable && now - seen->second.at <= kMostAge;
    report.components.emplace_back(check.component, is_usable);
    report.is_ready = report.is_ready && is_usable;
  }
  return report;
}

void Readiness::Watch(const ReadinessCheck& check, const std::stop_token& stop) {
  do {
    Status tried = Error(ErrorCode::kInternal, "not tried");
    try {
      tried = check.check(stop);
    } catch (const std::exception& problem) {
      tried = Error(ErrorCode::kInternal, problem.what());
    }
    if (stop.stop_requested()) return;
    bool was_usable = true;
    {
      const std::lock_guard lock(mutex_);
      Seen& seen = seen_[check.component];
      was_usable = std::exchange(seen.is_usable, tried.has_value());
      seen.at = clock_.Steady();
    }
    // Said when it changes, not each time.
    if (!tried && was_usable) LogError(check.component + " is not usable", tried.error());
    if (tried && !was_usable) Log(LogLevel::kInfo, "usable", {{"component", check.component}});
    if (!sleeper_.SleepFor(tried ? kBetweenTries : kBetweenFailures, stop)) return;
  } while (!stop.stop_requested());
}

}  // namespace pcw::api
