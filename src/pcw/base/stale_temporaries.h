// What writes that were killed left behind.
#pragma once

#include <chrono>
#include <filesystem>

namespace pcw {

/// Removes the temporary files of WriteFileDurably in `directory` that nobody has written to for
/// `age`; others may be another process's that is at work. Returns how many. A directory that is
/// not there or not writable is none: the write that needs it says so. Links are left alone.
/// Thread-safe, also against other processes.
int RemoveStaleTemporaries(const std::filesystem::path& directory, std::chrono::seconds age);

}  // namespace pcw
