#include "pcw/base/subprocess.h"

#include <array>
#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

namespace pcw {
namespace {

constexpr std::size_t kMostBytes = 64U << 10U;

/// A descriptor that is closed with its owner.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { Close(); }
  void Reset(int fd) {
    Close();
    fd_ = fd;
  }
  void Close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  int get() const { return fd_; }

 private:
  int fd_ = -1;
};

struct Pipe {
  Descriptor read, write;

  bool Open() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return false;
    read.Reset(ends[0]);
    write.Reset(ends[1]);
    return true;
  }
};

Error CannotStart(const std::string& program, int code) {
  return Error(code == ENOENT ? ErrorCode::kNotFound : ErrorCode::kUnavailable,
               fmt::format("cannot start {}: {}", program, std::generic_category().message(code)));
}

Result<pid_t> Start(const std::vector<std::string>& words, int out, int err) {
  std::vector<std::string> texts = words;
  std::vector<char*> arguments;
  for (std::string& text : texts) arguments.push_back(text.data());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, err, STDERR_FILENO);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  // A group of its own, so that whatever it starts can be ended with it.
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  posix_spawnattr_setpgroup(&attributes, 0);
  pid_t child = 0;
  const int code =
      ::posix_spawnp(&child, arguments[0], &actions, &attributes, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (code != 0) return CannotStart(words.front(), code);
  return child;
}

// Reads what is there; false at the end of the stream.
bool Drain(int fd, std::string& into) {
  std::array<char, 4096> buffer;
  const ssize_t got = ::read(fd, buffer.data(), buffer.size());
  if (got < 0) return errno == EINTR || errno == EAGAIN;
  if (into.size() < kMostBytes) into.append(buffer.data(), static_cast<std::size_t>(got));
  return got > 0;
}

}  // namespace

Result<ProgramOutput> RunProgram(const std::vector<std::string>& words,
                                 std::chrono::milliseconds deadline, std::stop_token stop) {
  using Clock = std::chrono::steady_clock;
  Pipe out, err;
  const Descriptor wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!out.Open() || !err.Open() || wake.get() < 0) return CannotStart(words.front(), errno);
  const std::stop_callback on_stop(stop, [&wake] { ::eventfd_write(wake.get(), 1); });
  PCW_TRY(const pid_t child, Start(words, out.write.get(), err.write.get()));
  out.write.Close();
  err.write.Close();

  ProgramOutput output;
  const Clock::time_point end = Clock::now() + deadline;
  bool is_late = false;
  while ((out.read.get() >= 0 || err.read.get() >= 0) && !stop.stop_requested()) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now());
    is_late = left.count() <= 0;
    if (is_late) break;
    std::array<pollfd, 3> sources{pollfd{out.read.get(), POLLIN, 0},
                                  pollfd{err.read.get(), POLLIN, 0}, pollfd{wake.get(), POLLIN, 0}};
    ::poll(sources.data(), sources.size(), static_cast<int>(left.count()));
    if (sources[0].revents != 0 && !Drain(out.read.get(), output.out)) out.read.Close();
    if (sources[1].revents != 0 && !Drain(err.read.get(), output.err)) err.read.Close();
  }
  if (is_late || stop.stop_requested()) ::kill(-child, SIGKILL);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (stop.stop_requested())
    return Error(ErrorCode::kCancelled, fmt::format("stopped while {} ran", words.front()));
  if (is_late) {
    return Error(ErrorCode::kTimeout,
                 fmt::format("{} ran longer than {} s and was ended", words.front(),
                             std::chrono::ceil<std::chrono::seconds>(deadline).count()));
  }
  output.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return output;
}

}  // namespace pcw
