// SHA-256 and HMAC-SHA-256, the two digests AWS signatures and bronze checksums need.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "pcw/base/hex.h"

namespace pcw {

using Sha256Digest = std::array<std::uint8_t, 32>;

/// SHA-256 of `data`. Thread-safe; aborts only if OpenSSL itself is broken.
Sha256Digest Sha256(std::string_view data);

/// Lower-case hex of SHA-256.
std::string Sha256Hex(std::string_view data);

/// HMAC-SHA-256 of `data` under `key`. Thread-safe.
Sha256Digest HmacSha256(std::string_view key, std::string_view data);

/// Lower-case hex.
std::string Hex(const Sha256Digest& digest);

/// Base64 with padding, as S3 writes checksums.
std::string Base64(std::string_view bytes);

/// The bytes of a digest as a view, for keys and COPY. Valid as long as the digest.
inline std::string_view BytesOf(const Sha256Digest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

/// Incremental SHA-256, for objects that are written in pieces. Not thread-safe.
class Sha256Stream {
 public:
  Sha256Stream();
  ~Sha256Stream();
  Sha256Stream(Sha256Stream&&) noexcept;
  Sha256Stream& operator=(Sha256Stream&&) noexcept;

  void Update(std::string_view data);
  /// The digest of everything so far; the stream must not be used afterwards.
  Sha256Digest Finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace pcw
