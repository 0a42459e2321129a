#include "pcw/app/interrupt.h"

#include <thread>

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "pcw/base/assert.h"

namespace pcw::app {
namespace {

// The write end of the pipe through which the handler, which may do almost nothing, wakes the
// thread, which may do anything.
int wake_fd = -1;
volatile sig_atomic_t signals_seen = 0;

void OnSignal(int /*signal*/) {
  signals_seen = signals_seen + 1;
  if (signals_seen > 1) ::_exit(130);
  const char byte = 1;
  [[maybe_unused]] const auto written = ::write(wake_fd, &byte, 1);
}

}  // namespace

std::stop_token InstallInterrupt() {
  static std::stop_source source;
  int ends[2];
  PCW_ASSERT(::pipe2(ends, O_CLOEXEC) == 0);
  wake_fd = ends[1];
  std::thread([read_end = ends[0]] {
    char byte = 0;
    while (::read(read_end, &byte, 1) < 0) {
    }
    source.request_stop();
  }).detach();

  struct sigaction action {};
  action.sa_handler = OnSignal;
  action.sa_flags = SA_RESTART;
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
  action.sa_handler = SIG_IGN;
  ::sigaction(SIGPIPE, &action, nullptr);
  return source.get_token();
}

}  // namespace pcw::app
