#include "pcw/sim/s3/state.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "pcw/sim/draw.h"

namespace pcw::sim {
namespace {

constexpr std::string_view kManagedKey =
    "arn:aws:kms:us-east-1:123456789012:key/5ca1ab1e-0000-4000-a000-000000000053";

constexpr std::array kKept{"content-type", "content-disposition", "content-language",
                           "cache-control", "expires"};
constexpr std::array kRefused{"x-amz-copy-source",
                              "x-amz-tagging",
                              "x-amz-object-lock",
                              "x-amz-grant",
                              "x-amz-website-redirect-location",
                              "x-amz-server-side-encryption-customer",
                              "x-amz-server-side-encryption-context",
                              "x-amz-write-offset-bytes"};
constexpr std::array kStorageClasses{
    "STANDARD",   "STANDARD_IA", "ONEZONE_IA",  "INTELLIGENT_TIERING",
    "GLACIER_IR", "GLACIER",     "DEEP_ARCHIVE"};

std::string LowerName(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return out;
}

/// The content codings without aws-chunked, which was taken off.
std::string WithoutChunked(std::string_view codings) {
  std::string out;
  while (!codings.empty()) {
    const std::size_t end = std::min(codings.find(','), codings.size());
    std::string_view coding = codings.substr(0, end);
    codings.remove_prefix(std::min(end + 1, codings.size()));
    while (coding.starts_with(' ')) coding.remove_prefix(1);
    while (coding.ends_with(' ')) coding.remove_suffix(1);
    if (coding.empty() || coding == "aws-chunked") continue;
    out += fmt::format("{}{}", out.empty() ? "" : ",", coding);
  }
  return out;
}

S3Answer InvalidArgument(std::string_view message, std::string_view name, std::string_view value) {
  return S3Error(400, "InvalidArgument", message,
                 {{"ArgumentName", std::string(name)}, {"ArgumentValue", std::string(value)}});
}

std::optional<S3Answer> ReadEncryption(const S3Call& call, S3Attributes& out) {
  constexpr auto kName = "x-amz-server-side-encryption";
  constexpr auto kKeyName = "x-amz-server-side-encryption-aws-kms-key-id";
  const auto method = call.Header(kName);
  const auto key = call.Header(kKeyName);
  if (method && *method != "AES256" && *method != "aws:kms" && *method != "aws:kms:dsse") {
    return InvalidArgument("The encryption method specified is not supported", kName, *method);
  }
  out.encryption = std::string(method.value_or("AES256"));
  const bool kms = out.encryption != "AES256";
  if (key && !kms) {
    return InvalidArgument(
        "Server Side Encryption with AWS KMS managed key requires HTTP header "
        "x-amz-server-side-encryption : aws:kms",
        kName, method.value_or("null"));
  }
  if (!kms) return std::nullopt;
  out.kms_key_id = std::string(key.value_or(kManagedKey));
  out.bucket_key = call.Header("x-amz-server-side-encryption-bucket-key-enabled") == "true";
  return std::nullopt;
}

std::optional<S3Answer> ReadClassAndAcl(const S3Call& call, S3Attributes& out) {
  if (const auto name = call.Header("x-amz-storage-class")) {
    if (std::find(kStorageClasses.begin(), kStorageClasses.end(), *name) == kStorageClasses.end()) {
      return S3Error(400, "InvalidStorageClass", "The storage class you specified is not valid",
                     {{"StorageClassRequested", std::string(*name)}});
    }
    out.storage_class = std::string(*name);
  }
  const auto acl = call.Header("x-amz-acl");
  if (acl && *acl != "bucket-owner-full-control") {
    return S3Error(400, "AccessControlListNotSupported", "The bucket does not allow ACLs");
  }
  return std::nullopt;
}

}  // namespace

std::optional<S3Answer> S3State::Reserve(std::size_t more) const {
  if (more <= capacity && used <= capacity - more) return std::nullopt;
  return S3Error(
      507, "InternalError",
      fmt::format("The simulator's S3 holds at most {} bytes and has {}; delete objects, "
                  "abort uploads or start it with more (s3_capacity_bytes).",
                  capacity, used));
}

S3Upload* S3State::FindUpload(const S3Request& target) {
  const auto found = uploads.find(target.Query("uploadId").value_or(""));
  const bool fits = found != uploads.end() && found->second.bucket == target.bucket &&
                    found->second.key == target.key;
  return fits ? &found->second : nullptr;
}

void S3State::ForgetUpload(std::string_view id) {
  const auto found = uploads.find(id);
  if (found == uploads.end()) return;
  for (const auto& [number, part] : found->second.parts) used -= part.bytes.size();
  uploads.erase(found);
}

void S3State::ForgetObject(S3Bucket& bucket, std::string_view key) {
  const auto found = bucket.objects.find(key);
  if (found == bucket.objects.end()) return;
  used -= found->second->bytes.size();
  bucket.objects.erase(found);
}

S3Answer NoSuchKey(const S3Call& call) {
  if (!call.may_list) return S3Error(403, "AccessDenied", "Access Denied");
  return S3Error(404, "NoSuchKey", "The specified key does not exist.", {{"Key", call.target.key}});
}

S3Answer NoSuchUpload(const S3Call& call) {
  return S3Error(404, "NoSuchUpload",
                 "The specified upload does not exist. The upload ID may be invalid, or the upload "
                 "may have been aborted or completed.",
                 {{"UploadId", std::string(call.target.Query("uploadId").value_or(""))}});
}

std::optional<S3Answer> ReadAttributes(const S3Call& call, S3Attributes& out) {
  for (const auto& [name, value] : call.headers) {
    const std::string lower = LowerName(name);
    const auto begins = [&](std::string_view prefix) { return lower.starts_with(prefix); };
    if (std::any_of(kRefused.begin(), kRefused.end(), begins)) {
      return S3Error(501, "NotImplemented",
                     fmt::format("The simulator's S3 does not know the header {}.", lower));
    }
    if (begins("x-amz-meta-") || std::find(kKept.begin(), kKept.end(), lower) != kKept.end()) {
      out.headers.emplace_back(lower, value);
    }
    if (lower != "content-encoding") continue;
    if (std::string codings = WithoutChunked(value); !codings.empty()) {
      out.headers.emplace_back(lower, std::move(codings));
    }
  }
  if (!net::server::FindHeader(out.headers, "content-type")) {
    out.headers.emplace_back("content-type", "binary/octet-stream");
  }
  if (auto refused = ReadEncryption(call, out)) return refused;
  return ReadClassAndAcl(call, out);
}

void AddEncryption(const S3Attributes& attributes, net::server::Headers& headers) {
  headers.emplace_back("x-amz-server-side-encryption", attributes.encryption);
  if (attributes.kms_key_id.empty()) return;
  headers.emplace_back("x-amz-server-side-encryption-aws-kms-key-id", attributes.kms_key_id);
  if (attributes.bucket_key) {
    headers.emplace_back("x-amz-server-side-encryption-bucket-key-enabled", "true");
  }
}

std::optional<S3Answer> CheckWriteCondition(const S3Bucket& bucket, const S3Call& call) {
  const auto none_match = call.Header("If-None-Match");
  const auto match = call.Header("If-Match");
  if (none_match && *none_match != "*") {
    return S3Error(501, "NotImplemented",
                   "A header you provided implies functionality that is not implemented",
                   {{"Header", "If-None-Match"}});
  }
  const auto found = bucket.objects.find(call.target.key);
  const bool there = found != bucket.objects.end();
  const auto failed = [](const char* condition) {
    return S3Error(412, "PreconditionFailed",
                   "At least one of the pre-conditions you specified did not hold",
                   {{"Condition", condition}});
  };
  if (none_match && there) return failed("If-None-Match");
  if (match && !there) return NoSuchKey(call);
  if (match && *match != found->second->etag && *match != Quoted(found->second->etag)) {
    return failed("If-Match");
  }
  return std::nullopt;
}

std::string TagOf(S3State& state, const S3Attributes& attributes, std::string md5_hex) {
  if (attributes.encryption == "AES256") return md5_hex;
  const std::uint64_t high = Mix(state.seed ^ 0x65746167, ++state.serial);
  return fmt::format("{:016x}{:016x}", high, Mix(high));
}

std::string Quoted(std::string_view etag) { return fmt::format("\"{}\"", etag); }

}  // namespace pcw::sim
