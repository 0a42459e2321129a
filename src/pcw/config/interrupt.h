// SIGINT, SIGTERM and SIGHUP as a stop token: once stops cleanly, twice at once.
#pragma once

#include <cstdint>
#include <stop_token>

namespace pcw::config {

/// Installs the handlers and ignores SIGPIPE. Call once, early in main. The returned token is
/// stopped by the first SIGINT, SIGTERM or SIGHUP; a second SIGINT or SIGTERM, 250 ms later or
/// more, ends the process with exit code 130 at once, which is safe by the commit rule. What comes
/// sooner is the same request: timeout(1) signals its child and then its group. A SIGHUP that was
/// ignored when the process began (nohup) stays ignored.
std::stop_token InstallInterrupt();

/// From now on SIGHUP asks for a reload instead: for a service.
void CountHangups();
/// How many reloads were asked for. Thread-safe.
std::uint64_t HangupCount();

/// Stops as the first SIGINT would: whoever read standard output has left, and what goes on to be
/// printed is for nobody.
void StopForLackOfReader();
/// True after that. Thread-safe.
bool HasLostReader();

/// True if nobody can read what is written to this descriptor: a pipe whose other end is closed.
bool IsReaderGone(int descriptor);

}  // namespace pcw::config
