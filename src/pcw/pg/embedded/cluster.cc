#include "pcw/pg/embedded/cluster.h"

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <mutex>
#include <system_error>
#include <thread>

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "pcw/base/digest.h"
#include "pcw/base/file.h"
#include "pcw/base/log.h"
#include "pcw/pg/connection.h"
#include "pcw/pg/embedded/process.h"

namespace pcw::pg {
namespace {

namespace fs = std::filesystem;

std::string Reason(int error) { return std::generic_category().message(error); }

// A lock file held by flock: the kernel releases it with the process, however that ends.
class FileLock {
 public:
  static Result<FileLock> Open(const fs::path& path) {
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
      return Error(ErrorCode::kConfig,
                   fmt::format("cannot open {}: {}", path.string(), Reason(errno)));
    return FileLock(fd);
  }
  FileLock(FileLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileLock& operator=(FileLock&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~FileLock() {
    if (fd_ >= 0) ::close(fd_);
  }
  bool Take(int operation) {
    while (::flock(fd_, operation) != 0) {
      if (errno != EINTR) return false;
    }
    return true;
  }

 private:
  explicit FileLock(int fd) : fd_(fd) {}
  int fd_;
};

Status MakeOwnedDirectory(const fs::path& path, const ServerUser& user, mode_t mode) {
  std::error_code problem;
  fs::create_directories(path.parent_path(), problem);
  if (::mkdir(path.c_str(), mode) != 0 && errno != EEXIST) {
    return Error(ErrorCode::kConfig,
                 fmt::format("cannot make {}: {}; set PCW_HOME to a directory this user may write",
                             path.string(), Reason(errno)));
  }
  struct stat info {};
  // lstat: a link planted by somebody else must not lead the server elsewhere.
  if (::lstat(path.c_str(), &info) != 0 || !S_ISDIR(info.st_mode)) {
    return Error(ErrorCode::kConfig,
                 fmt::format("{} is not a directory; remove it", path.string()));
  }
  if (user.must_switch && info.st_uid == 0 && ::chown(path.c_str(), user.uid, user.gid) != 0) {
    return Error(ErrorCode::kConfig, fmt::format("cannot give {} to the server's user: {}",
                                                 path.string(), Reason(errno)));
  }
  if (!user.must_switch && info.st_uid != user.uid) {
    return Error(
        ErrorCode::kConfig,
        fmt::format("{} belongs to another user; remove it or set PCW_HOME", path.string()));
  }
  if ((info.st_mode & 0777) != mode) ::chmod(path.c_str(), mode);
  return Ok{};
}

// Whether an entry of ours is there already. access() answers for the real user, so a child would
// be needed to ask for another; the list says it.
bool HasPassage(const fs::path& directory, uid_t uid) {
  char list[1024];
  const ssize_t size = ::getxattr(directory.c_str(), "system.posix_acl_access", list, sizeof list);
  for (ssize_t at = 4; at + 8 <= size; at += 8) {
    std::uint16_t tag = 0, permissions = 0;
    std::uint32_t id = 0;
    std::memcpy(&tag, list + at, 2);
    std::memcpy(&permissions, list + at + 2, 2);
    std::memcpy(&id, list + at + 4, 4);
    if (tag == 0x02 && id == uid && (permissions & 1U) != 0) return true;
  }
  return false;
}

// Lets one user pass a directory, and nobody else: an access control list with one entry more,
// written as the kernel keeps it (linux/posix_acl_xattr.h). False if the directory has a list
// already or the file system has none.
bool GrantPassage(const fs::path& directory, mode_t mode, uid_t uid) {
  constexpr const char* kAttribute = "system.posix_acl_access";
  if (::getxattr(directory.c_str(), kAttribute, nullptr, 0) > 0) return false;
  struct Entry {
    std::uint16_t tag, permissions;
    std::uint32_t id;
  };
  constexpr std::uint32_t kNoId = ~0U;
  const auto bits = [mode](unsigned shift) {
    return static_cast<std::uint16_t>(mode >> shift & 7U);
  };
  struct {
    std::uint32_t version = 2;
    Entry entries[5];
  } list;
  list.entries[0] = {0x01, bits(6), kNoId};                      // the owner
  list.entries[1] = {0x02, 1, static_cast<std::uint32_t>(uid)};  // the server's user: pass
  list.entries[2] = {0x04, bits(3), kNoId};                      // the group
  list.entries[3] = {0x10, static_cast<std::uint16_t>(bits(3) | 1U), kNoId};  // the mask
  list.entries[4] = {0x20, bits(0), kNoId};                                   // everybody else
  return ::setxattr(directory.c_str(), kAttribute, &list, sizeof list, 0) == 0;
}

// Every directory above the data must let the server's user pass. Root may run us in a private
// directory (mode 700).
Status MakeTraversable(const fs::path& home, const ServerUser& user) {
  if (!user.must_switch) return Ok{};
  for (fs::path path = home; path != path.root_path(); path = path.parent_path()) {
    struct stat info {};
    if (::stat(path.c_str(), &info) != 0) continue;
    const bool may_pass = (info.st_mode & S_IXOTH) != 0 ||
                          (info.st_uid == user.uid && (info.st_mode & S_IXUSR) != 0) ||
                          (info.st_gid == user.gid && (info.st_mode & S_IXGRP) != 0) ||
                          HasPassage(path, user.uid);
    if (may_pass || GrantPassage(path, info.st_mode, user.uid)) continue;
    return Error(ErrorCode::kConfig,
                 fmt::format("the embedded PostgreSQL cannot reach its data: {0} does not let its "
                             "user pass; chmod o+x {0}, or set PCW_HOME to a "
                             "directory outside, for example /var/lib/pcw",
                             path.string()));
  }
  return Ok{};
}

// Short, because a socket address holds 107 bytes, and private, because the server trusts whoever
// can reach it.
Result<fs::path> MakeSocketDirectory(const fs::path& home, const ServerUser& user) {
  fs::path base;
  if (::geteuid() == 0) {
    base = "/run/pcw";
    std::error_code ignored;
    fs::create_directories(base, ignored);
    ::chmod(base.c_str(), 0755);
  } else {
    const char* runtime = std::getenv("XDG_RUNTIME_DIR");
    const bool has_runtime = runtime != nullptr && *runtime == '/' && ::access(runtime, W_OK) == 0;
    base =
        has_runtime ? fs::path(runtime) / "pcw" : fs::path(fmt::format("/tmp/pcw-{}", ::geteuid()));
    PCW_TRY_OK(MakeOwnedDirectory(base, user, 0700));
  }
  const fs::path directory = base / Sha256Hex(home.string()).substr(0, 12);
  PCW_TRY_OK(MakeOwnedDirectory(directory, user, 0700));
  return directory;
}

std::string LogTail(const fs::path& log) {
  const Result<std::string> text = ReadFile(log, 64U << 20U);
  if (!text) return "no log";
  return text->size() > 600 ? text->substr(text->size() - 600) : *text;
}

}  // namespace

struct EmbeddedCluster::State {
  fs::path home, data, log, socket_directory, programs;
  ServerUser user;
  std::string server_url;  // database postgres, for making ours
  std::string url;
  std::mutex mutex;  // one restart at a time
  std::optional<FileLock> users;
  std::optional<FileLock> starting;

