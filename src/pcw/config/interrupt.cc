#include "pcw/config/interrupt.h"

#include <atomic>
#include <cstdint>
#include <thread>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "pcw/base/assert.h"

namespace pcw::config {
namespace {

// The write end of the pipe through which the handler, which may do almost nothing, wakes the
// thread, which may do anything.
int wake_fd = -1;
// When the first signal came, ms of the monotonic clock; 0 = not yet. The next one may be handled
// on another thread at the same time.
std::atomic<std::int64_t> first_at{0};
static_assert(decltype(first_at)::is_always_lock_free);
// timeout(1) signals its child and then its group, its child among it: one request, two signals.
constexpr std::int64_t kOneRequestMs = 250;

std::atomic<std::uint64_t> hangups{0};
static_assert(decltype(hangups)::is_always_lock_free);
std::atomic<bool> has_lost_reader{false};

void OnHangup(int /*signal*/) { hangups.fetch_add(1); }

void OnSignal(int signal) {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  const std::int64_t ms = now.tv_sec * 1000 + now.tv_nsec / 1'000'000 + 1;
  std::int64_t first = 0;
  if (!first_at.compare_exchange_strong(first, ms)) {
    // A terminal that closes while something stops cleanly asks for nothing more.
    if (signal != SIGHUP && ms - first >= kOneRequestMs) ::_exit(130);
    return;
  }
  const char byte = 1;
  [[maybe_unused]] const auto written = ::write(wake_fd, &byte, 1);
}

std::stop_source& StopSource() {
  static std::stop_source source;
  return source;
}

}  // namespace

std::stop_token InstallInterrupt() {
  int ends[2];
  PCW_ASSERT(::pipe2(ends, O_CLOEXEC) == 0);
  wake_fd = ends[1];
  std::thread([read_end = ends[0]] {
    char byte = 0;
    while (::read(read_end, &byte, 1) < 0) {
    }
    StopSource().request_stop();
  }).detach();

  struct sigaction action {};
  action.sa_handler = OnSignal;
  action.sa_flags = SA_RESTART;
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
  struct sigaction inherited {};
  ::sigaction(SIGHUP, nullptr, &inherited);
  if (inherited.sa_handler != SIG_IGN) ::sigaction(SIGHUP, &action, nullptr);
  action.sa_handler = SIG_IGN;
  ::sigaction(SIGPIPE, &action, nullptr);
  return StopSource().get_token();
}

void CountHangups() {
  struct sigaction action {};
  action.sa_handler = OnHangup;
  action.sa_flags = SA_RESTART;
  ::sigaction(SIGHUP, &action, nullptr);
}

std::uint64_t HangupCount() { return hangups.load(); }

void StopForLackOfReader() {
  has_lost_reader = true;
  StopSource().request_stop();
}

bool HasLostReader() { return has_lost_reader.load(); }

bool IsReaderGone(int descriptor) {
  pollfd entry{descriptor, 0, 0};
  return ::poll(&entry, 1, 0) > 0 && (entry.revents & POLLERR) != 0;
}

}  // namespace pcw::config
