// What the simulated services answer, before transport faults: status, body, and the error's name.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "pcw/net/server/message.h"
#include "pcw/sim/services.h"

namespace pcw::sim {

/// The operations that are simulated; kOther is anything else that was asked for.
enum class Operation : std::uint8_t {
  kListOpportunities,
  kGetOpportunity,
  kListPartners,
  kGetCallerIdentity,
  kAssumeRole,
  kAssumeRoleWithWebIdentity,
  // S3
  kListBuckets,
  kCreateBucket,
  kDeleteBucket,
  kHeadBucket,
  kListObjectsV2,
  kListMultipartUploads,
  kPutObject,
  kGetObject,
  kHeadObject,
  kDeleteObject,
  kCreateMultipartUpload,
  kUploadPart,
  kCompleteMultipartUpload,
  kAbortMultipartUpload,
  kListParts,
  // Partner Central
  kListSolutions,
  kListEngagements,
  kGetEngagement,
  kListEngagementInvitations,
  kGetEngagementInvitation,
  kAcceptEngagementInvitation,
  kRejectEngagementInvitation,
  kGetAwsOpportunitySummary,
  kGetPartner,
  kGetProfileVisibility,
  // SQS
  kCreateQueue,
  kListQueues,
  kGetQueueUrl,
  kGetQueueAttributes,
  kSetQueueAttributes,
  kPurgeQueue,
  kSendMessage,
  kSendMessageBatch,
  kReceiveMessage,
  kDeleteMessage,
  kDeleteMessageBatch,
  kChangeMessageVisibility,
  kChangeMessageVisibilityBatch,
  // EventBridge
  kPutEvents,
  kOther
};
inline constexpr std::size_t kOperations = 46;

std::string_view NameOf(Operation operation);
/// kOther for names that are not simulated.
Operation OperationNamed(std::string_view name);
/// Whether it shares the read quota of Partner Central Selling, or its write quota. Neither: no
/// published rate.
bool IsSellingRead(Operation operation);
bool IsSellingWrite(Operation operation);

/// How a service speaks: awsJson 1.0, or form in and XML out (STS).
enum class Dialect : std::uint8_t { kJson, kQuery };

struct Answer {
  int status = 200;
  std::string body;
  std::string error;  ///< the error's name without namespace; empty for success
  net::server::Headers headers;
  Dialect dialect = Dialect::kJson;
};

/// One violation that a ValidationException lists.
struct FieldError {
  std::string field;
  std::string message;
  std::string code;
};

/// An error of a JSON service's model ("com.amazonaws.partnercentralselling#Name", member Message).
Answer ServiceError(ServiceId service, std::string_view name, std::string_view message,
                    int status = 400);

/// AccessDeniedException, with the Reason of the services that send one.
Answer AccessDenied(ServiceId service, std::string_view message);

/// ValidationException with Reason REQUEST_VALIDATION_FAILED, the fields listed as the service
/// does.
Answer ValidationError(ServiceId service, const std::vector<FieldError>& fields);

/// An error of the common front end ("com.amazon.coral.service#Name", member message).
Answer FrontError(std::string_view name, std::string_view message, int status = 400);

/// An STS error: XML, Type Sender.
Answer QueryError(std::string_view code, std::string_view message, int status = 400);

}  // namespace pcw::sim
