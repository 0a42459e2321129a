// SQS: one queue, messages in batches (docs/aws-facts.md 17; JSON protocol).
#pragma once

#include <cstdint>
#include <map>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "pcw/aws/caller.h"
#include "pcw/aws/endpoint.h"
#include "pcw/aws/operation.h"
#include "pcw/base/result.h"

namespace pcw::aws::sqs {

inline constexpr ServiceDef kService{
    .id = "sqs",
    .signing_name = "sqs",
    .target_prefix = "AmazonSQS",
    .endpoint_env = "SQS",
    .config_key = "sqs",
    .host_pattern = "sqs.{region}.amazonaws.com",
    .only_region = "",
    .protocol = Protocol::kJson10,
};

/// Delivery is at least once whatever we do, so sending again is safe as far as SQS goes.
inline constexpr Operation kSendMessageBatch{&kService, "SendMessageBatch",
                                             Idempotency::kIdempotent, QuotaClass::kNone, ""};
inline constexpr Operation kReceiveMessage{&kService, "ReceiveMessage", Idempotency::kIdempotent,
                                           QuotaClass::kNone, ""};
inline constexpr Operation kDeleteMessageBatch{&kService, "DeleteMessageBatch",
                                               Idempotency::kIdempotent, QuotaClass::kNone, ""};
inline constexpr Operation kChangeMessageVisibilityBatch{
    &kService, "ChangeMessageVisibilityBatch", Idempotency::kIdempotent, QuotaClass::kNone, ""};
inline constexpr Operation kGetQueueAttributes{
    &kService, "GetQueueAttributes", Idempotency::kIdempotent, QuotaClass::kNone, "Attributes"};
inline constexpr Operation kGetQueueUrl{&kService, "GetQueueUrl", Idempotency::kIdempotent,
                                        QuotaClass::kNone, "QueueUrl"};

/// What one batch call takes.
inline constexpr std::size_t kMostEntries = 10;

/// Where a queue is reached and which region signs for it.
struct QueueAddress {
  std::string endpoint;  ///< base URL
  std::string region;
};

/// The endpoint that is configured for SQS beats the host of the queue URL; without one the URL's
/// own host is used, which must be one of AWS's (RegionOfQueueHost): https, default port (I32).
/// The region is the one that the host names, else `region`. kConfig for a URL that is none of a
/// queue.
Result<QueueAddress> AddressQueue(std::string_view queue_url, const Endpoint& configured,
                                  bool is_override, const std::string& region);

struct OutgoingMessage {
  std::string id;  ///< names it in the batch: 1 to 80 of [A-Za-z0-9_-]
  std::string body;
  std::map<std::string, std::string> attributes;  ///< texts; empty values are left out
};

struct Message {
  std::string message_id, receipt_handle, body;
  std::int64_t receive_count = 0;
  std::int64_t sent_at_ms = 0;  ///< SentTimestamp, which a redrive keeps
  std::map<std::string, std::string> attributes;
};

/// An entry of a batch that SQS did not take, although it answered 200 (T12).
struct FailedEntry {
  std::string id, code, message;
  bool is_sender_fault = false;
};
struct BatchOutcome {
  std::map<std::string, std::string> done;  ///< id -> message id, where there is one
  std::vector<FailedEntry> failed;
};

struct QueueAttributes {
  std::int64_t messages = 0, in_flight = 0, retention_seconds = 0, visibility_seconds = 0;
  std::int64_t largest_message = 0;
  std::string arn, redrive_policy;
};

/// One queue. As thread-safe as its caller, which outlives it. Errors as Caller, and kUnavailable
/// for an answer that accounts for none of the entries asked. An entry that an answer does not
/// account for, or whose MD5 is not that of the body sent, has failed alone.
class Queue {
 public:
  Queue(Caller& caller, std::string url) : caller_(caller), url_(std::move(url)) {}

  /// At most ten. An entry that SQS refused is in `failed`, not an error. A batch that it refuses
  /// whole is sent again in halves, down to the entry that it does not take.
  Result<BatchOutcome> Send(const std::vector<OutgoingMessage>& messages, std::stop_token stop);
  /// At most ten; none does not mean that the queue is empty (docs/aws-facts.md 17). A message
  /// whose body does not have its MD5 is left out: it comes again.
  Result<std::vector<Message>> Receive(int most, int visibility_seconds, int wait_seconds,
                                       std::stop_token stop);
  /// At most ten receipt handles; ids in the outcome are their places, "0" to "9".
  Result<BatchOutcome> Delete(const std::vector<std::string>& receipt_handles,
                              std::stop_token stop);
  Result<BatchOutcome> ChangeVisibility(const std::vector<std::string>& receipt_handles,
                                        int seconds, std::stop_token stop);
  Result<QueueAttributes> Attributes(std::stop_token stop);

  const std::string& url() const { return url_; }

 private:
  Caller& caller_;
  std::string url_;
};

/// The URL of a queue of the caller's account. kNotFound if there is none.
Result<std::string> GetQueueUrl(Caller& caller, std::string_view name, std::stop_token stop);

}  // namespace pcw::aws::sqs
