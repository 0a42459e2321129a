#include "pcw/base/assert.h"

#include <cstdio>
#include <cstdlib>

namespace pcw {

void AssertFailed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "pcw: internal error: broken invariant `%s` at %s:%d; please report it\n",
               condition, file, line);
  std::abort();
}

}  // namespace pcw
