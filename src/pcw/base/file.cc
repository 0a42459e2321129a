#include "pcw/base/file.h"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <random>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pcw/base/stale_temporaries.h"

namespace pcw {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kTemporaryEnding = ".tmp";

// Owns a descriptor.
class Fd {
 public:
  explicit Fd(int fd) : fd_(fd) {}
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }
  bool is_open() const { return fd_ >= 0; }

 private:
  int fd_;
};

std::string WordsOf(int error) { return std::error_code(error, std::generic_category()).message(); }

// A wrong path or mode is a matter of the configuration. A machine that runs short of something, or
// whose disk or file server fails, is not.
ErrorCode CodeOfRead(int error) {
  switch (error) {
    case ENOENT:
      return ErrorCode::kNotFound;
    case EIO:
    case ENOMEM:
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case EAGAIN:
    case ESTALE:
    case ETIMEDOUT:
    case EHOSTDOWN:
    case ENETDOWN:
      return ErrorCode::kUnavailable;
    default:
      return ErrorCode::kConfig;
  }
}

Error ReadError(const fs::path& path, int error) {
  Error problem(CodeOfRead(error),
                fmt::format("cannot read {}: {}", path.string(), WordsOf(error)));
  if (error == EIO) problem.As(ErrorMark::kOfOneObject);
  return problem;
}

Error WriteError(const fs::path& path, std::string_view step, int error) {
  std::string advice;
  if (error == ENOSPC || error == EDQUOT) advice = "; free space there and run again";
  if (error == EACCES || error == EPERM) advice = "; check the owner and mode of the directory";
  if (error == EROFS) advice = "; the file system is read-only";
  return Error(ErrorCode::kUnavailable, fmt::format("cannot write {}: {} ({}){}", path.string(),
                                                    WordsOf(error), step, advice));
}

Status SyncDirectory(const fs::path& directory) {
  const Fd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.is_open() || ::fsync(fd.get()) != 0)
    return WriteError(directory, "fsync directory", errno);
  return Ok{};
}

// Makes `directory` and its missing parents, each made durable in its parent.
Status MakeDirectories(const fs::path& directory) {
  std::error_code ignored;
  if (directory.empty() || fs::is_directory(directory, ignored)) return Ok{};
  PCW_TRY_OK(MakeDirectories(directory.parent_path()));
  if (::mkdir(directory.c_str(), 0750) != 0 && errno != EEXIST) {
    return WriteError(directory, "mkdir", errno);
  }
  return SyncDirectory(directory.has_parent_path() ? directory.parent_path() : fs::path("."));
}

Status WriteAll(int fd, std::string_view content, const fs::path& path) {
  while (!content.empty()) {
    const ssize_t n = ::write(fd, content.data(), content.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return WriteError(path, "write", n == 0 ? ENOSPC : errno);
    content.remove_prefix(static_cast<std::size_t>(n));
  }
  return Ok{};
}

// Another process with this one's number may write to the same directory: in every container the
// program is number 1. Names are drawn, and O_EXCL has the last word.
Result<fs::path> MakeTemporary(const fs::path& path, const fs::path& directory, int& fd) {
  constexpr int kMostDraws = 8;
  std::random_device random;
  for (int i = 0; i < kMostDraws; ++i) {
    const std::uint64_t drawn = (std::uint64_t{random()} << 32U) | random();
    fs::path temporary = directory / fmt::format(".{}.{}.{:016x}{}", path.filename().string(),
                                                 ::getpid(), drawn, kTemporaryEnding);
    fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
    if (fd >= 0) return temporary;
    if (errno != EEXIST) break;
  }
  return WriteError(path, "create", errno);
}

Status Publish(const fs::path& temporary, const fs::path& path, IfExists if_exists) {
  if (if_exists == IfExists::kReplace) {
    if (::rename(temporary.c_str(), path.c_str()) != 0) return WriteError(path, "rename", errno);
    return Ok{};
  }
  // link() refuses an existing name, which rename() would silently replace.
  const int linked = ::link(temporary.c_str(), path.c_str());
  const int error = errno;
  ::unlink(temporary.c_str());
  if (linked == 0) return Ok{};
  if (error == EEXIST) {
    return Error(ErrorCode::kConflict, fmt::format("{} exists already", path.string()));
  }
  return WriteError(path, "link", error);
}

}  // namespace

Result<std::string> ReadFile(const fs::path& path, std::size_t max_bytes) {
  // O_NONBLOCK: a FIFO given by mistake must not hang the program.
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd.is_open()) return ReadError(path, errno);
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) return ReadError(path, errno);
  if (!S_ISREG(info.st_mode)) {
    return Error(ErrorCode::kConfig, fmt::format("{} is not a regular file", path.string()));
  }
  // Room for what it says it holds, and one byte more to see its end: grown piece by piece, a large
  // file would be copied several times over. What grows meanwhile (/proc says 0) is read too.
  std::string content(std::min(static_cast<std::size_t>(info.st_size), max_bytes) + 1, '\0');
  std::size_t size = 0;
  for (;;) {
    if (size == content.size()) content.resize(2 * size + 4096);
    const ssize_t n = ::read(fd.get(), content.data() + size, content.size() - size);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return ReadError(path, errno);
    size += static_cast<std::size_t>(n);
    if (size > max_bytes) {
      return Error(ErrorCode::kConfig,
                   fmt::format("{} is larger than {} bytes", path.string(), max_bytes));
    }
    if (n == 0) break;
  }
  content.resize(size);
  return content;
}

Status WriteFileDurably(const fs::path& path, std::string_view content, IfExists if_exists,
                        const fs::path& temporaries) {
  const fs::path directory = path.has_parent_path() ? path.parent_path() : fs::path(".");
  PCW_TRY_OK(MakeDirectories(directory));
  if (!temporaries.empty()) PCW_TRY_OK(MakeDirectories(temporaries));
  int opened = -1;
  PCW_TRY(const fs::path temporary,
          MakeTemporary(path, temporaries.empty() ? directory : temporaries, opened));
  {
    const Fd fd(opened);
    Status written = WriteAll(fd.get(), content, path);
    if (written && ::fsync(fd.get()) != 0) written = WriteError(path, "fsync", errno);
    if (!written) {
      ::unlink(temporary.c_str());
      return written;
    }
  }
  if (Status published = Publish(temporary, path, if_exists); !published) {
    ::unlink(temporary.c_str());
    return published;
  }
  return SyncDirectory(directory);
}

int RemoveStaleTemporaries(const fs::path& directory, std::chrono::seconds age) {
  // Ages are told by the clock of the file system: that of this machine may be another.
  int fd = -1;
  const Result<fs::path> own = MakeTemporary("age", directory, fd);
  if (!own) return 0;  // what cannot be written is told by the write that needs it
  const Fd closes(fd);
  std::error_code problem;
  const fs::file_time_type now = fs::last_write_time(*own, problem);
  ::unlink(own->c_str());
  if (problem) return 0;
  int removed = 0;
  for (fs::directory_iterator entry(directory, problem), end; !problem && entry != end;
       entry.increment(problem)) {
    std::error_code vanished;
    const std::string name = entry->path().filename().string();
    const bool is_temporary = name.starts_with('.') && name.ends_with(kTemporaryEnding) &&
                              entry->is_regular_file(vanished) && !entry->is_symlink(vanished);
    if (!is_temporary) continue;
    const fs::file_time_type written = fs::last_write_time(entry->path(), vanished);
    if (vanished || now - written < age) continue;
    removed += fs::remove(entry->path(), vanished) ? 1 : 0;
  }
  return removed;
}

}  // namespace pcw
