// Shows a running sync: one rewritten line on a terminal, a plain line every few seconds otherwise.
// On standard error.
#pragma once

#include <string>

#include "pcw/base/clock.h"
#include "pcw/sync/engine.h"

namespace pcw::wiring {

/// What the display needs to know beside the engine's own counters.
struct ProgressSetting {
  std::string entity;
  std::int64_t calls_left = -1;  ///< of the rolling day at the start, -1 = unknown or unlimited
};

/// Not thread-safe; called from the engine's coordinator.
class ProgressDisplay {
 public:
  ProgressDisplay(ProgressSetting setting, const Clock& clock);
  void Show(const runs::Progress& progress);
  /// Ends the rewritten line, so that what follows starts on a line of its own.
  void Finish();

 private:
  ProgressSetting setting_;
  const Clock& clock_;
  bool is_terminal_;
  bool has_line_ = false;
  SteadyTime last_{};
};

/// "opportunities  120/150 records  9.8/s  1 throttled  quota left 99,880  ETA 3.1 s" (the testable
/// part).
std::string FormatProgress(const ProgressSetting& setting, const runs::Progress& progress);

/// "12,345"
std::string FormatCount(std::int64_t count);

}  // namespace pcw::wiring
