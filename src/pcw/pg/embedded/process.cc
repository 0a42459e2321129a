#include "pcw/pg/embedded/process.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace pcw::pg {
namespace {

namespace fs = std::filesystem;

constexpr int kOldestMajor = 15;

bool HasPrograms(const fs::path& directory) {
  return ::access((directory / "postgres").c_str(), X_OK) == 0 &&
         ::access((directory / "initdb").c_str(), X_OK) == 0;
}

[[noreturn]] void BecomeProgram(const std::vector<char*>& arguments, const ServerUser& user,
                                int output) {
  ::setsid();
  const int null = ::open("/dev/null", O_RDONLY);
  ::dup2(null, STDIN_FILENO);
  ::dup2(output, STDOUT_FILENO);
  ::dup2(output, STDERR_FILENO);
  ::close_range(3, ~0U, 0);
  const bool is_switched =
      !user.must_switch ||
      (::setgroups(0, nullptr) == 0 && ::setgid(user.gid) == 0 && ::setuid(user.uid) == 0);
  if (!is_switched || ::chdir("/") != 0) ::_exit(126);
  ::umask(077);
  static char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
  static char locale[] = "LC_ALL=C.UTF-8";
  char* environment[] = {path, locale, nullptr};
  ::execve(arguments[0], arguments.data(), environment);
  ::_exit(127);
}

}  // namespace

std::string UserName(uid_t uid) {
  const passwd* entry = ::getpwuid(uid);
  return entry == nullptr ? std::to_string(uid) : entry->pw_name;
}

Result<ServerUser> FindServerUser(const fs::path& data) {
  if (::geteuid() != 0) return ServerUser{::geteuid(), ::getegid(), false};
  struct stat info {};
  if (::lstat(data.c_str(), &info) == 0 && S_ISDIR(info.st_mode) && info.st_uid != 0)
    return ServerUser{info.st_uid, info.st_gid, true};
  for (const char* name : {"postgres", "nobody"}) {
    if (const passwd* entry = ::getpwnam(name))
      return ServerUser{entry->pw_uid, entry->pw_gid, true};
  }
  return Error(ErrorCode::kConfig,
               "PostgreSQL does not run as root, and there is no user postgres or nobody to run it "
               "as; install postgresql-15");
}

Result<fs::path> FindServerPrograms() {
  if (const char* given = std::getenv("PCW_PG_BIN"); given != nullptr && *given != '\0') {
    if (HasPrograms(given)) return fs::path(given);
    return Error(ErrorCode::kConfig,
                 fmt::format("PCW_PG_BIN is {}, which does not hold postgres and initdb", given));
  }
  int best = 0;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator("/usr/lib/postgresql", ignored)) {
    int major = 0;
    const std::string name = entry.path().filename();
    std::from_chars(name.data(), name.data() + name.size(), major);
    if (major >= kOldestMajor && major > best && HasPrograms(entry.path() / "bin")) best = major;
  }
  if (best > 0) return fs::path(fmt::format("/usr/lib/postgresql/{}/bin", best));
  return Error(ErrorCode::kConfig,
               "no PostgreSQL server programs (15 or newer) found: apt-get install postgresql-15, "
               "or set database.url to a server of yours");
}

Result<Finished> RunProgram(const fs::path& program, const std::vector<std::string>& arguments,
                            const ServerUser& user) {
  // All memory is got before fork: between fork and exec only async-signal-safe calls are allowed
  // in a threaded process.
  std::vector<std::string> texts{program.string()};
  texts.insert(texts.end(), arguments.begin(), arguments.end());
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0)
    return Error(ErrorCode::kUnavailable, "no pipe: " + std::generic_category().message(errno));
  const pid_t child = ::fork();
  if (child == 0) BecomeProgram(pointers, user, ends[1]);
  ::close(ends[1]);
  if (child < 0) {
    ::close(ends[0]);
    return Error(ErrorCode::kUnavailable,
                 "cannot start a process: " + std::generic_category().message(errno));
  }
  Finished finished;
  char buffer[4096];
  for (;;) {
    const ssize_t n = ::read(ends[0], buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    if (finished.output.size() < 65536) finished.output.append(buffer, static_cast<std::size_t>(n));
  }
  ::close(ends[0]);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  finished.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return finished;
}

}  // namespace pcw::pg
