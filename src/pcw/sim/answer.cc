#include "pcw/sim/answer.h"

#include <array>

#include <fmt/format.h>

#include "pcw/base/xml_text.h"
#include "pcw/sim/json_text.h"

namespace pcw::sim {
namespace {

constexpr std::array<std::string_view, kOperations> kNames{"ListOpportunities",
                                                           "GetOpportunity",
                                                           "ListPartners",
                                                           "GetCallerIdentity",
                                                           "AssumeRole",
                                                           "AssumeRoleWithWebIdentity",
                                                           "ListBuckets",
                                                           "CreateBucket",
                                                           "DeleteBucket",
                                                           "HeadBucket",
                                                           "ListObjectsV2",
                                                           "ListMultipartUploads",
                                                           "PutObject",
                                                           "GetObject",
                                                           "HeadObject",
                                                           "DeleteObject",
                                                           "CreateMultipartUpload",
                                                           "UploadPart",
                                                           "CompleteMultipartUpload",
                                                           "AbortMultipartUpload",
                                                           "ListParts",
                                                           "ListSolutions",
                                                           "ListEngagements",
                                                           "GetEngagement",
                                                           "ListEngagementInvitations",
                                                           "GetEngagementInvitation",
                                                           "AcceptEngagementInvitation",
                                                           "RejectEngagementInvitation",
                                                           "GetAwsOpportunitySummary",
                                                           "GetPartner",
                                                           "GetProfileVisibility",
                                                           "CreateQueue",
                                                           "ListQueues",
                                                           "GetQueueUrl",
                                                           "GetQueueAttributes",
                                                           "SetQueueAttributes",
                                                           "PurgeQueue",
                                                           "SendMessage",
                                                           "SendMessageBatch",
                                                           "ReceiveMessage",
                                                           "DeleteMessage",
                                                           "DeleteMessageBatch",
                                                           "ChangeMessageVisibility",
                                                           "ChangeMessageVisibilityBatch",
                                                           "PutEvents",
                                                           "other"};

/// Begins a modelled error: its type and Message, the object left open.
JsonText OpenError(Answer& answer, const ServiceSpec& spec, std::string_view message) {
  JsonText json(answer.body);
  json.Open('{')
      .Member("__type", fmt::format("{}#{}", spec.error_namespace, answer.error))
      .Member("Message", message);
  return json;
}

}  // namespace

std::string_view NameOf(Operation operation) { return kNames[static_cast<std::size_t>(operation)]; }

Operation OperationNamed(std::string_view name) {
  for (std::size_t i = 0; i + 1 < kOperations; ++i) {
    if (kNames[i] == name) return static_cast<Operation>(i);
  }
  return Operation::kOther;
}

bool IsSellingRead(Operation operation) {
  switch (operation) {
    case Operation::kListOpportunities:
    case Operation::kGetOpportunity:
    case Operation::kListSolutions:
    case Operation::kListEngagements:
    case Operation::kGetEngagement:
    case Operation::kListEngagementInvitations:
    case Operation::kGetEngagementInvitation:
    case Operation::kGetAwsOpportunitySummary:
      return true;
    default:
      return false;
  }
}

bool IsSellingWrite(Operation operation) {
  return operation == Operation::kAcceptEngagementInvitation ||
         operation == Operation::kRejectEngagementInvitation;
}

Answer ServiceError(ServiceId service, std::string_view name, std::string_view message,
                    int status) {
  Answer answer{.status = status, .body = {}, .error = std::string(name), .headers = {}};
  OpenError(answer, SpecOf(service), message).Close('}');
  return answer;
}

Answer AccessDenied(ServiceId service, std::string_view message) {
  const ServiceSpec& spec = SpecOf(service);
  Answer answer{.status = 400, .body = {}, .error = "AccessDeniedException", .headers = {}};
  JsonText json = OpenError(answer, spec, message);
  if (!spec.denial_reason.empty()) json.Member("Reason", spec.denial_reason);
  json.Close('}');
  return answer;
}

Answer ValidationError(ServiceId service, const std::vector<FieldError>& fields) {
  const ServiceSpec& spec = SpecOf(service);
  Answer answer{.status = 400, .body = {}, .error = "ValidationException", .headers = {}};
  JsonText json = OpenError(answer, spec, "The request failed validation.");
  json.Member("Reason", "REQUEST_VALIDATION_FAILED").Key(spec.violations).Open('[');
  for (const FieldError& field : fields) {
    if (!spec.violation_wrapper.empty()) json.Open('{').Key(spec.violation_wrapper);
    json.Open('{')
        .Member(spec.violation_field, field.field)
        .Member("Message", field.message)
        .Member("Code", field.code)
        .Close('}');
    if (!spec.violation_wrapper.empty()) json.Close('}');
  }
  json.Close(']').Close('}');
  return answer;
}

Answer FrontError(std::string_view name, std::string_view message, int status) {
  Answer answer{.status = status, .body = {}, .error = std::string(name), .headers = {}};
  JsonText(answer.body)
      .Open('{')
      .Member("__type", fmt::format("com.amazon.coral.service#{}", name))
      .Member("message", message)
      .Close('}');
  return answer;
}

Answer QueryError(std::string_view code, std::string_view message, int status) {
  Answer answer{.status = status,
                .body = {},
                .error = std::string(code),
                .headers = {},
                .dialect = Dialect::kQuery};
  // The request id is put in where the answer is sent.
  answer.body = fmt::format(
      "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\n  <Error>\n"
      "    <Type>Sender</Type>\n    <Code>{}</Code>\n    <Message>{}</Message>\n  </Error>\n"
      "  <RequestId>@REQUEST_ID@</RequestId>\n</ErrorResponse>\n",
      code, XmlEscape(message));
  return answer;
}

}  // namespace pcw::sim
