#include "pcw/sim/keys.h"

#include <algorithm>

#include <fmt/format.h>

#include "pcw/base/digest.h"
#include "pcw/sim/draw.h"

namespace pcw::sim {
namespace {

constexpr std::size_t kMaxSessions = 10'000;
constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

std::string Letters(std::uint64_t start, std::size_t count) {
  Draw draw(start);
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += kAlphabet[draw.Below(kAlphabet.size())];
  return text;
}

Key KeyOf(const LongLivedKey& key) {
  const std::string arn = fmt::format("arn:aws:iam::{}:user/{}", key.account, key.user);
  const bool documented = key.account == kAccount && key.user == kUser;
  return {.access_key_id = key.access_key_id,
          .secret = key.secret,
          .session_token = {},
          .expires_at = std::nullopt,
          .arn = arn,
          .user_id = documented ? "AIDACKCEVSQ6C2EXAMPLE" : "AIDA" + Letters(MixText(arn), 17),
          .account = key.account};
}

}  // namespace

std::optional<Key> Keys::Find(std::string_view access_key_id) const {
  const auto account = account_.state();
  if (account->revoked_keys.contains(access_key_id)) return std::nullopt;
  if (access_key_id == kAccessKeyId) {
    return KeyOf({std::string(kAccessKeyId), std::string(kSecretAccessKey), std::string(kUser),
                  std::string(kAccount)});
  }
  const auto added =
      std::find_if(account->keys.begin(), account->keys.end(),
                   [&](const LongLivedKey& key) { return key.access_key_id == access_key_id; });
  if (added != account->keys.end()) return KeyOf(*added);
  const std::lock_guard lock(mutex_);
  const auto found = sessions_.find(access_key_id);
  if (found == sessions_.end()) return std::nullopt;
  return found->second;
}

Key Keys::IssueSession(std::string_view role_arn, std::string_view session_name,
                       WallTime expires_at) {
  const std::lock_guard lock(mutex_);
  const std::uint64_t draw = Mix(seed_ ^ 0x73657373, ++issued_);
  const std::string role(role_arn.substr(role_arn.rfind('/') + 1));
  Key key;
  key.access_key_id = "ASIA" + Letters(draw, 16);
  key.secret = Letters(Mix(draw), 40);
  // Long, with the characters that break careless parsers.
  key.session_token = "IQoJ/" + Sha256Hex(key.secret) + Sha256Hex(key.access_key_id) + "+/==";
  key.expires_at = expires_at;
  key.account = std::string(kAccount);
  key.arn = fmt::format("arn:aws:sts::{}:assumed-role/{}/{}", kAccount, role, session_name);
  key.user_id = fmt::format("AROA{}:{}", Letters(MixText(role_arn), 17), session_name);
  sessions_.emplace(key.access_key_id, key);
  by_age_.emplace(issued_, key.access_key_id);
  if (by_age_.size() > kMaxSessions) {
    sessions_.erase(by_age_.begin()->second);
    by_age_.erase(by_age_.begin());
  }
  return key;
}

}  // namespace pcw::sim
