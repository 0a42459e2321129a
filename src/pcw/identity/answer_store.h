// What the REST interface keeps in PostgreSQL beside its tokens: answers under idempotency keys,
// and the key that signs page cursors.
#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "pcw/base/digest.h"
#include "pcw/pg/connection.h"

namespace pcw::identity {

/// Who made a request, and under which key.
struct AnswerKey {
  std::string principal, key;
};

/// An answer as it is kept for a day.
struct KeptAnswer {
  int status = 0;
  std::string location;  ///< empty: none
  std::string body;
};

/// Takes the key for the caller's transaction; false: another request holds it.
Result<bool> LockAnswer(pg::Connection& connection, const AnswerKey& key, std::stop_token stop);

/// Forgets answers that are older than a day: the key's own, and a few of the others.
Status ExpireAnswers(pg::Connection& connection, const AnswerKey& key, std::stop_token stop);

struct FoundAnswer {
  bool is_same_request = false;
  KeptAnswer answer;
};
Result<std::optional<FoundAnswer>> FindAnswer(pg::Connection& connection, const AnswerKey& key,
                                              const Sha256Digest& request, std::stop_token stop);

/// In the transaction that has the request's effect: either both are there or none.
Status KeepAnswer(pg::Connection& connection, const AnswerKey& key, const Sha256Digest& request,
                  const KeptAnswer& answer, std::stop_token stop);

/// 256 bits in hexadecimal, of all tenants.
Result<std::string> LoadCursorKeyHex(pg::Connection& connection, std::stop_token stop);

}  // namespace pcw::identity
