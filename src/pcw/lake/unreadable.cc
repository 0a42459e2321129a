#include "pcw/lake/unreadable.h"

namespace pcw::lake {

bool IsOfTheObject(const Error& error) {
  switch (error.code()) {
    case ErrorCode::kUnavailable:
    case ErrorCode::kTimeout:
    case ErrorCode::kCancelled:
    case ErrorCode::kThrottled:
    case ErrorCode::kUnauthenticated:
      return false;
    default:
      return true;
  }
}

std::string WhyUnreadable(const Error& error, bool is_listed) {
  if (error.code() != ErrorCode::kNotFound) return error.message();
  return is_listed
             ? "was in the lake when it was listed and is gone since: somebody, or a lifecycle "
               "rule of the bucket, deleted it"
             : "is in the manifest but not in the lake";
}

}  // namespace pcw::lake
