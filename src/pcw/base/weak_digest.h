// MD5 and SHA-1: checksums that S3 speaks (ETag, Content-MD5, x-amz-checksum-sha1). Never for
// security; that is digest.h.
#pragma once

#include <string>
#include <string_view>

namespace pcw {

/// The 16 raw bytes of MD5. Thread-safe; aborts only if OpenSSL itself is broken.
std::string Md5(std::string_view data);

/// The 20 raw bytes of SHA-1. As Md5.
std::string Sha1(std::string_view data);

}  // namespace pcw