  pid_t ServerPid() const {
    std::ifstream file(data / "postmaster.pid");
    pid_t pid = 0;
    file >> pid;
    return file && pid > 0 && ::kill(pid, 0) == 0 ? pid : 0;
  }

  bool Answers() const {
    ConnectOptions options{.url = server_url};
    options.connect_timeout = std::chrono::milliseconds(2000);
    return Connection::Open(options).has_value();
  }

  Status InitDatabase() {
    if (fs::exists(data / "PG_VERSION")) return Ok{};
    const fs::path fresh = home / "pg.new";
    std::error_code problem;
    fs::remove_all(fresh, problem);
    PCW_TRY_OK(MakeOwnedDirectory(fresh, user, 0700));
    PCW_TRY(const Finished made, RunProgram(programs / "initdb",
                                            {"-D", fresh.string(), "-U", "pcw", "-A", "trust",
                                             "--locale=C.UTF-8", "-E", "UTF8", "--no-instructions"},
                                            user));
    if (made.exit_code != 0)
      return Error(ErrorCode::kConfig,
                   fmt::format("initdb failed in {}: {}", fresh.string(), made.output));
    // Only whoever may enter the socket directory reaches the server; no network listener exists.
    PCW_TRY_OK(WriteSettings(fresh));
    // What stands in pg/ now are only our lock files.
    for (const auto& entry : fs::directory_iterator(fresh)) {
      if (entry.path().filename() == "PG_VERSION") continue;
      const fs::path target = data / entry.path().filename();
      fs::remove_all(target, problem);
      fs::rename(entry.path(), target, problem);
      if (problem)
        return Error(ErrorCode::kConfig, fmt::format("cannot move {} into place: {}",
                                                     entry.path().string(), problem.message()));
    }
    // PG_VERSION last: its presence says that the cluster is whole.
    fs::rename(fresh / "PG_VERSION", data / "PG_VERSION", problem);
    if (problem)
      return Error(ErrorCode::kConfig,
                   fmt::format("cannot complete {}: {}", data.string(), problem.message()));
    fs::remove_all(fresh, problem);
    return Ok{};
  }

