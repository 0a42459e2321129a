// One call about a bucket, as s3.cc and s3_multipart.cc make it. Private to the two.
#pragma once

#include "pcw/aws/s3.h"

namespace pcw::aws::s3 {

struct Bucket::Call {
  std::string_view method;
  std::string_view key{};  ///< as it is; empty = the bucket itself
  std::string_view query{};
  net::Headers headers{};
  std::string_view body{};
  const Sha256Digest* sha256 = nullptr;  ///< of `body`: signed with, and sent as its checksum
};

/// What a new object is encrypted with, if not by the bucket's own setting.
void AddEncryption(const BucketOptions& options, net::Headers& headers);

}  // namespace pcw::aws::s3
