// Delivery of dead letters to the SQS queue, and what is found there (runbook 3.3).
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "pcw/aws/sqs.h"
#include "pcw/base/clock.h"
#include "pcw/pg/connection.h"

namespace pcw::dlq {

/// A message of somebody else, as it is taken in.
struct ForeignMessage {
  std::string reason;  ///< "not_json", "not_an_envelope", "future_version", "other_tenant", ...
  std::string text;    ///< one sentence
};

/// What a message in our queue is. `letter_id` is set for one of our own.
struct ReadEnvelope {
  std::string letter_id;
  std::optional<ForeignMessage> foreign;
};
ReadEnvelope ReadMessage(std::string_view body, std::string_view tenant_id);

struct DeliveryReport {
  std::int64_t sent = 0;
  std::int64_t refused = 0;   ///< by SQS, entry by entry; tried again next time
  std::int64_t removed = 0;   ///< messages of dead letters that are settled or dropped, or surplus
  std::int64_t received = 0;  ///< messages of others, kept as dead letters of stage event
  std::int64_t extended = 0;  ///< times a message's visibility was extended during the pass
  std::int64_t waiting = 0;   ///< dead letters that are still to be sent
};

struct DeliveryOptions {
  std::string connector_kind = "partner_central";  ///< whom foreign messages are filed under
  std::string catalog = "AWS";
  int most_messages = 20'000;            ///< received in one pass, to find those that can go
  std::chrono::seconds visibility{120};  ///< of received messages; extended when half is over
};

/// One pass: sends dead letters that were not sent, takes in what others put into the queue,
/// mirrors when messages expire (SentTimestamp + retention: a redrive keeps the time), and deletes
/// messages of dead letters that are settled or dropped, never before that is committed (I23).
/// Messages of open dead letters are made visible again at the end of the pass.
///
/// Killed at any point, the next pass goes on: a dead letter may then have two messages, of which a
/// pass that meets both deletes one. Two passes at once share the work. Messages stay hidden for as
/// long as the pass takes. Errors as aws::sqs::Queue and pg::Connection; what was done stays done.
Result<DeliveryReport> Deliver(pg::Connection& connection, std::string_view tenant_id,
                               aws::sqs::Queue& queue, const DeliveryOptions& options,
                               const Clock& clock, std::stop_token stop);

}  // namespace pcw::dlq
