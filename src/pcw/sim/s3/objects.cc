#include "pcw/sim/s3/objects.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "pcw/base/digest.h"
#include "pcw/base/time.h"
#include "pcw/base/weak_digest.h"
#include "pcw/sim/s3/text.h"

namespace pcw::sim {
namespace {

struct ByteRange {
  std::size_t begin = 0;
  std::size_t size = 0;
};

enum class RangeVerdict : std::uint8_t { kWhole, kPart, kUnsatisfiable };

/// "bytes=a-b", "bytes=a-", "bytes=-n". Anything else is not a range, and the whole object the
/// answer.
RangeVerdict ReadRange(std::string_view text, std::size_t total, ByteRange& range) {
  constexpr std::string_view kUnit = "bytes=";
  if (!text.starts_with(kUnit)) return RangeVerdict::kWhole;
  text.remove_prefix(kUnit.size());
  const std::size_t dash = text.find('-');
  if (dash == std::string_view::npos || text.size() == 1) return RangeVerdict::kWhole;
  const auto first = ParseDigits(text.substr(0, dash));
  const auto last = ParseDigits(text.substr(dash + 1));
  if ((!first && dash != 0) || (!last && dash + 1 != text.size())) return RangeVerdict::kWhole;
  if (!first) {
    if (*last == 0 || total == 0) return RangeVerdict::kUnsatisfiable;
    range.size = std::min<std::size_t>(*last, total);
    range.begin = total - range.size;
    return RangeVerdict::kPart;
  }
  if (last && *last < *first) return RangeVerdict::kWhole;
  if (*first >= total) return RangeVerdict::kUnsatisfiable;
  range.begin = *first;
  range.size = std::min<std::size_t>(last.value_or(total - 1), total - 1) - range.begin + 1;
  return RangeVerdict::kPart;
}

/// True if a list of tags names this one.
bool NamesTag(std::string_view list, std::string_view etag) {
  return list == "*" || list == etag || list.find(Quoted(etag)) != std::string_view::npos;
}

std::optional<S3Answer> CheckReadCondition(const S3Object& object, const S3Call& call) {
  for (const char* name : {"If-Modified-Since", "If-Unmodified-Since"}) {
    if (!call.Header(name)) continue;
    return S3Error(501, "NotImplemented",
                   fmt::format("The simulator's S3 does not know the header {}.", name));
  }
  if (const auto match = call.Header("If-Match"); match && !NamesTag(*match, object.etag)) {
    return S3Error(412, "PreconditionFailed",
                   "At least one of the pre-conditions you specified did not hold",
                   {{"Condition", "If-Match"}});
  }
  if (const auto other = call.Header("If-None-Match"); other && NamesTag(*other, object.etag)) {
    return S3Answer{.status = 304,
                    .headers = {{"ETag", Quoted(object.etag)}},
                    .body = {},
                    .error = "NotModified"};
  }
  return std::nullopt;
}

}  // namespace

std::optional<S3Answer> CheckUpload(const S3Call& call, std::optional<S3Checksum>& claimed) {
  if (!call.Header("Content-Length")) {
    return S3Error(411, "MissingContentLength", "You must provide the Content-Length HTTP header.");
  }
  if (auto refused = FindChecksum(call.headers, call.trailers, claimed)) return refused;
  return CheckBody(call.headers, call.body, claimed);
}

S3Answer PutObject(S3State& state, S3Bucket& bucket, S3Call& call) {
  std::optional<S3Checksum> claimed;
  if (auto refused = CheckUpload(call, claimed)) return std::move(*refused);
  auto object = std::make_shared<S3Object>();
  if (auto refused = ReadAttributes(call, object->attributes)) return std::move(*refused);
  if (auto refused = CheckWriteCondition(bucket, call)) return std::move(*refused);
  const auto old = bucket.objects.find(call.target.key);
  const std::size_t freed = old == bucket.objects.end() ? 0 : old->second->bytes.size();
  const std::size_t size = call.body.size();
  if (auto refused = state.Reserve(size > freed ? size - freed : 0)) return std::move(*refused);
  object->bytes = std::move(call.body);
  object->modified = call.now;
  object->etag = TagOf(state, object->attributes, Hex(Md5(object->bytes)));
  // Without one of the client's, S3 keeps a CRC64NVME.
  object->checksum =
      claimed ? std::move(*claimed)
              : S3Checksum{.algorithm = ChecksumAlgorithm::kCrc64Nvme,
                           .raw = ChecksumOf(ChecksumAlgorithm::kCrc64Nvme, object->bytes)};

  S3Answer answer;
  answer.headers = {{"ETag", Quoted(object->etag)},
                    {ChecksumHeader(object->checksum.algorithm), object->checksum.Text()},
                    {"x-amz-checksum-type", std::string(object->checksum.Type())}};
  AddEncryption(object->attributes, answer.headers);
  state.ForgetObject(bucket, call.target.key);
  state.used += size;
  bucket.objects.emplace(call.target.key, std::move(object));
  return answer;
}

S3Answer GetObject(const S3Bucket& bucket, const S3Call& call) {
  const auto found = bucket.objects.find(call.target.key);
  if (found == bucket.objects.end()) return NoSuchKey(call);
  const S3Object& object = *found->second;
  if (auto refused = CheckReadCondition(object, call)) return std::move(*refused);
  const std::string& storage_class = object.attributes.storage_class;
  const bool is_archived = storage_class == "GLACIER" || storage_class == "DEEP_ARCHIVE";
  if (is_archived && call.target.operation == Operation::kGetObject) {
    return S3Error(403, "InvalidObjectState",
                   "The operation is not valid for the object's storage class",
                   {{"StorageClass", storage_class}});
  }
  const std::size_t total = object.bytes.size();
  ByteRange range{0, total};
  const RangeVerdict verdict = ReadRange(call.Header("Range").value_or(""), total, range);
  if (verdict == RangeVerdict::kUnsatisfiable) {
    return S3Error(416, "InvalidRange", "The requested range is not satisfiable",
                   {{"RangeRequested", std::string(*call.Header("Range"))},
                    {"ActualObjectSize", std::to_string(total)}});
  }
  S3Answer answer;
  answer.headers = {{"ETag", Quoted(object.etag)},
                    {"Last-Modified", FormatHttpDate(object.modified)},
                    {"Accept-Ranges", "bytes"}};
  for (const auto& header : object.attributes.headers) answer.headers.push_back(header);
  AddEncryption(object.attributes, answer.headers);
  if (object.attributes.storage_class != "STANDARD") {
    answer.headers.emplace_back("x-amz-storage-class", object.attributes.storage_class);
  }
  if (verdict == RangeVerdict::kPart) {
    answer.status = 206;
    answer.headers.emplace_back("Content-Range", fmt::format("bytes {}-{}/{}", range.begin,
                                                             range.begin + range.size - 1, total));
  } else if (call.Header("x-amz-checksum-mode") == "ENABLED") {
    answer.headers.emplace_back(ChecksumHeader(object.checksum.algorithm), object.checksum.Text());
    answer.headers.emplace_back("x-amz-checksum-type", object.checksum.Type());
  }
  answer.body = object.bytes.substr(range.begin, range.size);
  return answer;
}

S3Answer DeleteObject(S3State& state, S3Bucket& bucket, const S3Call& call) {
  state.ForgetObject(bucket, call.target.key);
  return {.status = 204, .headers = {}, .body = {}, .error = {}};
}

}  // namespace pcw::sim
