#include "pcw/pg/embedded/server_file.h"

#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>
#include <vector>

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace pcw::pg {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kSocketDirectoryLine = 5;

// Empty for a process that is ending, and when it may not be read.
std::vector<std::string> ArgumentsOf(const fs::path& process) {
  std::ifstream file(process / "cmdline", std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  std::vector<std::string> arguments;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\0', at), text.size());
    arguments.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return arguments;
}

bool IsSame(const fs::path& left, const fs::path& right) {
  std::error_code problem;
  return fs::equivalent(left, right, problem) && !problem;
}

}  // namespace

std::optional<ServerFile> ReadServerFile(const fs::path& data) {
  std::ifstream file(data / "postmaster.pid");
  ServerFile read;
  std::string line;
  if (!(file >> read.pid) || read.pid <= 0) return std::nullopt;
  for (std::size_t number = 1; number <= kSocketDirectoryLine; ++number) {
    // The rest of the first line, then whole ones; a server that has just begun wrote fewer.
    if (!std::getline(file, line)) return read;
  }
  read.socket_directory = line;
  return read;
}

PidHolder WhoHas(pid_t pid, const fs::path& data) {
  const fs::path process = fmt::format("/proc/{}", pid);
  std::error_code problem;
  if (!fs::exists(process, problem)) return PidHolder::kNobody;
  const std::vector<std::string> arguments = ArgumentsOf(process);
  if (arguments.empty() || fs::path(arguments.front()).filename() != "postgres")
    return PidHolder::kStranger;
  // A server works in its data directory. Of another user's process only root with all its powers
  // may read that. By the directory itself and not by its name: a process whose mounts are its own
  // (a service with a private /tmp, in a chroot) may have another name for it.
  const bool is_there = fs::equivalent(process / "cwd", data, problem);
  if (!problem) return is_there ? PidHolder::kServer : PidHolder::kStranger;
  for (std::size_t i = 1; i + 1 < arguments.size(); ++i) {
    if (arguments[i] != "-D") continue;
    const fs::path named = arguments[i + 1];
    if (IsSame(named, data)) return PidHolder::kServer;
    if (named.is_absolute()) return PidHolder::kStranger;
  }
  return PidHolder::kUnknown;
}

pid_t ListenerIn(const fs::path& directory) {
  const std::string path = directory / ".s.PGSQL.5432";
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return 0;
  std::memcpy(address.sun_path, path.data(), path.size());
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return 0;
  ucred peer{};
  socklen_t size = sizeof peer;
  // The kernel keeps who called listen(2): the server itself, not the process that answers.
  const bool is_known =
      ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
      ::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0;
  ::close(fd);
  return is_known ? peer.pid : 0;
}

}  // namespace pcw::pg
