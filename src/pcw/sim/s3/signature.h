// Signature Version 4 as S3 checks it: path and query in the canonical form, payload hash
// mandatory, in headers or in the query of a presigned URL.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "pcw/base/clock.h"
#include "pcw/net/server/message.h"
#include "pcw/sim/keys.h"
#include "pcw/sim/s3/answer.h"
#include "pcw/sim/s3/request.h"

namespace pcw::sim {

/// What x-amz-content-sha256 says about the body.
enum class S3Payload : std::uint8_t {
  kHashed,               ///< its SHA-256
  kUnsigned,             ///< UNSIGNED-PAYLOAD
  kSignedChunks,         ///< aws-chunked, each chunk signed
  kSignedChunksTrailer,  ///< and a signed trailer
  kUnsignedTrailer       ///< aws-chunked with a trailer, unsigned
};

/// A verified signature, with what the chunks of the body are signed by.
struct S3Signature {
  Key key;
  S3Payload payload = S3Payload::kHashed;
  std::string amz_date;
  std::string scope;
  std::string signing_key;
  std::string signature;
  bool presigned = false;
};

/// Verifies `request` for `region`; fills `out`, or gives the refusal.
///
/// Checks in this order: one way of signing, form, region, date within fifteen minutes (presigned:
/// not expired), key known, session token, expiry, payload hash named, x-amz-* headers signed,
/// signature, payload hash true. Thread-safe.
std::optional<S3Answer> VerifyS3(const net::server::Request& request, const S3Request& target,
                                 const Keys& keys, std::string_view region, WallTime now,
                                 S3Signature& out);

}  // namespace pcw::sim
