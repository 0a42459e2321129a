#include "pcw/identity/token_check.h"

#include <algorithm>

namespace pcw::identity {

Recalled TokenCheck::JudgeEntry(const Entry& entry, const Sha256Digest& hash) const {
  // A token never gets another secret: a wrong one stays wrong, however old the look-up is.
  if (!IsSameDigest(entry.secret_sha256, hash)) return Recalled::kWrong;
  if (clock_.Steady() >= entry.believed_until) return Recalled::kWasRight;
  return entry.is_live ? Recalled::kRight : Recalled::kWrong;
}

Recalled TokenCheck::Judge(const Token& token) const {
  const Sha256Digest hash = HashOf(token);
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(token.id);
  return found == entries_.end() ? Recalled::kUnknown : JudgeEntry(found->second, hash);
}

std::optional<Principal> TokenCheck::Recall(const Token& token) const {
  const Sha256Digest hash = HashOf(token);
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(token.id);
  if (found == entries_.end() || JudgeEntry(found->second, hash) != Recalled::kRight)
    return std::nullopt;
  return found->second.principal;
}

Result<Principal> TokenCheck::Check(pg::Connection& connection, const Token& token,
                                    std::stop_token stop) {
  const SteadyTime asked_at = clock_.Steady();
  PCW_TRY(const std::optional<FoundToken> found, FindToken(connection, token.id, stop));
  return Learn(token, found, asked_at);
}

Result<Principal> TokenCheck::Learn(const Token& token, const std::optional<FoundToken>& found,
                                    SteadyTime asked_at) {
  // An unknown id is compared as well, with a hash that nothing has: the answer takes as long.
  static const FoundToken kNobody{};
  const FoundToken& candidate = found ? *found : kNobody;
  const bool is_right = IsSameDigest(candidate.secret_sha256, HashOf(token));
  Principal principal{.tenant_id = candidate.tenant_id,
                      .token_id = candidate.id,
                      .token_name = candidate.name,
                      .name = candidate.principal,
                      .kind = candidate.kind,
                      .scopes = candidate.scopes};
  if (found) Remember(*found, principal, asked_at);
  if (!found || !is_right || !candidate.is_live)
    return Error(ErrorCode::kUnauthenticated, "a valid bearer token is required");
  return principal;
}

void TokenCheck::Remember(const FoundToken& found, const Principal& principal,
                          SteadyTime asked_at) {
  std::chrono::microseconds belief = kTokenBelief;
  if (found.lives && found.is_live) belief = std::min(belief, *found.lives);
  const std::lock_guard lock(mutex_);
  if (entries_.size() >= most_ && !entries_.contains(found.id)) {
    std::erase_if(entries_,
                  [&](const auto& entry) { return entry.second.believed_until <= asked_at; });
    if (entries_.size() >= most_) return;
  }
  entries_[found.id] = {principal, found.secret_sha256, found.is_live, asked_at + belief};
}

}  // namespace pcw::identity
