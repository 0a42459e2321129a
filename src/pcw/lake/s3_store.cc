#include "pcw/lake/s3_store.h"

#include <algorithm>

#include <fmt/format.h>

#include "pcw/base/failpoint.h"
#include "pcw/base/time.h"
#include "pcw/lake/layout.h"

namespace pcw::lake {
namespace {

constexpr std::string_view kScheme = "s3://";

bool IsLowerOrDigit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

// S3's rules for general purpose buckets.
bool IsBucketName(std::string_view name) {
  if (name.size() < 3 || name.size() > 63) return false;
  if (!IsLowerOrDigit(name.front()) || !IsLowerOrDigit(name.back())) return false;
  const bool has_only_known = std::all_of(
      name.begin(), name.end(), [](char c) { return IsLowerOrDigit(c) || c == '-' || c == '.'; });
  const bool is_like_an_address = name.find_first_not_of("0123456789.") == std::string_view::npos &&
                                  std::count(name.begin(), name.end(), '.') == 3;
  return has_only_known && !is_like_an_address && name.find("..") == std::string_view::npos &&
         !name.starts_with("xn--");
}

bool IsPrefixSegment(std::string_view segment) {
  if (segment.empty() || segment.size() > 64 || segment == "." || segment == "..") return false;
  return std::all_of(segment.begin(), segment.end(), [](char c) {
    return IsLowerOrDigit(c) || (c >= 'A' && c <= 'Z') || c == '.' || c == '_' || c == '=' ||
           c == '-';
  });
}

Error Taken(const std::string& key) {
  return Error(ErrorCode::kConflict,
               "a bronze object of this key holds other bytes; bronze is never overwritten")
      .With("key", key);
}

}  // namespace

Result<S3Location> ParseS3Location(std::string_view url) {
  const auto bad = [](std::string_view what) {
    return Error(ErrorCode::kConfig, fmt::format("expected s3://bucket[/prefix]: {}", what));
  };
  if (!url.starts_with(kScheme)) return bad("it does not begin with s3://");
  std::string_view rest = url.substr(kScheme.size());
  const auto slash = std::min(rest.find('/'), rest.size());
  S3Location location{.bucket = std::string(rest.substr(0, slash)), .prefix = ""};
  if (!IsBucketName(location.bucket))
    return bad(
        "a bucket is named with 3 to 63 of a-z 0-9 . -, beginning and ending with a letter "
        "or digit");
  rest.remove_prefix(std::min(slash + 1, rest.size()));
  if (rest.empty()) return location;
  if (rest.ends_with('/')) rest.remove_suffix(1);
  location.prefix = std::string(rest) + "/";
  do {
    const auto end = std::min(rest.find('/'), rest.size());
    if (!IsPrefixSegment(rest.substr(0, end)))
      return bad(
          "each segment of the prefix is 1 to 64 of A-Z a-z 0-9 . _ = -, and not \".\" or "
          "\"..\"");
    rest.remove_prefix(std::min(end + 1, rest.size()));
  } while (!rest.empty());
  return location;
}

namespace {

constexpr int kMostUploads = 3;

bool IsLostUpload(const Error& error) {
  const auto type = error.Find("aws_error");
  return error.code() == ErrorCode::kUnavailable &&
         (type == "ConditionalRequestConflict" || type == "NoSuchUpload");
}

}  // namespace

Status S3BronzeStore::Put(std::string_view key, std::string_view content, std::stop_token stop) {
  PCW_TRY_OK(CheckKey(key));
  const std::string full = options_.prefix + std::string(key);
  return content.size() > options_.part_bytes ? PutInParts(full, content, stop)
                                              : PutWhole(full, content, stop);
}

Status S3BronzeStore::PutWhole(const std::string& key, std::string_view content,
                               std::stop_token stop) {
  const Sha256Digest sha256 = Sha256(content);
  PCW_FAILPOINT("s3.put.before");
  Status written = bucket_.PutObject(key, content, sha256, stop);
  PCW_FAILPOINT("s3.put.after");
  return Settle(std::move(written), key, content, Base64(BytesOf(sha256)), stop);
}

Status S3BronzeStore::PutInParts(const std::string& key, std::string_view content,
                                 std::stop_token stop) {
  for (int uploads = 1;; ++uploads) {
    Status put = PutInOneUpload(key, content, stop);
    // Another write of this key was under way (409), or the upload is gone and nobody has the key:
    // S3 wants it begun again, with all its parts.
    if (put || uploads == kMostUploads || stop.stop_requested() || !IsLostUpload(put.error()))
      return put;
  }
}

Status S3BronzeStore::PutInOneUpload(const std::string& key, std::string_view content,
                                     std::stop_token stop) {
  PCW_TRY(const std::string upload_id, bucket_.CreateMultipartUpload(key, stop));
  std::vector<Sha256Digest> digests;
  Status completed = PutParts(key, upload_id, content, digests, stop);
  if (completed) return completed;
  // Also after a stop, and when the key is taken: parts that nobody sees are paid for.
  const Status aborted = bucket_.AbortMultipartUpload(key, upload_id, {});
  Status settled =
      Settle(std::move(completed), key, content, aws::s3::CompositeSha256(digests), stop);
  if (!settled && !aborted && aborted.error().code() != ErrorCode::kNotFound)
    settled.error().With("upload_left",
                         fmt::format("{}: {}", upload_id, aborted.error().message()));
  return settled;
}

Status S3BronzeStore::PutParts(const std::string& key, const std::string& upload_id,
                               std::string_view content, std::vector<Sha256Digest>& digests,
                               std::stop_token stop) {
  std::vector<aws::s3::UploadedPart> parts;
  for (std::size_t at = 0; at < content.size(); at += options_.part_bytes) {
    const std::string_view piece = content.substr(at, options_.part_bytes);
    digests.push_back(Sha256(piece));
    PCW_TRY(aws::s3::UploadedPart part,
            bucket_.UploadPart(key, upload_id, static_cast<int>(digests.size()), piece,
                               digests.back(), stop));
    parts.push_back(std::move(part));
    PCW_FAILPOINT("s3.multipart.part.after");
  }
  PCW_FAILPOINT("s3.multipart.complete.before");
  Status completed = bucket_.CompleteMultipartUpload(key, upload_id, parts, stop);
  PCW_FAILPOINT("s3.multipart.complete.after");
  return completed;
}

// What became of a write that S3 refused because the key is taken, or the upload has ended: perhaps
// our own earlier attempt did it, and its answer was lost (T11). `checksum` is what S3 would keep
// of `content`.
Status S3BronzeStore::Settle(Status written, const std::string& key, std::string_view content,
                             const std::string& checksum, std::stop_token stop) {
  if (written) return written;
  const bool has_ended = written.error().Find("aws_error") == "NoSuchUpload";
  if (written.error().code() != ErrorCode::kConflict && !has_ended) return written;
  Result<aws::s3::ObjectHead> held = bucket_.HeadObject(key, stop);
  if (!held && held.error().code() == ErrorCode::kNotFound)
    return Error(ErrorCode::kUnavailable,
                 "S3 neither stored the object nor holds one of this key; run the command again")
        .With("key", key)
        .With("aws_error", std::string(written.error().Find("aws_error").value_or("")));
  if (!held) return std::move(held).error();
  if (held->sha256 == checksum) return Ok{};
  // Another checksum of the same kind is proof of other bytes; none, or one of parts that were cut
  // elsewhere, is not proof of anything.
  const bool is_proof = !held->sha256.empty() && checksum.find('-') == std::string::npos &&
                        held->sha256.find('-') == std::string::npos;
  if (is_proof || held->bytes != content.size()) return Taken(key);
  PCW_TRY(const std::string bytes, bucket_.GetObject(key, stop));
  if (bytes == content) return Ok{};
  return Taken(key);
}

Result<std::string> S3BronzeStore::Get(std::string_view key, std::stop_token stop) {
  PCW_TRY_OK(CheckKey(key));
  return bucket_.GetObject(options_.prefix + std::string(key), stop);
}

Result<std::vector<ObjectInfo>> S3BronzeStore::List(std::string_view prefix, std::stop_token stop) {
  PCW_TRY_OK(CheckKeyPrefix(prefix));
  PCW_TRY(std::vector<aws::s3::ListedObject> listed,
          bucket_.ListAll(options_.prefix + std::string(prefix), stop));
  std::vector<ObjectInfo> objects;
  objects.reserve(listed.size());
  for (aws::s3::ListedObject& object : listed) {
    // The console makes an empty object for a folder.
    if (object.key.ends_with('/') && object.bytes == 0) continue;
    const Result<WallTime> time = ParseRfc3339(object.modified_at);
    objects.push_back({.key = object.key.substr(options_.prefix.size()),
                       .bytes = object.bytes,
                       .modified_at = time ? FormatRfc3339(*time) : ""});
  }
  // S3 lists general purpose buckets in this order, others in none.
  const auto by_key = [](const ObjectInfo& a, const ObjectInfo& b) { return a.key < b.key; };
  if (!std::is_sorted(objects.begin(), objects.end(), by_key))
    std::sort(objects.begin(), objects.end(), by_key);
  return objects;
}

Status S3BronzeStore::Probe(std::stop_token stop) { return bucket_.HeadBucket(stop); }

std::string S3BronzeStore::Describe() const {
  std::string url = fmt::format("{}{}/{}", kScheme, bucket_.options().bucket, options_.prefix);
  url.pop_back();
  return url;
}

}  // namespace pcw::lake
