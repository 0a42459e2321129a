// Uploads in parts: begin, send, complete, abort.
#include <fmt/format.h>

#include "pcw/aws/s3_call.h"
#include "pcw/aws/sigv4.h"
#include "pcw/aws/xml.h"
#include "pcw/base/xml_text.h"

namespace pcw::aws::s3 {

std::string CompositeSha256(const std::vector<Sha256Digest>& parts) {
  std::string digests;
  for (const Sha256Digest& part : parts) digests += BytesOf(part);
  return fmt::format("{}-{}", Base64(BytesOf(Sha256(digests))), parts.size());
}

Result<std::string> Bucket::CreateMultipartUpload(std::string_view key, std::stop_token stop) {
  Call call{.method = "POST", .key = key, .query = "uploads"};
  call.headers = {{"Content-Type", options_.content_type}, {"x-amz-checksum-algorithm", "SHA256"}};
  AddEncryption(options_, call.headers);
  PCW_TRY(const CallResult answer, Send(kCreateMultipartUpload, call, stop));
  PCW_TRY(const XmlElement root, ParseXml(answer.body));
  if (root.TextOf("UploadId").empty())
    return Error(ErrorCode::kUnavailable, "S3 began an upload without naming it")
        .At(NetStep::kMalformed)
        .With("key", std::string(key))
        .With("request_id", answer.request_id);
  return root.TextOf("UploadId");
}

Result<UploadedPart> Bucket::UploadPart(std::string_view key, std::string_view upload_id,
                                        int number, std::string_view content,
                                        const Sha256Digest& sha256, std::stop_token stop) {
  const std::string query =
      fmt::format("partNumber={}&uploadId={}", number, PercentEncode(upload_id));
  PCW_TRY(const CallResult answer,
          Send(kUploadPart,
               {.method = "PUT", .key = key, .query = query, .body = content, .sha256 = &sha256},
               stop));
  const auto etag = answer.Header("etag");
  if (!etag)
    return Error(ErrorCode::kUnavailable, "S3 took a part without naming its ETag")
        .At(NetStep::kMalformed)
        .With("key", std::string(key))
        .With("request_id", answer.request_id);
  return UploadedPart{
      .number = number, .etag = std::string(*etag), .sha256 = Base64(BytesOf(sha256))};
}

Status Bucket::CompleteMultipartUpload(std::string_view key, std::string_view upload_id,
                                       const std::vector<UploadedPart>& parts,
                                       std::stop_token stop) {
  std::string body = "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">";
  for (const UploadedPart& part : parts) {
    body += fmt::format(
        "<Part><ChecksumSHA256>{}</ChecksumSHA256><ETag>{}</ETag><PartNumber>{}</PartNumber></"
        "Part>",
        part.sha256, XmlEscape(part.etag), part.number);
  }
  body += "</CompleteMultipartUpload>";
  const std::string query = "uploadId=" + PercentEncode(upload_id);
  Call call{.method = "POST", .key = key, .query = query, .body = body};
  call.headers = {{"Content-Type", "application/xml"}, {"If-None-Match", "*"}};
  PCW_TRY_OK(Send(kCompleteMultipartUpload, call, stop));
  return Ok{};
}

Status Bucket::AbortMultipartUpload(std::string_view key, std::string_view upload_id,
                                    std::stop_token stop) {
  const std::string query = "uploadId=" + PercentEncode(upload_id);
  PCW_TRY_OK(Send(kAbortMultipartUpload, {.method = "DELETE", .key = key, .query = query}, stop));
  return Ok{};
}

}  // namespace pcw::aws::s3
