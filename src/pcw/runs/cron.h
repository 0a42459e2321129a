// Cron expressions: five fields, UTC, and when they fire next. Pure.
#pragma once

#include <bitset>
#include <optional>
#include <string_view>

#include "pcw/base/clock.h"
#include "pcw/base/result.h"

namespace pcw::runs {

/// "minute hour day month weekday" as cron(5) has them: *, lists, ranges, steps, three-letter names
/// of months and weekdays, 7 for Sunday. When both days are restricted, either one fires.
class Cron {
 public:
  /// kConfig with what was expected, also for an expression that never fires (30 February).
  static Result<Cron> Parse(std::string_view text);

  /// The first firing after `time`, to the minute.
  WallTime NextAfter(WallTime time) const;

 private:
  bool MatchesDay(std::chrono::sys_days day) const;
  std::optional<WallTime> FindAfter(WallTime time) const;

  std::bitset<60> minutes_;
  std::bitset<24> hours_;
  std::bitset<32> days_;
  std::bitset<13> months_;
  std::bitset<8> weekdays_;  ///< 0 = Sunday; 7 is folded into it
  bool is_any_day_ = false;
  bool is_any_weekday_ = false;
};

}  // namespace pcw::runs
