#include "pcw/aws/error_response.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "pcw/aws/xml.h"
#include "pcw/base/json.h"
#include "pcw/base/storable_text.h"

namespace pcw::aws {
namespace {

constexpr std::size_t kLongestMessage = 500;
constexpr std::size_t kLongestRequestId = 128;

constexpr std::array<std::string_view, 15> kThrottling{"Throttling",
                                                       "ThrottlingException",
                                                       "ThrottledException",
                                                       "RequestThrottledException",
                                                       "TooManyRequestsException",
                                                       "ProvisionedThroughputExceededException",
                                                       "TransactionInProgressException",
                                                       "RequestLimitExceeded",
                                                       "BandwidthLimitExceeded",
                                                       "LimitExceededException",
                                                       "RequestThrottled",
                                                       "SlowDown",
                                                       "PriorRequestNotComplete",
                                                       "EC2ThrottledException",
                                                       "KmsThrottled"};
// The last four of S3: a body that was spoilt on the way, and two that a moment later may be one.
constexpr std::array<std::string_view, 12> kTransient{"RequestTimeout",
                                                      "RequestTimeoutException",
                                                      "InternalServerException",
                                                      "InternalServiceError",
                                                      "InternalError",
                                                      "ServiceUnavailable",
                                                      "IDPCommunicationError",
                                                      "BadDigest",
                                                      "XAmzContentChecksumMismatch",
                                                      "XAmzContentSHA256Mismatch",
                                                      "OperationAborted",
                                                      "ConditionalRequestConflict"};
constexpr std::array<std::string_view, 4> kExpired{"ExpiredToken", "ExpiredTokenException",
                                                   "TokenRefreshRequired", "RequestExpired"};
constexpr std::array<std::string_view, 12> kUnknownCaller{"InvalidToken",
                                                          "InvalidIdentityToken",
                                                          "IDPRejectedClaim",
                                                          "UnrecognizedClientException",
                                                          "InvalidClientTokenId",
                                                          "InvalidSignatureException",
                                                          "SignatureDoesNotMatch",
                                                          "MissingAuthenticationToken",
                                                          "MissingAuthenticationTokenException",
                                                          "IncompleteSignature",
                                                          "IncompleteSignatureException",
                                                          "InvalidAccessKeyId"};
constexpr std::array<std::string_view, 6> kSkew{
    "RequestTimeTooSkewed",      "RequestExpired",        "RequestInTheFuture",
    "InvalidSignatureException", "SignatureDoesNotMatch", "AuthFailure"};
// The last three of SQS: the key of the queue, that somebody with rights on it must give back.
constexpr std::array<std::string_view, 11> kDenied{
    "AccessDenied",   "AccessDeniedException", "OptInRequired",
    "NotAuthorized",  "UnauthorizedOperation", "AllAccessDisabled",
    "AccountProblem", "KmsAccessDenied",       "KMS.AccessDeniedException",
    "KmsDisabled",    "KmsOptInRequired"};
// What a source that is asked again may answer otherwise: keys were rotated where they lie, while
// the ones in hand were deleted or replaced.
constexpr std::array<std::string_view, 6> kPerhapsRotated{
    "UnrecognizedClientException", "InvalidClientTokenId", "InvalidAccessKeyId", "InvalidToken",
    "InvalidSignatureException",   "SignatureDoesNotMatch"};
constexpr std::array<std::string_view, 6> kMissing{
    "ResourceNotFoundException", "ResourceNotFound", "NoSuchKey", "NoSuchBucket", "NoSuchUpload",
    "QueueDoesNotExist"};
constexpr std::array<std::string_view, 3> kConflicting{
    "ConflictException", "IdempotencyConflictException", "PreconditionFailed"};
constexpr std::array<std::string_view, 5> kMisconfigured{
    "PermanentRedirect", "TemporaryRedirect", "Redirect", "IllegalLocationConstraintException",
    "InvalidBucketName"};

template <std::size_t N>
bool Contains(const std::array<std::string_view, N>& list, std::string_view type) {
  return std::find(list.begin(), list.end(), type) != list.end();
}

// "com.amazonaws.partnercentralselling#ThrottlingException" or "ThrottlingException:http://..." ->
// "ThrottlingException"
std::string BareType(std::string_view type) {
  if (const auto hash = type.rfind('#'); hash != std::string_view::npos)
    type.remove_prefix(hash + 1);
  return std::string(type.substr(0, type.find(':')));
}

// What AWS says is data: bounded, one line, printable. A refused signature is explained with the
// canonical request, which holds the session token (I29): nothing from there on is kept.
std::string Clean(std::string_view text) {
  text = text.substr(0, text.find("The Canonical String"));
  while (text.ends_with('\n') || text.ends_with(' ')) text.remove_suffix(1);
  std::string line(text);
  std::replace_if(
      line.begin(), line.end(), [](char c) { return c == '\n' || c == '\r' || c == '\t'; }, ' ');
  return StorableText(line, kLongestMessage);
}

struct Said {
  std::string type, message, fields, region;
};

std::string TextOf(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

Said ReadJson(std::string_view body) {
  Said said;
  // Whatever AWS put into a message, the message is told: a lone surrogate in it is not an outage.
  const Result<Json> json = ParseJson(
      StorableJson(body), {.max_bytes = 1U << 20U, .max_depth = 16, .max_values = 10'000});
  if (!json || !json->is_object()) return said;
  said.type = BareType(TextOf(*json, "__type"));
  if (said.type.empty()) said.type = BareType(TextOf(*json, "code"));
  said.message = TextOf(*json, "message");
  if (said.message.empty()) said.message = TextOf(*json, "Message");
  for (const char* list : {"ErrorList", "ErrorDetails"}) {
    const auto errors = json->find(list);
    if (errors == json->end() || !errors->is_array()) continue;
    for (const Json& error : *errors) {
      if (!error.is_object() || said.fields.size() > 2 * kLongestMessage) continue;
      said.fields += fmt::format("{}{}: {} ({})", said.fields.empty() ? "" : "; ",
                                 Clean(TextOf(error, "FieldName")), Clean(TextOf(error, "Message")),
                                 Clean(TextOf(error, "Code")));
    }
  }
  return said;
}

Said ReadXml(std::string_view body) {
  Said said;
  const Result<XmlElement> root = ParseXml(body, {.max_bytes = 1U << 20U, .max_elements = 1000});
  if (!root) return said;
  const XmlElement* error = root->name == "Error" ? &*root : root->Child("Error");
  if (error == nullptr) return said;
  said.type = BareType(error->TextOf("Code"));
  said.message = error->TextOf("Message");
  said.region = error->TextOf("Region");
  return said;
}

// Where S3 says the bucket is, if that is why it refused; empty otherwise. The header is on other
// answers too.
std::string OtherRegion(const net::HttpResponse& response, const Said& said,
                        std::string_view signed_region) {
  const bool is_redirect = response.status >= 300 && response.status < 400;
  const bool is_wrong_region = is_redirect || said.type == "PermanentRedirect" ||
                               said.type == "AuthorizationHeaderMalformed" ||
                               (said.type.empty() && response.status == 400);
  if (!is_wrong_region) return "";
  const std::string_view region = response.Header("x-amz-bucket-region").value_or(said.region);
  return region == signed_region ? "" : Clean(region);
}

}  // namespace

ErrorCode CodeOf(std::string_view type, int status) {
  if (Contains(kThrottling, type) || type == "KMS.ThrottlingException" || status == 429)
    return ErrorCode::kThrottled;
  if (Contains(kExpired, type) || Contains(kUnknownCaller, type) || Contains(kSkew, type))
    return ErrorCode::kUnauthenticated;
  if (Contains(kDenied, type)) return ErrorCode::kPermissionDenied;
  if (Contains(kTransient, type)) return ErrorCode::kUnavailable;
  if (Contains(kMissing, type)) return ErrorCode::kNotFound;
  if (Contains(kConflicting, type)) return ErrorCode::kConflict;
  if (type == "KMS.KMSInternalException" || type == "KMS.DependencyTimeoutException")
    return ErrorCode::kUnavailable;
  // A key that is disabled, gone or of another use stays so until somebody changes that.
  if (Contains(kMisconfigured, type) || type.starts_with("KMS.") || type.starts_with("Kms"))
    return ErrorCode::kConfig;
  if (type == "InvalidObjectState")
    return ErrorCode::kInvalidRequest;  // 403, and not a matter of rights
  if (status >= 500) return ErrorCode::kUnavailable;
  if (status == 401) return ErrorCode::kUnauthenticated;
  if (status == 403) return ErrorCode::kPermissionDenied;
  if (status == 404 && type.empty()) return ErrorCode::kNotFound;
  if (status == 409 || status == 412) return ErrorCode::kConflict;
  if (status == 408) return ErrorCode::kUnavailable;
  // Redirects are never followed: a signed request belongs to one host.
  return ErrorCode::kInvalidRequest;
}

std::string RequestIdOf(const net::HttpResponse& response) {
  for (const char* name : {"x-amzn-requestid", "x-amzn-request-id", "x-amz-request-id"}) {
    if (const auto id = response.Header(name)) return AsciiText(*id, kLongestRequestId);
  }
  return "";
}

ErrorResponse ClassifyResponse(const net::HttpResponse& response, Protocol protocol,
                               std::string_view signed_region) {
  Said said;
  const auto first = response.body.find_first_not_of(" \t\r\n");
  const char start = first == std::string::npos ? '\0' : response.body[first];
  if (start == '{') said = ReadJson(response.body);
  if (start == '<') said = ReadXml(response.body);
  if (said.type.empty()) {
    if (const auto header = response.Header("x-amzn-errortype")) said.type = BareType(*header);
  }
  const bool is_s3 = protocol == Protocol::kRestXml;
  // What a 200 says by its status is worth nothing then.
  const int status = response.status / 100 == 2 ? 500 : response.status;
  ErrorCode code = CodeOf(said.type, status);
  if (is_s3 && said.type.empty() && status == 503) code = ErrorCode::kThrottled;
  const std::string region = is_s3 ? OtherRegion(response, said, signed_region) : std::string();
  if (!region.empty()) code = ErrorCode::kConfig;

  std::string message = said.type.empty()
                            ? fmt::format("AWS answered {}", response.status)
                            : fmt::format("AWS refused the call: {}", Clean(said.type));
  if (!said.message.empty()) message += ": " + Clean(said.message);
  if (response.status >= 300 && response.status < 400)
    message = fmt::format(
        "the endpoint answered with a redirect ({}), which is never followed; check the endpoint "
        "and region",
        response.status);
  if (!region.empty()) message = fmt::format("the bucket lies in region {}", region);

  ErrorResponse out{.error = Error(code, std::move(message)), .type = said.type};
  if (!said.type.empty()) out.error.With("aws_error", Clean(said.type));
  out.error.With("status", std::to_string(response.status));
  if (std::string id = RequestIdOf(response); !id.empty())
    out.error.With("request_id", std::move(id));
  if (const auto host_id = response.Header("x-amz-id-2"))
    out.error.With("host_id", AsciiText(*host_id, kLongestRequestId));
  if (!region.empty()) out.error.With("bucket_region", region);
  if (!said.fields.empty()) out.error.With("fields", said.fields);
  out.says_expired = Contains(kExpired, said.type);
  out.is_expired = out.says_expired || Contains(kPerhapsRotated, said.type);
  out.is_skew = Contains(kSkew, said.type);
  if (is_s3 && said.type.empty() && region.empty()) {
    // A HEAD says no type: 400 is an expired token, 403 a clock, a deleted key or a mere refusal.
    out.says_expired = status == 400;
    out.is_expired = status == 400 || status == 403;
    out.is_skew = status == 403;
  }
  return out;
}

}  // namespace pcw::aws
