#include "pcw/base/failpoint.h"

#if defined(PCW_FAILPOINTS)

#include <atomic>
#include <charconv>
#include <cstdlib>
#include <string>

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

namespace pcw {
namespace {

struct Plan {
  std::string name;
  int passage = 1;
  int log_fd = -1;
  std::atomic<int> seen{0};
  bool active = false;

  Plan() {
    if (const char* spec = std::getenv("PCW_FAILPOINT")) {
      const std::string_view text(spec);
      const auto colon = text.rfind(':');
      name = text.substr(0, colon);
      if (colon != std::string_view::npos) {
        std::from_chars(text.data() + colon + 1, text.data() + text.size(), passage);
      }
      active = true;
    }
    if (const char* path = std::getenv("PCW_FAILPOINT_LOG")) {
      log_fd = ::open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
      active = active || log_fd >= 0;
    }
  }
};

Plan& ThePlan() {
  static Plan plan;
  return plan;
}

}  // namespace

void HitFailpoint(std::string_view name) {
  Plan& plan = ThePlan();
  if (!plan.active) return;
  if (plan.log_fd >= 0) {
    const std::string line = std::string(name) + "\n";
    // A lost line would only shorten a test's list of locations; there is nobody to report it to.
    [[maybe_unused]] const auto written = ::write(plan.log_fd, line.data(), line.size());
  }
  if (name == plan.name && ++plan.seen == plan.passage) ::kill(::getpid(), SIGKILL);
}

}  // namespace pcw

#endif
