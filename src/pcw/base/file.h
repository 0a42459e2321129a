// Files: bounded reads and durable, atomic writes.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

#include "pcw/base/result.h"

namespace pcw {

/// The whole file, refused above `max_bytes`. kNotFound if absent; kConfig if it may not be read,
/// is too large or not a regular file; kUnavailable if the machine cannot read it (a failing disk,
/// no descriptors or memory left).
Result<std::string> ReadFile(const std::filesystem::path& path, std::size_t max_bytes);

/// What an atomic write does when the path exists.
enum class IfExists { kReplace, kFail };

/// Writes `content` so that a crash at any moment leaves either nothing or the whole file:
/// temporary file, fsync, rename (or link, for kFail), fsync of the directory. Parent directories
/// are made. The temporary file lies in `temporaries` (made if absent; the same file system) or
/// beside the target if that is empty. kConflict if it exists and `if_exists` is kFail;
/// kUnavailable with the system's reason (disk full, read-only, permission) otherwise.
Status WriteFileDurably(const std::filesystem::path& path, std::string_view content,
                        IfExists if_exists, const std::filesystem::path& temporaries = {});

}  // namespace pcw