  Status WriteSettings(const fs::path& directory) const {
    std::ofstream settings(directory / "postgresql.auto.conf", std::ios::app);
    settings << "listen_addresses = ''\n"
                "max_connections = 100\n"
                "shared_buffers = '64MB'\n"
                "max_wal_size = '512MB'\n"
                "checkpoint_completion_target = 0.9\n"
                "wal_compression = lz4\n"
                "log_min_messages = warning\n"
                "log_timezone = 'UTC'\n"
                "timezone = 'UTC'\n"
                "idle_in_transaction_session_timeout = '10min'\n";
    settings.close();
    if (!settings)
      return Error(ErrorCode::kConfig,
                   fmt::format("cannot write the server's settings in {}", directory.string()));
    return Ok{};
  }

  Status StartServer() {
    if (ServerPid() != 0 && Answers())
      return Ok{};  // running, or orphaned by a killed pcw: adopted
    std::error_code ignored;
    if (fs::exists(log, ignored) && fs::file_size(log, ignored) > (8U << 20U))
      fs::rename(log, log.string() + ".1", ignored);
    PCW_TRY(const Finished started,
            RunProgram(programs / "pg_ctl",
                       {"start", "-D", data.string(), "-l", log.string(), "-w", "-t", "60", "-s",
                        "-o", fmt::format("-k {}", socket_directory.string())},
                       user));
    if (started.exit_code != 0 && !Answers()) {
      return Error(ErrorCode::kUnavailable,
                   fmt::format("the embedded PostgreSQL does not start: {} {}", started.output,
                               LogTail(log)))
          .With("log", log.string());
    }
    return Ok{};
  }

  Status MakeDatabase(std::stop_token stop) {
    ConnectOptions options{.url = server_url};
    PCW_TRY(Connection server, Connection::Open(options, stop));
    PCW_TRY(const Rows found,
            server.Exec({"database_find", "SELECT 1 FROM pg_database WHERE datname = 'pcw'"}, {},
                        stop));
    if (!found.empty()) return Ok{};
    return server.ExecScript("database_create", "CREATE DATABASE pcw", stop);
  }

  // Under the start lock, so that of several processes one starts the server and the others find it
  // running.
  Status EnsureRunning(std::stop_token stop) {
    const std::lock_guard guard(mutex);
    starting->Take(LOCK_EX);
    Status done = InitDatabase();
    if (done) done = StartServer();
    if (done) done = MakeDatabase(stop);
    starting->Take(LOCK_UN);
    return done;
  }

  void StopIfLast() {
    starting->Take(LOCK_EX);
    // Whoever can turn its shared lock into an exclusive one is alone.
    if (users->Take(LOCK_EX | LOCK_NB) && ServerPid() != 0) {
      Result<Finished> stopped =
          RunProgram(programs / "pg_ctl",
                     {"stop", "-D", data.string(), "-m", "fast", "-w", "-t", "60", "-s"}, user);
      if (!stopped) LogError("the embedded PostgreSQL could not be stopped", stopped.error());
    }
    starting->Take(LOCK_UN);
  }
};

EmbeddedCluster::EmbeddedCluster(std::unique_ptr<State> state) : state_(std::move(state)) {}

EmbeddedCluster::~EmbeddedCluster() { state_->StopIfLast(); }

const std::string& EmbeddedCluster::url() const { return state_->url; }

Status EmbeddedCluster::EnsureRunning(std::stop_token stop) { return state_->EnsureRunning(stop); }

Result<std::unique_ptr<EmbeddedCluster>> EmbeddedCluster::Start(const ClusterOptions& options,
                                                                std::stop_token stop) {
  auto state = std::make_unique<State>();
  std::error_code problem;
  fs::create_directories(options.home, problem);
  if (problem)
    return Error(ErrorCode::kConfig,
                 fmt::format("cannot make {}: {}; set PCW_HOME to a directory this user may write",
                             options.home.string(), problem.message()));
  state->home = fs::canonical(options.home, problem);
  state->data = state->home / "pg";
  state->log = state->data / "server.log";
  PCW_TRY(state->user, FindServerUser());
  PCW_TRY(state->programs, FindServerPrograms());
  PCW_TRY_OK(MakeTraversable(state->home, state->user));
  PCW_TRY_OK(MakeOwnedDirectory(state->data, state->user, 0700));
  PCW_TRY(state->socket_directory, MakeSocketDirectory(state->home, state->user));
  state->server_url =
      fmt::format("host={} user=pcw dbname=postgres", state->socket_directory.string());
  state->url = fmt::format("host={} user=pcw dbname=pcw", state->socket_directory.string());
  {
    PCW_TRY(state->users, FileLock::Open(state->data / "users.lock"));
    PCW_TRY(state->starting, FileLock::Open(state->data / "start.lock"));
  }
  // Shared, and taken under the start lock: a last user that is just stopping the server is waited
  // for, not raced.
  state->starting->Take(LOCK_EX);
  state->users->Take(LOCK_SH);
  state->starting->Take(LOCK_UN);
  std::unique_ptr<EmbeddedCluster> cluster(new EmbeddedCluster(std::move(state)));
  PCW_TRY_OK(cluster->EnsureRunning(stop));
  return cluster;
}

}  // namespace pcw::pg
