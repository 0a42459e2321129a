#include "pcw/config/home.h"

#include <cerrno>
#include <cstring>
#include <string_view>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pcw/aws/profile.h"

namespace pcw::config {
namespace {

namespace fs = std::filesystem;

std::string WordsOf(int code) { return std::error_code(code, std::generic_category()).message(); }

Error Failed(std::string_view doing, const fs::path& path) {
  return Error(ErrorCode::kUnavailable,
               fmt::format("cannot {} {}: {}", doing, path.string(), WordsOf(errno)));
}

bool WriteAll(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

}  // namespace

fs::path HomeDirectory(const std::map<std::string, std::string>& environment) {
  if (const auto home = aws::Lookup(environment, "PCW_HOME")) return *home;
  if (::geteuid() == 0) return "/var/lib/pcw";
  if (const auto state = aws::Lookup(environment, "XDG_STATE_HOME"))
    return fs::path(*state) / "pcw";
  if (const auto home = aws::Lookup(environment, "HOME"))
    return fs::path(*home) / ".local/state/pcw";
  return {};
}

Status CheckHome(const std::map<std::string, std::string>& environment) {
  if (!HomeDirectory(environment).empty()) return Ok{};
  return Error(
      ErrorCode::kConfig,
      "nothing says where pcw may keep its state: none of PCW_HOME, XDG_STATE_HOME and HOME "
      "is set; set PCW_HOME to a directory of this user, for example /var/lib/pcw");
}

Status MakeHome(const fs::path& home) {
  std::error_code problem;
  fs::create_directories(home.parent_path(), problem);
  const bool is_new = ::mkdir(home.c_str(), 0700) == 0;
  if (!is_new && errno != EEXIST) {
    return Error(ErrorCode::kConfig,
                 fmt::format("cannot make {}: {}; set PCW_HOME to a directory this user may write",
                             home.string(), WordsOf(errno)));
  }
  struct stat info {};
  if (::stat(home.c_str(), &info) != 0 || !S_ISDIR(info.st_mode)) {
    return Error(ErrorCode::kConfig,
                 fmt::format("{} is not a directory; set PCW_HOME to one", home.string()));
  }
  constexpr mode_t kOfOthers = S_IRGRP | S_IWGRP | S_IROTH | S_IWOTH;
  const mode_t mode = is_new ? mode_t{0700} : info.st_mode & 07777 & ~kOfOthers;
  // Who is not the owner cannot change it, and is told by whatever needs the directory.
  if (info.st_uid == ::geteuid() && (info.st_mode & 07777) != mode &&
      ::chmod(home.c_str(), mode) != 0) {
    return Error(ErrorCode::kConfig,
                 fmt::format("{} is open to other users and cannot be closed: {}; chmod 700 {}",
                             home.string(), WordsOf(errno), home.string()));
  }
  return Ok{};
}

Status WriteSecretFile(const fs::path& path, std::string_view content) {
  const fs::path temporary = path.string() + ".new";
  ::unlink(temporary.c_str());
  const int fd =
      ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return Failed("make", temporary);
  const bool is_written = ::fchmod(fd, 0600) == 0 && WriteAll(fd, content) && ::fsync(fd) == 0;
  const int code = errno;
  ::close(fd);
  if (is_written && ::rename(temporary.c_str(), path.c_str()) == 0) return Ok{};
  if (!is_written) errno = code;
  Error failed = Failed("write", path);
  ::unlink(temporary.c_str());
  return failed;
}

}  // namespace pcw::config
