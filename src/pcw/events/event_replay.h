// Replay of stage event: messages that were not events, read again by this version, or with a
// patch.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "pcw/dlq/replay.h"
#include "pcw/events/inbox.h"

namespace pcw::events {

struct EventReplayDeps {
  InboxScope scope;
  std::function<Result<pg::Connection>(std::stop_token)> open;
};

/// Dead letters of the queue of events, and of messages that SQS moved into the queue of dead
/// letters. Handles the original body again, a merge patch applied to it if the dead letter has
/// one, as if the message had just come: an event that was recorded meanwhile is a duplicate, and
/// the dead letter is settled in the transaction that records it. Without the lease of an entity
/// and without a run: what the event names is fetched by the service. For one thread.
class EventReplay final : public dlq::ReplayHandler {
 public:
  explicit EventReplay(EventReplayDeps deps) : deps_(std::move(deps)) {}

  bool Handles(dlq::Stage stage, std::string_view entity) const override;
  Result<int> VersionOf(std::string_view entity) const override;
  std::string Refuses(const dlq::ReplayTarget& target, dlq::Stage stage) const override;
  Result<dlq::ReplayResult> Replay(const dlq::ReplayJob& job, std::stop_token stop) override;

 private:
  Status ReplayOne(pg::Connection& connection, const dlq::ReplayJob& job,
                   const dlq::ReplayTarget& target, dlq::ReplayResult& result,
                   std::stop_token stop);

  EventReplayDeps deps_;
};

}  // namespace pcw::events
