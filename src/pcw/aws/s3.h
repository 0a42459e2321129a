// S3: the objects of one bucket, written once and read (docs/aws-facts.md 19).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pcw/aws/caller.h"
#include "pcw/aws/operation.h"
#include "pcw/base/digest.h"

namespace pcw::aws::s3 {

inline constexpr ServiceDef kService{
    .id = "s3",
    .signing_name = "s3",
    .target_prefix = "",
    .endpoint_env = "S3",
    .config_key = "s3",
    .host_pattern = "s3.{region}.amazonaws.com",
    .only_region = "",
    .protocol = Protocol::kRestXml,
};

// Every one may be repeated: a PUT is conditional, so the second one of a pair changes nothing; an
// upload begun twice leaves one that stores nothing under a key.
inline constexpr Operation kPutObject{&kService, "PutObject", Idempotency::kIdempotent,
                                      QuotaClass::kNone, ""};
inline constexpr Operation kGetObject{&kService, "GetObject", Idempotency::kIdempotent,
                                      QuotaClass::kNone, ""};
inline constexpr Operation kHeadObject{&kService, "HeadObject", Idempotency::kIdempotent,
                                       QuotaClass::kNone, ""};
inline constexpr Operation kHeadBucket{&kService, "HeadBucket", Idempotency::kIdempotent,
                                       QuotaClass::kNone, ""};
inline constexpr Operation kListObjectsV2{&kService, "ListObjectsV2", Idempotency::kIdempotent,
                                          QuotaClass::kNone, "ListBucketResult"};
inline constexpr Operation kCreateMultipartUpload{&kService, "CreateMultipartUpload",
                                                  Idempotency::kIdempotent, QuotaClass::kNone,
                                                  "InitiateMultipartUploadResult"};
inline constexpr Operation kUploadPart{&kService, "UploadPart", Idempotency::kIdempotent,
                                       QuotaClass::kNone, ""};
inline constexpr Operation kCompleteMultipartUpload{&kService, "CompleteMultipartUpload",
                                                    Idempotency::kIdempotent, QuotaClass::kNone,
                                                    "CompleteMultipartUploadResult"};
inline constexpr Operation kAbortMultipartUpload{&kService, "AbortMultipartUpload",
                                                 Idempotency::kIdempotent, QuotaClass::kNone, ""};

/// Limits of one exchange, for objects of up to 64 MiB at a few hundred KB/s.
net::HttpLimits ObjectLimits();

/// How a bucket is reached: the base URL of a Caller, and what stands before "/<key>" in a path.
struct BucketAddress {
  std::string endpoint;
  std::string path;  ///< "" (virtual-host style) or "/<bucket>" (path style)
};

/// Virtual-host style, "https://<bucket>.s3...": AWS's rule. Path style where the bucket cannot be
/// a label of the host: an endpoint that is an IP address or localhost, a bucket with a dot
/// (docs/aws-facts.md 19). `style` is s3.addressing_style of the profile: "path" and "virtual" beat
/// the rule; empty and "auto" are the rule. kConfig for an endpoint that is not a URL, another
/// style, or "virtual" at an IP address.
Result<BucketAddress> AddressBucket(std::string_view endpoint, std::string_view bucket,
                                    std::string_view style = "");

struct BucketOptions {
  std::string bucket;
  std::string path;            ///< of its BucketAddress
  std::string expected_owner;  ///< account that must own the bucket; empty = not said
  std::string sse_kms_key_id;  ///< empty = the bucket's own encryption setting
  std::string content_type = "application/json";
};

/// What is known of an object without its bytes.
struct ObjectHead {
  std::uint64_t bytes = 0;
  std::string etag;
  /// Base64; "...-N" of an object in N parts is the checksum of its parts' checksums. Empty if the
  /// store keeps none of this kind.
  std::string sha256;
};

struct ListedObject {
  std::string key;
  std::uint64_t bytes = 0;
  std::string modified_at;  ///< as S3 says it: RFC 3339
};

/// One page of a listing.
struct ListPage {
  std::vector<ListedObject> objects;
  std::string next_token;  ///< empty = the last page
};

struct ListQuery {
  std::string prefix{};
  std::string start_after{};
  int max_keys = 1000;
  std::string token{};  ///< of the page before
};

/// A part of a multipart upload that S3 has.
struct UploadedPart {
  int number = 0;  ///< from 1
  std::string etag;
  std::string sha256;  ///< base64
};

/// The checksum that S3 keeps of an object uploaded in these parts: "<base64>-<N>".
std::string CompositeSha256(const std::vector<Sha256Digest>& parts);

/// One bucket. Thread-safe, as its Caller is.
///
/// Nothing is ever overwritten: every write is conditional on the key being free. Every byte goes
/// with its SHA-256, which S3 checks and keeps; payloads are signed, never UNSIGNED-PAYLOAD. Keys
/// may hold any bytes; they are percent-encoded once and never normalised.
///
/// Errors as Caller's, in words about the bucket: kNotFound (no such key; no such bucket, which is
/// named), kConflict with context `aws_error`=PreconditionFailed (the key is taken),
/// kPermissionDenied (the IAM action is named), kConfig (another region; a KMS key that cannot be
/// used). Context `bucket` and `key`.
class Bucket {
 public:
  Bucket(Caller& caller, BucketOptions options) : caller_(caller), options_(std::move(options)) {}

  /// Creates an object. `sha256` is of `content`. kConflict if the key is taken, also when it was
  /// taken by this call's own first attempt, whose answer was lost: the caller compares checksums.
  Status PutObject(std::string_view key, std::string_view content, const Sha256Digest& sha256,
                   std::stop_token stop);

  /// The bytes of an object, checked against its checksum if S3 keeps one of the whole.
  Result<std::string> GetObject(std::string_view key, std::stop_token stop);
  Result<ObjectHead> HeadObject(std::string_view key, std::stop_token stop);
  /// Is the bucket there, and may we list it?
  Status HeadBucket(std::stop_token stop);

  Result<ListPage> ListObjects(const ListQuery& query, std::stop_token stop);
  /// Every object below a prefix, in the order of keys.
  Result<std::vector<ListedObject>> ListAll(std::string_view prefix, std::stop_token stop);

  /// Begins an upload in parts; returns its id.
  Result<std::string> CreateMultipartUpload(std::string_view key, std::stop_token stop);
  Result<UploadedPart> UploadPart(std::string_view key, std::string_view upload_id, int number,
                                  std::string_view content, const Sha256Digest& sha256,
                                  std::stop_token stop);
  /// Makes the object of its parts. kConflict if the key is taken; kNotFound (NoSuchUpload) if the
  /// upload ended already, perhaps by this call's own first attempt.
  Status CompleteMultipartUpload(std::string_view key, std::string_view upload_id,
                                 const std::vector<UploadedPart>& parts, std::stop_token stop);
  Status AbortMultipartUpload(std::string_view key, std::string_view upload_id,
                              std::stop_token stop);

  const BucketOptions& options() const { return options_; }

 private:
  struct Call;
  Result<CallResult> Send(const Operation& operation, const Call& call, std::stop_token stop);

  Caller& caller_;
  const BucketOptions options_;
};

}  // namespace pcw::aws::s3
