// SIGINT and SIGTERM as a stop token: once stops cleanly, twice at once.
#pragma once

#include <stop_token>

namespace pcw::app {

/// Installs the handlers and ignores SIGPIPE. Call once, early in main. The returned token is
/// stopped by the first SIGINT or SIGTERM; a second one, 250 ms later or more, ends the process
/// with exit code 130 at once, which is safe by the commit rule. What comes sooner is the same
/// request: timeout(1) signals its child and then its group.
std::stop_token InstallInterrupt();

}  // namespace pcw::app
