// The additional checksums of S3 (x-amz-checksum-*): what they are called, and computing them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "pcw/net/server/message.h"
#include "pcw/sim/s3/answer.h"

namespace pcw::sim {

/// CRC-32 of ISO-HDLC (zlib), of Castagnoli, and the 64-bit one of NVM Express.
std::uint32_t Crc32(std::string_view data);
std::uint32_t Crc32c(std::string_view data);
std::uint64_t Crc64Nvme(std::string_view data);

enum class ChecksumAlgorithm : std::uint8_t { kCrc32, kCrc32c, kCrc64Nvme, kSha1, kSha256 };
inline constexpr std::size_t kChecksumAlgorithms = 5;

/// "SHA256", as in x-amz-checksum-algorithm and listings.
std::string_view NameOf(ChecksumAlgorithm algorithm);
/// "x-amz-checksum-sha256"
std::string ChecksumHeader(ChecksumAlgorithm algorithm);
/// "ChecksumSHA256", the element of XML bodies.
std::string ChecksumElement(ChecksumAlgorithm algorithm);
/// By the name of x-amz-checksum-algorithm; nothing if it is none of them.
std::optional<ChecksumAlgorithm> ChecksumNamed(std::string_view name);

/// The digest's raw bytes, big-endian for CRCs.
std::string ChecksumOf(ChecksumAlgorithm algorithm, std::string_view data);

/// A stored checksum: of the whole object, or (`parts` > 0) of the checksums of its parts.
struct S3Checksum {
  ChecksumAlgorithm algorithm = ChecksumAlgorithm::kCrc64Nvme;
  std::string raw;
  std::size_t parts = 0;

  /// base64, with "-n" for a composite one.
  std::string Text() const;
  /// "FULL_OBJECT" or "COMPOSITE"
  std::string_view Type() const { return parts == 0 ? "FULL_OBJECT" : "COMPOSITE"; }
};

/// Reads the one x-amz-checksum-* among `headers` and `trailers` into `found`. Refuses several, an
/// unknown algorithm, a value that is not such a checksum, and an x-amz-sdk-checksum-algorithm
/// without its value.
std::optional<S3Answer> FindChecksum(const net::server::Headers& headers,
                                     const net::server::Headers& trailers,
                                     std::optional<S3Checksum>& found);

/// Refuses a body that is not what `claimed` and a Content-MD5 say.
std::optional<S3Answer> CheckBody(const net::server::Headers& headers, std::string_view body,
                                  const std::optional<S3Checksum>& claimed);

}  // namespace pcw::sim
