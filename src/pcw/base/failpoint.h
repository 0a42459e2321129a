// Failpoints: named locations where a test kills the process, to prove crash safety (I3).
#pragma once

#include <string_view>

#if defined(PCW_FAILPOINTS)

namespace pcw {

/// Kills this process with SIGKILL when `PCW_FAILPOINT=<name>:<n>` names this location and this is
/// its n-th passage (from 1).
///
/// `PCW_FAILPOINT_LOG=<file>` appends the name at each passage instead, so that a sweep knows every
/// place and how often it is passed. Costs one relaxed load when neither variable is set.
/// Thread-safe.
void HitFailpoint(std::string_view name);

}  // namespace pcw

#define PCW_FAILPOINT(name) ::pcw::HitFailpoint(name)

#else

// Without the CMake option PCW_FAILPOINTS: what is shipped cannot be killed by its environment.
#define PCW_FAILPOINT(name) static_cast<void>(name)
#endif
