// What the simulated S3 holds: buckets, objects, uploads under way. Plain data; s3_service guards
// it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "pcw/base/clock.h"
#include "pcw/net/server/message.h"
#include "pcw/sim/faults.h"
#include "pcw/sim/keys.h"
#include "pcw/sim/s3/answer.h"
#include "pcw/sim/s3/checksum.h"
#include "pcw/sim/s3/request.h"

namespace pcw::sim {

/// The bucket that is there from the start.
inline constexpr std::string_view kFirstBucket = "pcw-lake-dev";
inline constexpr std::string_view kS3Region = "us-east-1";

/// What PutObject or CreateMultipartUpload say about an object beside its bytes.
struct S3Attributes {
  net::server::Headers headers;  ///< Content-Type, x-amz-meta-* ..., answered as they came
  std::string encryption = "AES256";
  std::string kms_key_id;  ///< with aws:kms only
  bool bucket_key = false;
  std::string storage_class = "STANDARD";
};

struct S3Object {
  std::string bytes;
  std::string etag;  ///< without quotes
  WallTime modified{};
  S3Attributes attributes;
  S3Checksum checksum;
};

struct S3Part {
  std::string bytes;
  std::string etag;
  std::string md5;  ///< raw
  std::optional<S3Checksum> checksum;
  WallTime modified{};
};

struct S3Upload {
  std::string bucket;
  std::string key;
  WallTime started{};
  S3Attributes attributes;
  std::optional<ChecksumAlgorithm> algorithm;  ///< demanded of every part
  bool composite = false;
  std::map<std::uint64_t, S3Part> parts;
};

struct S3Bucket {
  std::string owner;  ///< account id
  WallTime created{};
  std::map<std::string, std::shared_ptr<const S3Object>, std::less<>> objects;
};

/// Everything. Not thread-safe.
struct S3State {
  std::size_t capacity = 0;  ///< bytes of objects and parts together
  std::size_t used = 0;
  std::uint64_t seed = 0;
  std::uint64_t serial = 0;  ///< of uploads and of tags that are not digests
  std::map<std::string, S3Bucket, std::less<>> buckets;
  std::map<std::string, S3Upload, std::less<>> uploads;

  /// Refuses if `more` bytes do not fit (AWS never does: 507 says that it is the simulator).
  std::optional<S3Answer> Reserve(std::size_t more) const;
  /// The upload of that id for that object; nullptr if there is none.
  S3Upload* FindUpload(const S3Request& target);
  void ForgetUpload(std::string_view id);
  void ForgetObject(S3Bucket& bucket, std::string_view key);
};

/// One verified request with its decoded body.
struct S3Call {
  const S3Request& target;
  const net::server::Headers& headers;
  net::server::Headers trailers;
  std::string body;
  std::string account;  ///< the caller's
  WallTime now{};
  bool may_list = true;  ///< decides whether a missing key is told or denied
  FaultDecision faults{};

  std::optional<std::string_view> Header(std::string_view name) const {
    return net::server::FindHeader(headers, name);
  }
};

/// NoSuchKey, or AccessDenied for callers that may not list.
S3Answer NoSuchKey(const S3Call& call);
S3Answer NoSuchUpload(const S3Call& call);

/// Reads the headers that describe an object; refuses what the simulator or S3 does not take.
std::optional<S3Answer> ReadAttributes(const S3Call& call, S3Attributes& out);
/// x-amz-server-side-encryption and its companions, as every answer about an object has them.
void AddEncryption(const S3Attributes& attributes, net::server::Headers& headers);

/// If-None-Match and If-Match of a write against what stands under the key.
std::optional<S3Answer> CheckWriteCondition(const S3Bucket& bucket, const S3Call& call);

/// The ETag of these bytes: their MD5, or under KMS something that is not.
std::string TagOf(S3State& state, const S3Attributes& attributes, std::string md5_hex);

std::string Quoted(std::string_view etag);

}  // namespace pcw::sim
