#include "pcw/pg/embedded/directories.h"

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <system_error>

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "pcw/base/digest.h"

namespace pcw::pg {
namespace {

namespace fs = std::filesystem;

std::string SystemReason(int error) { return std::generic_category().message(error); }

Error BelongsToAnother(const fs::path& path, uid_t owner, uid_t wanted) {
  const std::string name = UserName(wanted);
  return Error(ErrorCode::kConfig,
               fmt::format("{0} belongs to the user {1}, and this pcw works as {2}: run it as {1}, "
                           "or, if it is to be {2}'s, once as root: chown -R {2} {0}; nothing was "
                           "changed",
                           path.string(), UserName(owner), name));
}

bool IsDirectoryOf(const fs::path& path, uid_t owner) {
  struct stat info {};
  return ::lstat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode) && info.st_uid == owner;
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
  if (::setxattr(directory.c_str(), kAttribute, &list, sizeof list, 0) == 0) return true;
  // A file system without such lists. A directory of our own may be passed by everybody instead:
  // what is in it has modes of its own.
  struct stat info {};
  if (errno != ENOTSUP || ::stat(directory.c_str(), &info) != 0 || info.st_uid != ::geteuid())
    return false;
  return ::chmod(directory.c_str(), (info.st_mode & 07777U) | S_IXOTH) == 0;
}

// The directory below which every home has its own.
Result<fs::path> SocketBase(const ServerUser& user) {
  const fs::path run = "/run/pcw";
  if (::geteuid() == 0) {
    std::error_code ignored;
    fs::create_directories(run, ignored);
    const fs::path base = IsDirectoryOf(run, 0) ? run : fs::path("/run/pcw-root");
    fs::create_directories(base, ignored);
    if (!IsDirectoryOf(base, 0)) {
      return Error(ErrorCode::kConfig,
                   fmt::format("{} must be a directory of root: the socket of the embedded "
                               "PostgreSQL is below it",
                               base.string()));
    }
    ::chmod(base.c_str(), 0755);
    return base;
  }
  if (IsDirectoryOf(run, user.uid)) return run;
  const char* runtime = std::getenv("XDG_RUNTIME_DIR");
  const bool has_runtime =
      runtime != nullptr && *runtime == '/' &&
      (::access(runtime, W_OK) == 0 || IsDirectoryOf(fs::path(runtime) / "pcw", user.uid));
  const fs::path base =
      has_runtime ? fs::path(runtime) / "pcw" : fs::path(fmt::format("/tmp/pcw-{}", ::geteuid()));
  PCW_TRY_OK(MakeOwnedDirectory(base, user, 0700));
  return base;
}

}  // namespace

Status MakeOwnedDirectory(const fs::path& path, const ServerUser& user, mode_t mode) {
  std::error_code problem;
  fs::create_directories(path.parent_path(), problem);
  if (::mkdir(path.c_str(), mode) != 0 && errno != EEXIST) {
    return Error(ErrorCode::kConfig,
                 fmt::format("cannot make {}: {}; set PCW_HOME to a directory this user may write",
                             path.string(), SystemReason(errno)));
  }
  struct stat info {};
  // lstat: a link planted by somebody else must not lead the server elsewhere.
  if (::lstat(path.c_str(), &info) != 0 || !S_ISDIR(info.st_mode)) {
    return Error(
        ErrorCode::kConfig,
        fmt::format("{} is not a directory, and pcw needs one there: move it elsewhere, or "
                    "set PCW_HOME to another directory",
                    path.string()));
  }
  if (user.must_switch && info.st_uid == 0) {
    if (::chown(path.c_str(), user.uid, user.gid) != 0) {
      return Error(ErrorCode::kConfig, fmt::format("cannot give {} to the server's user: {}",
                                                   path.string(), SystemReason(errno)));
    }
  } else if (info.st_uid != user.uid) {
    return BelongsToAnother(path, info.st_uid, user.uid);
  }
  if ((info.st_mode & 0777) != mode) ::chmod(path.c_str(), mode);
  return Ok{};
}

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

Result<fs::path> MakeSocketDirectory(const fs::path& home, const ServerUser& user) {
  PCW_TRY(const fs::path base, SocketBase(user));
  fs::path directory = base / Sha256Hex(home.string()).substr(0, 12);
  PCW_TRY_OK(MakeOwnedDirectory(directory, user, 0700));
  return directory;
}

}  // namespace pcw::pg
