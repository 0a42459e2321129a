// The house matchers for Result.
#pragma once

#include <gmock/gmock.h>

#include "pcw/base/result.h"

namespace pcw {

/// Matches a Result that failed with `code`.
MATCHER_P(FailsWith, code, std::string("fails with ") + std::string(NameOf(code))) {
  if (arg.has_value()) {
    *result_listener << "which succeeded";
    return false;
  }
  *result_listener << "which failed with " << NameOf(arg.error().code()) << ": "
                   << arg.error().ToString();
  return arg.error().code() == code;
}

/// Matches a Result that succeeded; prints the error otherwise.
MATCHER(Succeeds, "succeeds") {
  if (arg.has_value()) return true;
  *result_listener << "which failed with " << NameOf(arg.error().code()) << ": "
                   << arg.error().ToString();
  return false;
}

}  // namespace pcw
