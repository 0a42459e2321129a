// Running a program to its end and reading what it says.
#pragma once

#include <chrono>
#include <map>
#include <stop_token>
#include <string>
#include <vector>

#include "pcw/base/result.h"

namespace pcw {

/// How a program ended, and what it wrote: at most 64 KiB of each stream.
struct ProgramOutput {
  int exit_code = 0;  ///< 128 + signal if it was killed
  std::string out;
  std::string err;
};

/// Runs `words` (program by PATH, then its arguments) with exactly `environment`, without a shell
/// and without input. Ends when the program ends, whoever else still holds its streams. Kills it at
/// the deadline (kTimeout) or at a stop (kCancelled). kNotFound if there is no such program,
/// kUnavailable if it cannot be started. Thread-safe.
Result<ProgramOutput> RunProgram(const std::vector<std::string>& words,
                                 const std::map<std::string, std::string>& environment,
                                 std::chrono::milliseconds deadline, std::stop_token stop);

}  // namespace pcw
