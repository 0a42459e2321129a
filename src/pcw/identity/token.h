// The text of a token: pcw_<public id>_<secret>_<checksum>, lower-case hex (I31).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "pcw/base/digest.h"
#include "pcw/base/rng.h"
#include "pcw/base/secret.h"

namespace pcw::identity {

/// A token in its parts. `id` is public and names the row; `secret` is 256 random bits in hex.
struct Token {
  std::string id;
  Secret secret;
};

/// A new token: 64 bits of id, 256 of secret.
Token MintToken(Rng& rng);

/// The text that its holder keeps.
Secret FormatToken(const Token& token);

/// nullopt for anything that FormatToken cannot have written: other length, case, prefix or
/// checksum. Needs no database, so guesses cost none (I31). The checksum finds slips of the pen; it
/// is not a secret.
std::optional<Token> ParseToken(std::string_view text);

/// What the database keeps of a secret. A fast hash is right for random bits.
Sha256Digest HashOf(const Token& token);

/// Equality in a time that does not depend on where the digests differ (I31).
bool IsSameDigest(const Sha256Digest& a, const Sha256Digest& b);

}  // namespace pcw::identity
