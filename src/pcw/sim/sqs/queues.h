// The simulated queues: messages, receipt handles, visibility, retention, redrive. No I/O, no clock
// of its own.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "pcw/base/clock.h"
#include "pcw/base/json.h"
#include "pcw/sim/answer.h"
#include "pcw/sim/faults.h"

namespace pcw::sim {

inline constexpr std::string_view kFirstQueue = "pcw-dlq";

/// What an operation answers: a document, or an error by its model's name.
struct SqsResult {
  OrderedJson document = OrderedJson::object();
  std::string error;    ///< "QueueDoesNotExist"; empty = success
  std::string message;  ///< of the error
};

/// One call to the queues.
struct SqsCall {
  Operation operation = Operation::kOther;
  const Json& request;  ///< an object
  const FaultDecision& faults;
  WallTime now;
  std::string_view base_url;  ///< of queue URLs in answers
};

/// Standard queues of one account, with two to begin with: for dead letters and for events. Not
/// thread-safe.
///
/// Visibility, retention and delays follow `now` of each call. A message that was received more
/// often than its queue's redrive policy allows moves to the dead letter queue, with its id and its
/// SentTimestamp. Only the newest receipt handle of a message deletes it; an older one is accepted
/// and does nothing (T7).
class SqsQueues {
 public:
  SqsQueues();
  SqsResult Execute(const SqsCall& call);
  /// Puts a message into a queue, as a service of AWS does; false if there is no such queue.
  bool Put(const std::string& queue, const std::string& body, WallTime now) {
    const auto found = queues_.find(queue);
    return found != queues_.end() &&
           SendOne(found->second, Json{{"MessageBody", body}}, now).error.empty();
  }

 private:
  struct StoredMessage {
    std::string id, body;
    Json attributes = Json::object();  ///< MessageAttributes as sent
    WallTime sent_at, visible_at;
    std::optional<WallTime> first_received_at;
    std::int64_t receives = 0;
    std::uint64_t receipt = 0;  ///< number of the newest one; 0 = never received
  };
  struct StoredQueue {
    std::map<std::string, std::string> attributes;    ///< those that can be set
    std::map<std::uint64_t, StoredMessage> messages;  ///< by arrival
    WallTime created_at{};
    std::int64_t Number(const std::string& name) const;
  };
  struct Handle {
    std::string queue;
    std::uint64_t message = 0, receipt = 0;
  };

  SqsResult CreateQueue(const SqsCall& call);
  SqsResult GetAttributes(const StoredQueue& queue, const std::string& name, const SqsCall& call);
  SqsResult SetAttributes(StoredQueue& queue, const Json& attributes) const;
  SqsResult SendOne(StoredQueue& queue, const Json& entry, WallTime now);
  SqsResult Receive(StoredQueue& queue, const std::string& name, const SqsCall& call);
  SqsResult DeleteOne(StoredQueue& queue, const std::string& name, const Json& entry);
  SqsResult HideOne(StoredQueue& queue, const std::string& name, const Json& entry, WallTime now);
  SqsResult Batch(StoredQueue& queue, const std::string& name, const SqsCall& call);
  void Expire(StoredQueue& queue, WallTime now);
  bool Redrive(StoredQueue& queue, std::uint64_t number);

  std::map<std::string, StoredQueue> queues_;
  std::map<std::string, Handle, std::less<>> handles_;
  std::uint64_t next_message_ = 1;
  std::uint64_t next_receipt_ = 1;
};

}  // namespace pcw::sim
