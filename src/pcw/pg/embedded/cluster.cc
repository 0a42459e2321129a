#include "pcw/pg/embedded/cluster.h"

#include <cerrno>
#include <fstream>
#include <mutex>
#include <optional>
#include <system_error>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pcw/base/file.h"
#include "pcw/base/log.h"
#include "pcw/pg/connection.h"
#include "pcw/pg/embedded/directories.h"
#include "pcw/pg/embedded/process.h"
#include "pcw/pg/embedded/server_file.h"

namespace pcw::pg {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds kStartPatience{60};
constexpr int kBetweenLooksMs = 50;

std::string WordsOf(int error) { return std::generic_category().message(error); }

// A lock file held by flock: the kernel releases it with the process, however that ends.
class FileLock {
 public:
  static Result<FileLock> Open(const fs::path& path) {
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
      return Error(ErrorCode::kConfig,
                   fmt::format("cannot open {}: {}", path.string(), WordsOf(errno)));
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

  void StandIn(fs::path directory) {
    socket_directory = std::move(directory);
    server_url = fmt::format("host={} user=pcw dbname=postgres", socket_directory.string());
    url = fmt::format("host={} user=pcw dbname=pcw", socket_directory.string());
  }

  // Whether the server that listens in `directory` is the one of our data. Only one that answers
  // and says so is ours, whatever a file says.
  bool IsOursIn(const fs::path& directory, pid_t expected) const {
    const pid_t listener = ListenerIn(directory);
    if (listener != 0 && listener != expected) return false;
    ConnectOptions options{.url =
                               fmt::format("host={} user=pcw dbname=postgres", directory.string())};
    options.connect_timeout = std::chrono::milliseconds(2000);
    Result<Connection> opened = Connection::Open(options);
    // Full of sessions it answers too, and the kernel has told who it is.
    if (!opened) return listener != 0 && opened.error().Find("sqlstate") == "53300";
    const Result<Rows> said =
        opened->Exec({"data_directory", "SELECT current_setting('data_directory')"});
    std::error_code problem;
    return said && !said->empty() && fs::equivalent(said->Text(0, 0), data, problem) && !problem;
  }

  // Where the running server is reached from here: the directory that it wrote down (line 5), seen
  // with its own eyes when its /tmp is another than ours.
  std::optional<fs::path> Reach(const ServerFile& file) const {
    std::vector<fs::path> places{socket_directory};
    if (!file.socket_directory.empty()) {
      places.insert(places.begin(), file.socket_directory);
      places.push_back(fmt::format("/proc/{}/root", file.pid) /
                       file.socket_directory.relative_path());
    }
    for (const fs::path& place : places) {
      if (IsOursIn(place, file.pid)) return place;
    }
    return std::nullopt;
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

  // A server of our data runs: waits until it answers, for it may just be starting.
  Status Adopt(const ServerFile& file, const std::stop_token& stop) {
    const auto give_up = std::chrono::steady_clock::now() + kStartPatience;
    for (std::optional<ServerFile> now = file;
         now && now->pid == file.pid && WhoHas(now->pid, data) != PidHolder::kNobody;
         now = ReadServerFile(data)) {
      if (std::optional<fs::path> place = Reach(*now)) {
        StandIn(std::move(*place));
        return Ok{};
      }
      if (stop.stop_requested())
        return Error(ErrorCode::kCancelled, "stopped while waiting for the embedded PostgreSQL");
      if (std::chrono::steady_clock::now() >= give_up) {
        return Error(
            ErrorCode::kUnavailable,
            fmt::format("the embedded PostgreSQL of {} runs as process {}, and does not "
                        "answer in {}: end the pcw that started it (its last user stops "
                        "it), or look into {}",
                        home.string(), now->pid, now->socket_directory.string(), log.string()));
      }
      ::poll(nullptr, 0, kBetweenLooksMs);
    }
    return Error(ErrorCode::kUnavailable, "the embedded PostgreSQL has just ended; try again");
  }

  Status StartServer(const std::stop_token& stop) {
    std::error_code ignored;
    if (const std::optional<ServerFile> file = ReadServerFile(data)) {
      const PidHolder holder = WhoHas(file->pid, data);
      // Running, or orphaned by a killed pcw.
      if (holder == PidHolder::kServer || holder == PidHolder::kUnknown) return Adopt(*file, stop);
      // The server died. Its successor stands where it stood: there others still look for it.
      if (IsOwnDirectory(file->socket_directory)) StandIn(file->socket_directory);
      if (holder == PidHolder::kStranger) {
        // PostgreSQL would take any process of this user that has the number for a server.
        Log(LogLevel::kWarn, "postmaster.pid is stale: its number is another process's by now",
            {{"pid", std::to_string(file->pid)}, {"directory", data.string()}});
        fs::remove(data / "postmaster.pid", ignored);
      }
    }
    PCW_TRY_OK(MakeOwnedDirectory(socket_directory, user, 0700));
    if (fs::exists(log, ignored) && fs::file_size(log, ignored) > (8U << 20U))
      fs::rename(log, log.string() + ".1", ignored);
    PCW_TRY(const Finished started,
            RunProgram(programs / "pg_ctl",
                       {"start", "-D", data.string(), "-l", log.string(), "-w", "-t", "60", "-s",
                        "-o", fmt::format("-k {}", socket_directory.string())},
                       user));
    const std::optional<ServerFile> file = ReadServerFile(data);
    if (file && IsOursIn(socket_directory, file->pid)) return Ok{};
    return Error(ErrorCode::kUnavailable,
                 fmt::format("the embedded PostgreSQL does not start: {} {}", started.output,
                             LogTail(log)))
        .With("log", log.string());
  }

  // A link or somebody else's directory is not a place for our socket.
  bool IsOwnDirectory(const fs::path& path) const {
    struct stat info {};
    return !path.empty() && ::lstat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode) &&
           info.st_uid == user.uid && (info.st_mode & 0077) == 0;
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
    if (done) done = StartServer(stop);
    if (done) done = MakeDatabase(stop);
    starting->Take(LOCK_UN);
    return done;
  }

  // Whoever can turn its shared lock into an exclusive one is alone. What is stopped is a server
  // that has answered on our socket and named our data; the number in a file proves nothing.
  void StopIfLast() {
    starting->Take(LOCK_EX);
    const std::optional<ServerFile> file = ReadServerFile(data);
    const bool is_ours = file && WhoHas(file->pid, data) == PidHolder::kServer &&
                         IsOursIn(socket_directory, file->pid);
    if (users->Take(LOCK_EX | LOCK_NB) && is_ours) {
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
  PCW_TRY(state->user, FindServerUser(state->data));
  PCW_TRY(state->programs, FindServerPrograms());
  PCW_TRY_OK(MakeTraversable(state->home, state->user));
  PCW_TRY_OK(MakeOwnedDirectory(state->data, state->user, 0700));
  {
    PCW_TRY(fs::path directory, MakeSocketDirectory(state->home, state->user));
    state->StandIn(std::move(directory));
  }
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
