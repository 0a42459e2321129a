#include "pcw/lake/unreadable.h"

namespace pcw::lake {

bool IsOfTheObject(const Error& error) {
  if (error.Is(ErrorMark::kOfOneObject)) return true;
  switch (ReactionOf(error.code()).call) {
    case CallReaction::kFail:
    case CallReaction::kRetryTransaction:
      return true;
    case CallReaction::kRefreshOnce:
    case CallReaction::kRetry:
    case CallReaction::kRetryIfIdempotent:
    case CallReaction::kStop:
      return false;
  }
  return false;
}

std::string WhyUnreadable(const Error& error, bool is_listed) {
  if (error.code() != ErrorCode::kNotFound) return error.message();
  return is_listed
             ? "was in the lake when it was listed and is gone since: somebody, or a lifecycle "
               "rule of the bucket, deleted it"
             : "is in the manifest but not in the lake";
}

}  // namespace pcw::lake
