// PCW_ASSERT: broken invariants abort with a message, in every build.
#pragma once

namespace pcw {

/// Prints the failed condition and aborts. A broken invariant is a bug; going on would corrupt
/// data.
[[noreturn]] void AssertFailed(const char* condition, const char* file, int line);

}  // namespace pcw

#define PCW_ASSERT(condition)                                              \
  do {                                                                     \
    if (!(condition)) ::pcw::AssertFailed(#condition, __FILE__, __LINE__); \
  } while (false)
