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
#include <sys/syscall.h>
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
    ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
    read.Reset(ends[0]);
    write.Reset(ends[1]);
    return true;
  }
};

Error CannotStart(const std::string& program, int code) {
  return Error(code == ENOENT ? ErrorCode::kNotFound : ErrorCode::kUnavailable,
               fmt::format("cannot start {}: {}", program, std::generic_category().message(code)));
}

std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

Result<pid_t> Start(const std::vector<std::string>& words,
                    const std::map<std::string, std::string>& environment, int out, int err) {
  std::vector<std::string> texts = words;
  std::vector<std::string> settings;
  for (const auto& [name, value] : environment) settings.push_back(name + "=" + value);
  const std::vector<char*> arguments = Pointers(texts);
  const std::vector<char*> variables = Pointers(settings);
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
  const int code = ::posix_spawnp(&child, arguments[0], &actions, &attributes, arguments.data(),
                                  variables.data());
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (code != 0) return CannotStart(words.front(), code);
  return child;
}

// Reads what is there without waiting; closes at the end of the stream.
void Drain(Descriptor& from, std::string& into) {
  std::array<char, 4096> buffer;
  while (from.get() >= 0) {
    const ssize_t got = ::read(from.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) {
      from.Close();
      return;
    }
    if (into.size() < kMostBytes) into.append(buffer.data(), static_cast<std::size_t>(got));
  }
}

}  // namespace

Result<ProgramOutput> RunProgram(const std::vector<std::string>& words,
                                 const std::map<std::string, std::string>& environment,
                                 std::chrono::milliseconds deadline, std::stop_token stop) {
  using Steady = std::chrono::steady_clock;
  Pipe out, err;
  const Descriptor wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!out.Open() || !err.Open() || wake.get() < 0) return CannotStart(words.front(), errno);
  const std::stop_callback on_stop(stop, [&wake] { ::eventfd_write(wake.get(), 1); });
  PCW_TRY(const pid_t child, Start(words, environment, out.write.get(), err.write.get()));
  out.write.Close();
  err.write.Close();
  // Readable when the program has ended: it may close its streams before, or leave them to others.
  const Descriptor ended(static_cast<int>(::syscall(SYS_pidfd_open, child, 0)));

  ProgramOutput output;
  const Steady::time_point end = Steady::now() + deadline;
  bool is_late = false;
  while (!stop.stop_requested()) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Steady::now());
    is_late = left.count() <= 0;
    if (is_late) break;
    std::array<pollfd, 4> sources{pollfd{out.read.get(), POLLIN, 0},
                                  pollfd{err.read.get(), POLLIN, 0}, pollfd{wake.get(), POLLIN, 0},
                                  pollfd{ended.get(), POLLIN, 0}};
    ::poll(sources.data(), sources.size(), static_cast<int>(left.count()));
    Drain(out.read, output.out);
    Drain(err.read, output.err);
    if (sources[3].revents != 0) break;
  }
  if (is_late || stop.stop_requested()) ::kill(-child, SIGKILL);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  // What it wrote last.
  Drain(out.read, output.out);
  Drain(err.read, output.err);
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
