#include "pcw/dlq/queue_look.h"

namespace pcw::dlq {
namespace {

constexpr int kEmptyReceives = 2;   // one alone does not mean that nothing is there
constexpr int kStaleReceives = 20;  // in a row without a message that is new to the pass

}  // namespace

bool IsLookNeeded(const QueueTally& tally) {
  return tally.ended > 0 || tally.visible + tally.in_flight > tally.known;
}

bool QueueLook::is_over() const {
  return empty_ >= kEmptyReceives || stale_ >= kStaleReceives || received_ >= most_messages_;
}

void QueueLook::Note(std::span<const aws::sqs::Message> messages) {
  const std::size_t known = seen_.size();
  for (const aws::sqs::Message& message : messages) seen_.insert(message.message_id);
  empty_ = messages.empty() ? empty_ + 1 : 0;
  // Messages that come again although they are held: somebody makes them visible.
  stale_ = messages.empty() || seen_.size() > known ? 0 : stale_ + 1;
  received_ += static_cast<int>(messages.size());
}

std::string SurplusMessages::Add(std::string_view dead_letter, const aws::sqs::Message& message) {
  Kept& kept = kept_[std::string(dead_letter)];
  if (!kept.message_id.empty() && message.message_id > kept.message_id)
    return message.receipt_handle;
  std::string other = kept.message_id == message.message_id ? "" : kept.receipt_handle;
  kept = {message.message_id, message.receipt_handle};
  return other;
}

}  // namespace pcw::dlq
