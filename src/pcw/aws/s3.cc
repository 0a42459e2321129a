#include "pcw/aws/s3.h"

#include <charconv>

#include <fmt/format.h>

#include "pcw/aws/s3_call.h"
#include "pcw/aws/sigv4.h"
#include "pcw/aws/xml.h"
#include "pcw/net/url.h"

namespace pcw::aws::s3 {
namespace {

constexpr std::size_t kMostPages = 100'000;  // of 1000 keys: a listing that never ends is a fault

std::uint64_t WholeNumber(std::string_view text) {
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// A checksum of the whole object; that of an object in parts says nothing about its bytes in order.
bool IsOfTheWhole(std::string_view checksum) {
  return !checksum.empty() && checksum.find('-') == std::string_view::npos;
}

// With encoding-type=url a space comes as "+".
std::string DecodeKey(std::string text) {
  for (char& c : text) {
    if (c == '+') c = ' ';
  }
  return PercentDecode(text);
}

std::string_view ActionOf(const Operation& operation) {
  if (operation.name == kHeadBucket.name || operation.name == kListObjectsV2.name)
    return "s3:ListBucket";
  if (operation.name == kGetObject.name || operation.name == kHeadObject.name)
    return "s3:GetObject";
  if (operation.name == kAbortMultipartUpload.name) return "s3:AbortMultipartUpload";
  return "s3:PutObject";
}

// The same error in words about the bucket; nullopt where AWS's own words say enough.
std::optional<std::string> Explanation(const Operation& operation, const BucketOptions& options,
                                       std::string_view key, const Error& error) {
  const std::string_view type = error.Find("aws_error").value_or("");
  const bool is_of_bucket = key.empty();
  if (const auto region = error.Find("bucket_region"))
    return fmt::format("bucket {} lies in region {}; set lake.region: {}", options.bucket, *region,
                       *region);
  if (error.code() == ErrorCode::kNotFound && (type == "NoSuchBucket" || is_of_bucket))
    return fmt::format("bucket {} does not exist; create it, or correct lake.url", options.bucket);
  if (error.code() == ErrorCode::kNotFound && type != "NoSuchUpload")
    return fmt::format("there is no object \"{}\" in bucket {}", key, options.bucket);
  if (type == "InvalidObjectState")
    return fmt::format(
        "the object \"{}\" is archived and cannot be read: restore it (aws s3api restore-object "
        "--bucket {} --key {} --restore-request Days=7), wait for it, and run again",
        key, options.bucket, key);
  if (error.code() == ErrorCode::kPermissionDenied &&
      error.message().find("kms:Decrypt") != std::string::npos)
    return fmt::format(
        "the KMS key that the object \"{}\" is encrypted with does not let this role read it: "
        "allow kms:Decrypt to the role, in its policy and in the key's; {}",
        key, error.message());
  if (error.code() == ErrorCode::kPermissionDenied) {
    const std::string owner =
        options.expected_owner.empty()
            ? ""
            : fmt::format("; or account {} does not own it (lake.expected_bucket_owner)",
                          options.expected_owner);
    return fmt::format(
        "S3 does not allow {} on bucket {}: allow it to the role, and in the bucket's "
        "and the KMS key's policy{}; {}",
        ActionOf(operation), options.bucket, owner, error.message());
  }
  if (type.starts_with("KMS.") && error.code() == ErrorCode::kConfig)
    return fmt::format(
        "the KMS key of bucket {} cannot be used; check lake.sse_kms_key_id and the "
        "key's state: {}",
        options.bucket, error.message());
  return std::nullopt;
}

Error Explained(const Operation& operation, const BucketOptions& options, std::string_view key,
                Error error) {
  if (std::optional<std::string> words = Explanation(operation, options, key, error))
    error = error.Retold(error.code(), std::move(*words));
  error.With("bucket", options.bucket);
  if (!key.empty()) error.With("key", std::string(key));
  return error;
}

}  // namespace

net::HttpLimits ObjectLimits() {
  net::HttpLimits limits;
  limits.first_byte = std::chrono::seconds(60);  // it begins when the upload has ended
  limits.total = std::chrono::minutes(5);
  limits.max_body_bytes = 65U << 20U;
  return limits;
}

Result<BucketAddress> AddressBucket(std::string_view endpoint, std::string_view bucket,
                                    std::string_view style) {
  PCW_TRY(const net::Url url, net::ParseUrl(endpoint));
  const bool is_address = net::IsIpAddress(url.host);
  const bool is_rule = style.empty() || style == "auto";
  if ((!is_rule && style != "path" && style != "virtual") || (style == "virtual" && is_address)) {
    return Error(ErrorCode::kConfig,
                 fmt::format("s3.addressing_style of the profile: expected auto, path or virtual{}",
                             style == "virtual" ? ", and not virtual at an IP address" : ""));
  }
  const bool is_path_style =
      style == "path" || (is_rule && (is_address || url.host == "localhost" ||
                                      bucket.find('.') != std::string_view::npos));
  if (is_path_style) return BucketAddress{std::string(endpoint), "/" + std::string(bucket)};
  return BucketAddress{fmt::format("{}://{}.{}", url.scheme, bucket, url.authority), ""};
}

Result<CallResult> Bucket::Send(const Operation& operation, const Call& call,
                                std::stop_token stop) {
  std::string path = options_.path;
  if (!call.key.empty() || path.empty()) path += "/";
  path += PercentEncode(call.key, true);
  RestRequest request;
  request.method = call.method;
  request.path = path;
  request.query = call.query;
  request.headers = call.headers;
  if (!options_.expected_owner.empty())
    request.headers.emplace_back("x-amz-expected-bucket-owner", options_.expected_owner);
  request.body = call.body;
  std::string hex;
  if (call.sha256) {
    hex = Hex(*call.sha256);
    request.payload_sha256 = hex;
    request.headers.emplace_back("x-amz-checksum-sha256", Base64(BytesOf(*call.sha256)));
  }
  Result<CallResult> answer = caller_.Call(operation, request, stop);
  if (!answer) return Explained(operation, options_, call.key, std::move(answer).error());
  return answer;
}

void AddEncryption(const BucketOptions& options, net::Headers& headers) {
  if (options.sse_kms_key_id.empty()) return;
  headers.emplace_back("x-amz-server-side-encryption", "aws:kms");
  headers.emplace_back("x-amz-server-side-encryption-aws-kms-key-id", options.sse_kms_key_id);
}

Status Bucket::PutObject(std::string_view key, std::string_view content, const Sha256Digest& sha256,
                         std::stop_token stop) {
  Call call{.method = "PUT", .key = key, .body = content, .sha256 = &sha256};
  call.headers = {{"Content-Type", options_.content_type}, {"If-None-Match", "*"}};
  AddEncryption(options_, call.headers);
  PCW_TRY_OK(Send(kPutObject, call, stop));
  return Ok{};
}

Result<std::string> Bucket::GetObject(std::string_view key, std::stop_token stop) {
  Call call{.method = "GET", .key = key};
  call.headers = {{"x-amz-checksum-mode", "ENABLED"}};
  PCW_TRY(CallResult answer, Send(kGetObject, call, stop));
  const std::string_view kept = answer.Header("x-amz-checksum-sha256").value_or("");
  if (IsOfTheWhole(kept) && kept != Base64(BytesOf(Sha256(answer.body))))
    return Error(ErrorCode::kUnavailable,
                 "the bytes that came are not the ones whose checksum S3 keeps")
        .At(NetStep::kMalformed)
        .With("bucket", options_.bucket)
        .With("key", std::string(key))
        .With("request_id", answer.request_id);
  return std::move(answer.body);
}

Result<ObjectHead> Bucket::HeadObject(std::string_view key, std::stop_token stop) {
  Call call{.method = "HEAD", .key = key};
  call.headers = {{"x-amz-checksum-mode", "ENABLED"}};
  PCW_TRY(const CallResult answer, Send(kHeadObject, call, stop));
  return ObjectHead{.bytes = WholeNumber(answer.Header("content-length").value_or("")),
                    .etag = std::string(answer.Header("etag").value_or("")),
                    .sha256 = std::string(answer.Header("x-amz-checksum-sha256").value_or(""))};
}

Status Bucket::HeadBucket(std::stop_token stop) {
  PCW_TRY_OK(Send(kHeadBucket, {.method = "HEAD"}, stop));
  return Ok{};
}

Result<ListPage> Bucket::ListObjects(const ListQuery& query, std::stop_token stop) {
  std::string parameters;
  if (!query.token.empty())
    parameters += fmt::format("continuation-token={}&", PercentEncode(query.token));
  parameters += fmt::format("encoding-type=url&list-type=2&max-keys={}&prefix={}", query.max_keys,
                            PercentEncode(query.prefix));
  if (!query.start_after.empty()) parameters += "&start-after=" + PercentEncode(query.start_after);
  PCW_TRY(const CallResult answer,
          Send(kListObjectsV2, {.method = "GET", .query = parameters}, stop));

  const auto malformed = [&](std::string_view why) {
    return Error(ErrorCode::kUnavailable, fmt::format("S3's list is not usable: {}", why))
        .At(NetStep::kMalformed)
        .With("bucket", options_.bucket)
        .With("request_id", answer.request_id);
  };
  PCW_TRY(const XmlElement root, ParseXml(answer.body));
  const bool is_encoded = root.TextOf("EncodingType") == "url";
  ListPage page;
  for (const XmlElement& element : root.children) {
    if (element.name != "Contents") continue;
    const std::string& key = element.TextOf("Key");
    if (key.empty()) return malformed("an object without a key");
    page.objects.push_back({.key = is_encoded ? DecodeKey(key) : key,
                            .bytes = WholeNumber(element.TextOf("Size")),
                            .modified_at = element.TextOf("LastModified")});
    if (!page.objects.back().key.starts_with(query.prefix))
      return malformed("a key that does not begin with the prefix");
  }
  if (root.TextOf("IsTruncated") == "true") {
    page.next_token = root.TextOf("NextContinuationToken");
    if (page.next_token.empty() || page.next_token == query.token)
      return malformed("it goes on, and does not say where");
  }
  return page;
}

Result<std::vector<ListedObject>> Bucket::ListAll(std::string_view prefix, std::stop_token stop) {
  std::vector<ListedObject> all;
  ListQuery query{.prefix = std::string(prefix)};
  for (std::size_t pages = 0; pages < kMostPages; ++pages) {
    PCW_TRY(ListPage page, ListObjects(query, stop));
    all.insert(all.end(), std::make_move_iterator(page.objects.begin()),
               std::make_move_iterator(page.objects.end()));
    query.token = std::move(page.next_token);
    if (query.token.empty()) return all;
  }
  return Error(ErrorCode::kUnavailable, "S3's list does not end").With("bucket", options_.bucket);
}

}  // namespace pcw::aws::s3
