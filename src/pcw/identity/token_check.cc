#include "pcw/identity/token_check.h"

#include <algorithm>

namespace pcw::identity {

std::optional<Principal> TokenCheck::Recall(const Token& token) const {
  const Sha256Digest hash = HashOf(token);
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(token.id);
  if (found == entries_.end() || !IsSameDigest(found->second.secret_sha256, hash) ||
      clock_.Steady() >= found->second.believed_until)
    return std::nullopt;
  return found->second.principal;
}

bool TokenCheck::WasRight(const Token& token) const {
  const Sha256Digest hash = HashOf(token);
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(token.id);
  return found != entries_.end() && IsSameDigest(found->second.secret_sha256, hash);
}

Result<Principal> TokenCheck::Check(pg::Connection& connection, const Token& token,
                                    std::stop_token stop) {
  const SteadyTime asked_at = clock_.Steady();
  PCW_TRY(const std::optional<FoundToken> found, FindToken(connection, token.id, stop));
  // An unknown id is compared as well, with a hash that nothing has: the answer takes as long.
  static const FoundToken kNobody{};
  const FoundToken& candidate = found ? *found : kNobody;
  const bool is_right = IsSameDigest(candidate.secret_sha256, HashOf(token));
  if (!found || !is_right || !candidate.is_live) {
    const std::lock_guard lock(mutex_);
    // A wrong secret must not push out the right one's memory.
    if (is_right) entries_.erase(token.id);
    return Error(ErrorCode::kUnauthenticated, "a valid bearer token is required");
  }
  Principal principal{.tenant_id = candidate.tenant_id,
                      .token_id = candidate.id,
                      .token_name = candidate.name,
                      .name = candidate.principal,
                      .kind = candidate.kind,
                      .scopes = candidate.scopes};
  Remember(candidate, principal, asked_at);
  return principal;
}

void TokenCheck::Remember(const FoundToken& found, Principal principal, SteadyTime asked_at) {
  std::chrono::microseconds belief = kTokenBelief;
  if (found.lives) belief = std::min(belief, *found.lives);
  const std::lock_guard lock(mutex_);
  if (entries_.size() >= most_ && !entries_.contains(found.id)) {
    std::erase_if(entries_,
                  [&](const auto& entry) { return entry.second.believed_until <= asked_at; });
    if (entries_.size() >= most_) return;
  }
  entries_[found.id] = {std::move(principal), found.secret_sha256, asked_at + belief};
}

}  // namespace pcw::identity
