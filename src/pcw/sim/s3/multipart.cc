#include "pcw/sim/s3/multipart.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "pcw/base/digest.h"
#include "pcw/base/weak_digest.h"
#include "pcw/sim/draw.h"
#include "pcw/sim/s3/buckets.h"
#include "pcw/sim/s3/objects.h"
#include "pcw/sim/s3/part_list.h"
#include "pcw/sim/s3/text.h"

namespace pcw::sim {
namespace {

constexpr std::uint64_t kMaxParts = 10'000;
constexpr std::size_t kMinPartBytes = 5U << 20U;

S3Answer BadRequest(std::string_view message) { return S3Error(400, "InvalidRequest", message); }

std::string LowerCase(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return out;
}

/// The algorithm and type that x-amz-checksum-algorithm and -type ask for.
std::optional<S3Answer> ReadDemand(const S3Call& call, S3Upload& upload) {
  const auto name = call.Header("x-amz-checksum-algorithm");
  const auto type = call.Header("x-amz-checksum-type");
  if (type && *type != "COMPOSITE" && *type != "FULL_OBJECT") {
    return BadRequest("Value for x-amz-checksum-type header is invalid.");
  }
  if (type && !name) {
    return BadRequest(
        "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm "
        "header.");
  }
  if (!name) return std::nullopt;
  upload.algorithm = ChecksumNamed(*name);
  if (!upload.algorithm) {
    return BadRequest(
        "Checksum algorithm provided is unsupported. Please try again with any of the valid types: "
        "[CRC32, CRC32C, CRC64NVME, SHA1, SHA256]");
  }
  const bool crc64 = upload.algorithm == ChecksumAlgorithm::kCrc64Nvme;
  const bool sha = upload.algorithm == ChecksumAlgorithm::kSha1 ||
                   upload.algorithm == ChecksumAlgorithm::kSha256;
  upload.composite = type ? *type == "COMPOSITE" : !crc64;
  if ((crc64 && upload.composite) || (sha && !upload.composite)) {
    return BadRequest(
        fmt::format("The {} checksum type cannot be used with the {} checksum algorithm.",
                    upload.composite ? "COMPOSITE" : "FULL_OBJECT", LowerCase(*name)));
  }
  return std::nullopt;
}

std::string PartChecksums(const S3Part& part) {
  if (!part.checksum) return "";
  return Element(ChecksumElement(part.checksum->algorithm), part.checksum->Text());
}

std::optional<S3Answer> CheckListedChecksum(const S3Upload& upload, const ListedPart& listed,
                                            const S3Part& part, bool& is_same) {
  for (const auto& [name, value] : listed.checksums) {
    is_same = is_same && part.checksum && name == ChecksumElement(part.checksum->algorithm) &&
              value == part.checksum->Text();
  }
  if (upload.composite && listed.checksums.empty()) {
    const std::string name = LowerCase(NameOf(*upload.algorithm));
    return BadRequest(fmt::format(
        "The upload was created using a {} checksum. The complete request must include the "
        "checksum for each part. It was missing for part {} in the request.",
        name, listed.number));
  }
  return std::nullopt;
}

/// Finds the listed parts, in order; refuses a list that does not fit what was uploaded.
std::optional<S3Answer> CollectParts(const S3Upload& upload, const std::vector<ListedPart>& list,
                                     std::vector<const S3Part*>& out) {
  std::uint64_t before = 0;
  for (const ListedPart& listed : list) {
    if (listed.number <= before) {
      return S3Error(400, "InvalidPartOrder",
                     "The list of parts was not in ascending order. Parts must be ordered by part "
                     "number.");
    }
    before = listed.number;
    const auto found = upload.parts.find(listed.number);
    bool is_same = found != upload.parts.end() && found->second.etag == listed.etag;
    if (is_same) {
      if (auto refused = CheckListedChecksum(upload, listed, found->second, is_same)) {
        return refused;
      }
    }
    if (!is_same) {
      return S3Error(
          400, "InvalidPart",
          "One or more of the specified parts could not be found.  The part may not have "
          "been uploaded, or the specified entity tag may not match the part's entity "
          "tag.",
          {{"PartNumber", std::to_string(listed.number)}, {"ETag", listed.etag}});
    }
    out.push_back(&found->second);
  }
  for (std::size_t i = 0; i + 1 < out.size(); ++i) {
    const std::size_t size = out[i]->bytes.size();
    if (size >= kMinPartBytes) continue;
    return S3Error(400, "EntityTooSmall",
                   "Your proposed upload is smaller than the minimum allowed size",
                   {{"ProposedSize", std::to_string(size)},
                    {"MinSizeAllowed", std::to_string(kMinPartBytes)},
                    {"PartNumber", std::to_string(list[i].number)},
                    {"ETag", out[i]->etag}});
  }
  return std::nullopt;
}

S3Checksum ChecksumOfParts(const S3Upload& upload, const std::vector<const S3Part*>& parts,
                           std::string_view bytes) {
  S3Checksum out;
  out.algorithm = upload.algorithm.value_or(out.algorithm);
  if (!upload.composite) {
    out.raw = ChecksumOf(out.algorithm, bytes);
    return out;
  }
  std::string raws;
  for (const S3Part* part : parts) raws += part->checksum->raw;
  out.raw = ChecksumOf(out.algorithm, raws);
  out.parts = parts.size();
  return out;
}

/// What the request says about the whole object: its checksum and size.
std::optional<S3Answer> CheckWhole(const S3Call& call, const S3Object& object) {
  if (const auto size = call.Header("x-amz-mp-object-size");
      size && ParseDigits(*size) != object.bytes.size()) {
    return BadRequest(
        fmt::format("The provided 'x-amz-mp-object-size' header value {} does not match what was "
                    "computed: {}",
                    *size, object.bytes.size()));
  }
  const auto claimed = call.Header(ChecksumHeader(object.checksum.algorithm));
  if (claimed && *claimed != object.checksum.Text() && *claimed != Base64(object.checksum.raw)) {
    return S3Error(400, "BadDigest",
                   fmt::format("The {} you specified did not match the calculated checksum.",
                               LowerCase(NameOf(object.checksum.algorithm))));
  }
  return std::nullopt;
}

}  // namespace

S3Answer CreateMultipartUpload(S3State& state, const S3Call& call) {
  S3Upload upload;
  if (auto refused = ReadAttributes(call, upload.attributes)) return std::move(*refused);
  if (auto refused = ReadDemand(call, upload)) return std::move(*refused);
  upload.bucket = call.target.bucket;
  upload.key = call.target.key;
  upload.started = call.now;
  // Ascending, so that listings are in order of creation; with letters that must be encoded.
  const std::string id =
      fmt::format("{:08x}.{:016x}+/=", state.serial, Mix(state.seed, state.serial));
  ++state.serial;
  S3Answer answer = S3Document(
      "InitiateMultipartUploadResult",
      Element("Bucket", upload.bucket) + Element("Key", upload.key) + Element("UploadId", id));
  AddEncryption(upload.attributes, answer.headers);
  if (upload.algorithm) {
    answer.headers.emplace_back("x-amz-checksum-algorithm", NameOf(*upload.algorithm));
    answer.headers.emplace_back("x-amz-checksum-type",
                                upload.composite ? "COMPOSITE" : "FULL_OBJECT");
  }
  state.uploads.emplace(id, std::move(upload));
  return answer;
}

S3Answer UploadPart(S3State& state, S3Call& call) {
  const auto number = ParseDigits(call.target.Query("partNumber").value_or(""));
  if (!number || *number < 1 || *number > kMaxParts) {
    return S3Error(400, "InvalidArgument",
                   "Part number must be an integer between 1 and 10000, inclusive",
                   {{"ArgumentName", "partNumber"},
                    {"ArgumentValue", std::string(*call.target.Query("partNumber"))}});
  }
  S3Upload* upload = state.FindUpload(call.target);
  if (upload == nullptr) return NoSuchUpload(call);
  if (call.Header("x-amz-copy-source")) {
    return S3Error(501, "NotImplemented", "The simulator's S3 does not copy parts.");
  }
  S3Part part;
  if (auto refused = CheckUpload(call, part.checksum)) return std::move(*refused);
  const bool fits =
      !upload->algorithm ||
      (part.checksum ? part.checksum->algorithm == *upload->algorithm : !upload->composite);
  if (!fits) {
    return BadRequest(fmt::format(
        "Checksum Type mismatch occurred, expected checksum Type: {}, actual checksum Type: {}",
        LowerCase(NameOf(*upload->algorithm)),
        part.checksum ? LowerCase(NameOf(part.checksum->algorithm)) : "null"));
  }
  const auto old = upload->parts.find(*number);
  const std::size_t freed = old == upload->parts.end() ? 0 : old->second.bytes.size();
  const std::size_t size = call.body.size();
  if (auto refused = state.Reserve(size > freed ? size - freed : 0)) return std::move(*refused);
  part.bytes = std::move(call.body);
  part.md5 = Md5(part.bytes);
  part.etag = TagOf(state, upload->attributes, Hex(part.md5));
  part.modified = call.now;
  S3Answer answer;
  answer.headers = {{"ETag", Quoted(part.etag)}};
  if (part.checksum) {
    answer.headers.emplace_back(ChecksumHeader(part.checksum->algorithm), part.checksum->Text());
  }
  AddEncryption(upload->attributes, answer.headers);
  state.used = state.used - freed + size;
  upload->parts.insert_or_assign(*number, std::move(part));
  return answer;
}

S3Answer CompleteMultipartUpload(S3State& state, S3Bucket& bucket, const S3Call& call) {
  S3Upload* upload = state.FindUpload(call.target);
  if (upload == nullptr) return NoSuchUpload(call);
  const auto list = ReadPartList(call.body);
  if (!list) {
    return S3Error(400, "MalformedXML",
                   "The XML you provided was not well-formed or did not validate against our "
                   "published schema");
  }
  std::vector<const S3Part*> parts;
  if (auto refused = CollectParts(*upload, *list, parts)) return std::move(*refused);
  if (auto refused = CheckWriteCondition(bucket, call)) return std::move(*refused);

  auto object = std::make_shared<S3Object>();
  std::string digests;
  for (const S3Part* part : parts) {
    object->bytes += part->bytes;
    digests += part->md5;
  }
  object->attributes = upload->attributes;
  object->modified = call.now;
  object->etag =
      fmt::format("{}-{}", TagOf(state, object->attributes, Hex(Md5(digests))), parts.size());
  object->checksum = ChecksumOfParts(*upload, parts, object->bytes);
  if (auto refused = CheckWhole(call, *object)) return std::move(*refused);

  S3Answer answer = S3Document(
      "CompleteMultipartUploadResult",
      Element("Location", fmt::format("http://{}.s3.{}.amazonaws.com/{}", call.target.bucket,
                                      kS3Region, PercentEncode(call.target.key, Slash::kEncode))) +
          Element("Bucket", call.target.bucket) + Element("Key", call.target.key) +
          Element("ETag", Quoted(object->etag)) +
          Element(ChecksumElement(object->checksum.algorithm), object->checksum.Text()) +
          Element("ChecksumType", object->checksum.Type()));
  AddEncryption(object->attributes, answer.headers);
  state.ForgetUpload(std::string(*call.target.Query("uploadId")));
  state.ForgetObject(bucket, call.target.key);
  state.used += object->bytes.size();
  bucket.objects.emplace(call.target.key, std::move(object));
  return answer;
}

S3Answer AbortMultipartUpload(S3State& state, const S3Call& call) {
  if (state.FindUpload(call.target) == nullptr) return NoSuchUpload(call);
  state.ForgetUpload(*call.target.Query("uploadId"));
  return {.status = 204, .headers = {}, .body = {}, .error = {}};
}

S3Answer ListParts(S3State& state, const S3Call& call) {
  const S3Upload* upload = state.FindUpload(call.target);
  if (upload == nullptr) return NoSuchUpload(call);
  std::size_t most = 1'000;
  if (auto refused = ReadPageSize(call.target, "max-parts", most)) return std::move(*refused);
  const std::uint64_t after =
      ParseDigits(call.target.Query("part-number-marker").value_or("0")).value_or(0);
  std::string parts;
  std::uint64_t last = 0;
  std::size_t count = 0;
  auto it = upload->parts.upper_bound(after);
  for (; it != upload->parts.end() && count < most; ++it, ++count) {
    last = it->first;
    parts += "<Part>" + Element("PartNumber", std::to_string(it->first)) +
             Element("LastModified", S3Time(it->second.modified)) +
             Element("ETag", Quoted(it->second.etag)) +
             Element("Size", std::to_string(it->second.bytes.size())) + PartChecksums(it->second) +
             "</Part>";
  }
  std::string out = Element("Bucket", upload->bucket) + Element("Key", upload->key) +
                    Element("UploadId", *call.target.Query("uploadId")) +
                    Element("PartNumberMarker", std::to_string(after)) +
                    Element("NextPartNumberMarker", std::to_string(last)) +
                    Element("MaxParts", std::to_string(most)) +
                    Element("IsTruncated", it != upload->parts.end() ? "true" : "false") +
                    Element("StorageClass", upload->attributes.storage_class);
  if (upload->algorithm) {
    out += Element("ChecksumAlgorithm", NameOf(*upload->algorithm)) +
           Element("ChecksumType", upload->composite ? "COMPOSITE" : "FULL_OBJECT");
  }
  return S3Document("ListPartsResult", out + parts);
}

S3Answer ListMultipartUploads(const S3State& state, const S3Call& call) {
  const S3Request& target = call.target;
  std::size_t most = 1'000;
  bool is_url = false;
  if (auto refused = ReadPageSize(target, "max-uploads", most)) return std::move(*refused);
  if (auto refused = ReadEncoding(target, is_url)) return std::move(*refused);
  const std::string prefix(target.Query("prefix").value_or(""));
  const std::string key_marker(target.Query("key-marker").value_or(""));
  const std::string id_marker(target.Query("upload-id-marker").value_or(""));
  // By key, then by age; behind the markers. Without an id the whole key was told.
  std::map<std::pair<std::string, std::string>, const S3Upload*> wanted;
  for (const auto& [id, upload] : state.uploads) {
    const bool told = upload.key < key_marker || (upload.key == key_marker && !key_marker.empty() &&
                                                  (id_marker.empty() || id <= id_marker));
    if (upload.bucket != target.bucket || !upload.key.starts_with(prefix) || told) continue;
    wanted.emplace(std::pair(upload.key, id), &upload);
  }
  const auto spelled = [&](std::string_view text) {
    return is_url ? ListingEncode(text) : std::string(text);
  };
  std::string uploads;
  std::string next;
  std::size_t count = 0;
  auto it = wanted.begin();
  for (; it != wanted.end() && count < most; ++it, ++count) {
    const auto& [key, id] = it->first;
    next = Element("NextKeyMarker", spelled(key)) + Element("NextUploadIdMarker", id);
    uploads += "<Upload>" + Element("Key", spelled(key)) + Element("UploadId", id) +
               Element("StorageClass", it->second->attributes.storage_class) +
               Element("Initiated", S3Time(it->second->started)) + "</Upload>";
  }
  const bool truncated = it != wanted.end() && most > 0;
  std::string out = Element("Bucket", target.bucket) + Element("KeyMarker", spelled(key_marker)) +
                    Element("UploadIdMarker", id_marker) + (truncated ? next : "") +
                    Element("Prefix", spelled(prefix));
  if (is_url) out += Element("EncodingType", "url");
  out += Element("MaxUploads", std::to_string(most)) +
         Element("IsTruncated", truncated ? "true" : "false");
  return S3Document("ListMultipartUploadsResult", out + uploads);
}

}  // namespace pcw::sim
