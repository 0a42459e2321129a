#include "pcw/sim/s3/service.h"

#include <utility>

#include <fmt/format.h>

#include "pcw/base/digest.h"
#include "pcw/base/time.h"
#include "pcw/sim/draw.h"
#include "pcw/sim/json_text.h"
#include "pcw/sim/s3/buckets.h"
#include "pcw/sim/s3/chunked.h"
#include "pcw/sim/s3/multipart.h"
#include "pcw/sim/s3/objects.h"
#include "pcw/sim/s3/signature.h"
#include "pcw/sim/s3/text.h"
#include "pcw/sim/spoil.h"

namespace pcw::sim {
namespace {

using net::server::Reply;
using net::server::Request;
using net::server::Response;
using net::server::WithBody;

constexpr std::size_t kBombDepth = 100'000;

std::string S3RequestId(std::uint64_t seed, std::uint64_t seq) {
  return fmt::format("{:016X}", Mix(seed ^ 0x5333, seq));
}

std::string HostId(std::string_view request_id) { return Base64(BytesOf(Sha256(request_id))); }

Outcome S3OutcomeOf(const S3Answer& answer) {
  if (answer.error.empty() || answer.error == "NotModified") return Outcome::kOk;
  if (answer.status == 404) return Outcome::kNotFound;
  return answer.status >= 500 || answer.status == 200 ? Outcome::kFailed : Outcome::kInvalid;
}

/// The error that S3 has for a status, for rules that ask for a status only.
std::string_view CodeOf(std::int64_t status) {
  switch (status) {
    case 400:
      return "RequestTimeout";
    case 403:
      return "AccessDenied";
    case 404:
      return "NoSuchKey";
    case 409:
      return "OperationAborted";
    case 412:
      return "PreconditionFailed";
    case 503:
      return "ServiceUnavailable";
    default:
      return "InternalError";
  }
}

/// What `error` and `malformed` make of an answer; the operation was executed all the same.
void SpoilS3Answer(S3Answer& answer, const FaultDecision& faults) {
  Response page{answer.status, {{"Content-Type", "application/xml"}}, {}};
  if (const FaultRule* rule = faults.Find(FaultKind::kError)) {
    const std::int64_t status = rule->Number("status");
    answer = S3Error(static_cast<int>(status), CodeOf(status),
                     "We encountered an internal error. Please try again.");
    const std::string& body = rule->Word("body");
    if (body == "empty") answer.body.clear();
    if (body != "html") return;
    BecomeHtml(page);
    answer.body = page.body;
    answer.headers = page.headers;
    return;
  }
  const FaultRule* rule = faults.Find(FaultKind::kMalformed);
  if (rule == nullptr) return;
  const std::string& body = rule->Word("body");
  if (body == "empty") answer.body.clear();
  if (body == "invalid_json" || body == "missing_member") {
    answer.body = "<?xml version=\"1.0\"?>\n<Result><Key>cut";
  }
  if (body == "depth_bomb") {
    answer.body.clear();
    for (std::size_t i = 0; i < kBombDepth; ++i) answer.body += "<a>";
  }
  if (body == "html") {
    BecomeHtml(page);
    answer.body = page.body;
  }
}

S3Answer SlowDown(const FaultRule& rule) {
  S3Answer answer = S3Error(503, "SlowDown", "Please reduce your request rate.");
  const auto header = [&](const char* name, std::int64_t value) {
    if (value >= 0) answer.headers.emplace_back(name, std::to_string(value));
  };
  header("x-amz-retry-after", rule.Number("retry_after_ms"));
  header("Retry-After", rule.Number("retry_after_s"));
  return answer;
}

}  // namespace

/// One request on its way through.
struct S3Service::Call {
  CallRecord record;
  S3Request target;
  FaultDecision faults;
  WallTime now{};
};

S3Service::S3Service(const SimOptions& options, const Clock& clock, Service& service)
    : clock_(clock), service_(service), seed_(options.seed), latency_(options.latency) {
  state_.capacity = options.s3_capacity_bytes;
  state_.seed = options.seed;
  state_.buckets.emplace(
      kFirstBucket,
      S3Bucket{.owner = std::string(kAccount), .created = clock.Now(), .objects = {}});
}

/// Refusals that fault rules ask for and that keep the operation from being executed.
std::optional<S3Answer> S3Service::Refuse(const S3Request& target, const FaultDecision& faults,
                                          CallRecord& record) const {
  if (faults.Find(FaultKind::kExpiredToken) != nullptr) {
    record.outcome = Outcome::kUnauthenticated;
    return S3Error(400, "ExpiredToken", "The provided token has expired.");
  }
  if (const FaultRule* rule = faults.Find(FaultKind::kThrottle)) {
    record.outcome = Outcome::kRefusedFault;
    return SlowDown(*rule);
  }
  if (faults.Find(FaultKind::kAccessDenied) != nullptr) {
    return S3Error(403, "AccessDenied", "Access Denied");
  }
  if (faults.Find(FaultKind::kNotFound) != nullptr) {
    return S3Error(404, "NoSuchKey", "The specified key does not exist.", {{"Key", target.key}});
  }
  if (faults.Find(FaultKind::kS3Conflict) != nullptr) {
    return S3Error(409, "ConditionalRequestConflict",
                   "The conditional request cannot succeed due to a conflicting operation against "
                   "this resource.",
                   {{"Condition", "If-None-Match"}, {"Key", target.key}});
  }
  if (target.operation == Operation::kCompleteMultipartUpload &&
      faults.Find(FaultKind::kS3CompleteError) != nullptr) {
    return S3Error(200, "InternalError", "We encountered an internal error. Please try again.");
  }
  return std::nullopt;
}

/// The caller's policies, and buckets of other accounts.
std::optional<S3Answer> S3Service::Deny(const S3Request& target, const Key& caller) const {
  if (service_.account().state()->denied_actions.contains(target.action)) {
    return S3Error(403, "AccessDenied",
                   fmt::format("User: {} is not authorized to perform: {} on resource: \"{}\" "
                               "because no identity-based policy allows the {} action",
                               caller.arn, target.action, target.Arn(), target.action));
  }
  const auto found = state_.buckets.find(target.bucket);
  if (target.operation == Operation::kGetObject && found != state_.buckets.end() &&
      service_.account().state()->denied_actions.contains("kms:Decrypt")) {
    const auto object = found->second.objects.find(target.key);
    if (object != found->second.objects.end() && !object->second->attributes.kms_key_id.empty()) {
      return S3Error(
          403, "AccessDenied",
          fmt::format("User: {} is not authorized to perform: kms:Decrypt on resource: "
                      "{} because no identity-based policy allows the kms:Decrypt action",
                      caller.arn, object->second->attributes.kms_key_id));
    }
  }
  if (found == state_.buckets.end() || found->second.owner == caller.account ||
      target.operation == Operation::kCreateBucket) {
    return std::nullopt;
  }
  return S3Error(403, "AccessDenied", "Access Denied");
}

S3Answer S3Service::Dispatch(S3Call& call, const Key& caller) {
  const S3Request& target = call.target;
  const auto found = state_.buckets.find(target.bucket);
  const bool needs_bucket = !target.bucket.empty() && target.operation != Operation::kCreateBucket;
  if (needs_bucket && found == state_.buckets.end()) {
    return S3Error(404, "NoSuchBucket", "The specified bucket does not exist",
                   {{"BucketName", target.bucket}});
  }
  if (const auto owner = call.Header("x-amz-expected-bucket-owner");
      needs_bucket && owner && *owner != found->second.owner) {
    return S3Error(403, "AccessDenied", "Access Denied");
  }
  if (auto denied = Deny(target, caller)) return std::move(*denied);
  switch (target.operation) {
    case Operation::kListBuckets:
      return ListBuckets(state_, call);
    case Operation::kCreateBucket:
      return CreateBucket(state_, call);
    case Operation::kDeleteBucket:
      return DeleteBucket(state_, call);
    case Operation::kHeadBucket:
      return HeadBucket();
    case Operation::kListObjectsV2:
      return ListObjectsV2(state_, found->second, call);
    case Operation::kListMultipartUploads:
      return ListMultipartUploads(state_, call);
    case Operation::kPutObject:
      return PutObject(state_, found->second, call);
    case Operation::kGetObject:
    case Operation::kHeadObject:
      return GetObject(found->second, call);
    case Operation::kDeleteObject:
      return DeleteObject(state_, found->second, call);
    case Operation::kCreateMultipartUpload:
      return CreateMultipartUpload(state_, call);
    case Operation::kUploadPart:
      return UploadPart(state_, call);
    case Operation::kCompleteMultipartUpload:
      return CompleteMultipartUpload(state_, found->second, call);
    case Operation::kAbortMultipartUpload:
      return AbortMultipartUpload(state_, call);
    case Operation::kListParts:
      return ListParts(state_, call);
    default:
      return S3Error(501, "NotImplemented", "The simulator's S3 has no such operation.");
  }
}

S3Answer S3Service::Execute(Request& request, Call& call) {
  S3Request& target = call.target;
  if (target.unusable && target.unusable->error == "InvalidURI") {
    return std::move(*target.unusable);
  }
  S3Signature signature;
  auto refused = VerifyS3(request, target, service_.keys(), kS3Region, call.now, signature);
  const bool is_unsigned =
      signature.payload == S3Payload::kUnsigned || signature.payload == S3Payload::kUnsignedTrailer;
  call.record.payload_unsigned = !refused && is_unsigned && !signature.presigned;
  S3Call work{
      .target = target, .headers = request.headers, .trailers = {}, .body = {}, .account = {}};
  if (!refused) refused = DecodeBody(request, signature, work.body, work.trailers);
  if (refused) {
    if (refused->status == 403 || refused->error.find("Token") != std::string::npos) {
      call.record.outcome = Outcome::kUnauthenticated;
    }
    return std::move(*refused);
  }
  if (target.unusable) return std::move(*target.unusable);
  if (auto fault = Refuse(target, call.faults, call.record)) {
    // AWS: "you should re-initiate the multipart upload", all of its parts with it.
    if (fault->error == "ConditionalRequestConflict" &&
        target.operation == Operation::kCompleteMultipartUpload) {
      const std::lock_guard lock(mutex_);
      if (state_.FindUpload(target) != nullptr)
        state_.ForgetUpload(target.Query("uploadId").value_or(""));
    }
    return std::move(*fault);
  }
  work.account = signature.key.account;
  work.now = call.now;
  work.may_list = !service_.account().state()->denied_actions.contains("s3:ListBucket");
  const std::lock_guard lock(mutex_);
  return Dispatch(work, signature.key);
}

Reply S3Service::Handle(Request request) {
  Call call;
  call.now = clock_.Now();
  call.target = ReadS3Request(request);
  call.record.arrival_us = call.now.time_since_epoch().count();
  call.record.operation = call.target.operation;
  call.faults = service_.faults().Decide({call.target.operation, std::nullopt, call.target.key});
  call.record.faults = call.faults.mask();
  call.record.seq = service_.ledger().Arrive(call.record, clock_.Steady());
  if (const FaultRule* rule = call.faults.Find(FaultKind::kSkew)) {
    call.now += std::chrono::minutes(rule->Number("minutes"));
  }

  S3Answer answer = Execute(request, call);
  if (call.record.outcome == Outcome::kPending) call.record.outcome = S3OutcomeOf(answer);
  if (answer.error.empty()) SpoilS3Answer(answer, call.faults);
  if (call.record.outcome == Outcome::kOk && answer.status >= 500) {
    call.record.outcome = Outcome::kFailed;
  }
  call.record.status = static_cast<std::uint16_t>(answer.status);
  service_.ledger().Finish(call.record);

  const std::string request_id = S3RequestId(seed_, call.record.seq);
  const std::string host_id = HostId(request_id);
  FillIds(answer, request_id, host_id);
  Response response{answer.status,
                    {{"x-amz-request-id", request_id},
                     {"x-amz-id-2", host_id},
                     {"Date", FormatHttpDate(call.now)},
                     {"Server", "AmazonS3"}},
                    std::move(answer.body)};
  if (answer.error == "AuthorizationHeaderMalformed" || answer.error == "PermanentRedirect") {
    response.headers.emplace_back("x-amz-bucket-region", kS3Region);
  }
  for (auto& header : answer.headers) response.headers.push_back(std::move(header));
  return SpoilTransport(std::move(response), call.faults, latency_,
                        request.method == "HEAD" ? WithBody::kNo : WithBody::kYes);
}

std::optional<std::string> S3Service::Describe(std::string_view bucket) const {
  const std::lock_guard lock(mutex_);
  const auto found = state_.buckets.find(bucket);
  if (found == state_.buckets.end()) return std::nullopt;
  std::string out;
  for (const auto& [key, object] : found->second.objects) {
    std::string line;
    JsonText(line)
        .Open('{')
        .Member("key", key)
        .Key("size")
        .Raw(std::to_string(object->bytes.size()))
        .Member("sha256", Sha256Hex(object->bytes))
        .Member("etag", object->etag)
        .Member("checksum",
                fmt::format("{}:{}", NameOf(object->checksum.algorithm), object->checksum.Text()))
        .Member("encryption", object->attributes.encryption)
        .Close('}');
    out += line + '\n';
  }
  return out;
}

bool S3Service::RemoveBucket(std::string_view bucket) {
  const std::lock_guard lock(mutex_);
  const auto found = state_.buckets.find(bucket);
  if (found == state_.buckets.end()) return false;
  while (!found->second.objects.empty()) {
    state_.ForgetObject(found->second, std::string(found->second.objects.begin()->first));
  }
  for (auto it = state_.uploads.begin(); it != state_.uploads.end();) {
    const auto upload = it++;
    if (upload->second.bucket == bucket) state_.ForgetUpload(upload->first);
  }
  state_.buckets.erase(found);
  return true;
}

}  // namespace pcw::sim
