#include "pcw/api/line_limit.h"

#include <chrono>
#include <utility>

namespace pcw::api {
namespace {

constexpr std::chrono::minutes kBetweenLines{1};
constexpr std::string_view kOthers;

}  // namespace

std::optional<std::uint64_t> LineLimit::Allows(std::string_view key) {
  const SteadyTime now = clock_.Steady();
  const std::lock_guard lock(mutex_);
  auto found = entries_.find(key);
  if (found == entries_.end()) {
    if (entries_.size() >= most_) {
      // Whose minute is over has nothing more to be remembered; what was left out is told with the
      // next line of all others.
      std::uint64_t left_out = 0;
      std::erase_if(entries_, [&](const auto& entry) {
        if (entry.second.next > now || entry.first == kOthers) return false;
        left_out += entry.second.left_out;
        return true;
      });
      if (left_out > 0)
        entries_.try_emplace(std::string(kOthers), Entry{now, 0}).first->second.left_out +=
            left_out;
    }
    if (entries_.size() >= most_) key = kOthers;
    found = entries_.emplace(key, Entry{now, 0}).first;
  }
  Entry& entry = found->second;
  if (now < entry.next) {
    ++entry.left_out;
    return std::nullopt;
  }
  entry.next = now + kBetweenLines;
  return std::exchange(entry.left_out, 0);
}

}  // namespace pcw::api
