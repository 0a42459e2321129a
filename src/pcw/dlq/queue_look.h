// Decisions of a pass over the queue: whether to look at its messages, for how long, and which of
// two messages of one dead letter is too much.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include "pcw/aws/sqs.h"

namespace pcw::dlq {

/// What the database and the queue say of messages before any is received.
struct QueueTally {
  std::int64_t ended = 0;    ///< messages known whose dead letters have ended
  std::int64_t known = 0;    ///< messages known
  std::int64_t visible = 0;  ///< in the queue
  std::int64_t in_flight = 0;
};

/// Receiving costs calls and counts as a receive, so it is done only if something can come of it:
/// a dead letter that has ended, or more messages than are known.
bool IsLookNeeded(const QueueTally& tally);

/// How far a look through the queue has come. SQS answers with no messages although some are
/// there, and shows the same ones again when somebody makes them visible.
class QueueLook {
 public:
  explicit QueueLook(int most_messages) : most_messages_(most_messages) {}

  /// Two answers without a message in a row, twenty in a row without a new one, or as many messages
  /// as a pass takes.
  bool is_over() const;
  void Note(std::span<const aws::sqs::Message> messages);

 private:
  const int most_messages_;
  int empty_ = 0, stale_ = 0, received_ = 0;
  std::set<std::string, std::less<>> seen_;  // ids of messages
};

/// A kill between SQS's answer and the commit leaves a dead letter with two messages. Of two that
/// are in hand at once the one with the smaller id stays, in whatever order they came: two passes
/// at once never delete both.
class SurplusMessages {
 public:
  /// The receipt handle of the message that can go; empty = none.
  std::string Add(std::string_view dead_letter, const aws::sqs::Message& message);

 private:
  /// The message of an open dead letter that stays.
  struct Kept {
    std::string message_id, receipt_handle;
  };
  std::map<std::string, Kept, std::less<>> kept_;  // by dead letter
};

}  // namespace pcw::dlq
