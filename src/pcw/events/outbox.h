// Delivery of changes: at least once, in the order of each record's versions.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "pcw/base/rng.h"
#include "pcw/events/cloud_event.h"
#include "pcw/pg/connection.h"

namespace pcw::events {

/// Only opportunities are told of.
bool IsPublished(std::string_view entity);

/// Writes events of these changes inside the transaction that commits them. One that was written
/// before is left as it is.
Status PutChanges(pg::Connection& connection, const CloudEventScope& scope,
                  const tables::ChangeScope& run, std::span<const tables::LandedChange> changes,
                  std::stop_token stop);

/// One event in hand.
struct OutgoingEvent {
  std::int64_t id = 0, claim = 0;
  std::string event_id, type, source, body;
  WallTime time{};
  int attempts = 0;  ///< this one included
};

/// What became of one event.
enum class Delivery {
  kDelivered,
  kTryAgain,  ///< later
  kRefused    ///< never: another try would be the same
};
struct DeliveryOutcome {
  Delivery delivery = Delivery::kTryAgain;
  std::string error;  ///< empty if delivered
};

/// What became of a batch.
struct SendReport {
  std::vector<DeliveryOutcome> outcomes;  ///< one an event, in their order
  /// The target does not want to be asked again before that has passed.
  std::optional<std::chrono::milliseconds> rest{};
  bool is_target_trouble = false;  ///< the whole target failed, not one event
};

/// Where events go. For one thread.
class EventTarget {
 public:
  virtual ~EventTarget() = default;
  virtual std::size_t most_events() const = 0;     ///< of one Send
  virtual std::chrono::seconds lease() const = 0;  ///< longer than a Send can take
  /// Never fails as a whole: what went wrong is in the outcomes. Cancelled sends are to be tried
  /// again.
  virtual SendReport Send(std::span<const OutgoingEvent> events, std::stop_token stop) = 0;
};

struct PublishOptions {
  std::chrono::milliseconds give_up_after{0};  ///< from the change on; then an event has failed
};

struct PublishReport {
  std::int64_t taken = 0, delivered = 0, failed = 0;
  std::optional<std::chrono::milliseconds> rest{};
  bool is_target_trouble = false;
  std::string error;  ///< one of those met; empty = none
};

/// Claims events that are due, sends them, and writes down what became of them. No transaction is
/// open meanwhile. A process that dies has sent what it sent: when its lease ends they are sent
/// again. Several publishers share the work; of one record only the oldest pending event is ever in
/// hand.
Result<PublishReport> PublishOnce(pg::Connection& connection, EventTarget& target,
                                  const PublishOptions& options, Rng& rng, std::stop_token stop);

/// Puts events that were given up back into line, with their attempts counted anew. Returns how
/// many.
Result<std::int64_t> RedeliverFailed(pg::Connection& connection, std::stop_token stop);

/// Forgets delivered events after 7 days and failed ones after 30.
Status PruneOutbox(pg::Connection& connection, std::stop_token stop);

/// The pause before the next of so many tries: 1 s, doubling, at most 5 minutes; half of it random.
std::chrono::milliseconds RetryPause(int attempts, Rng& rng);

struct OutboxStatus {
  std::int64_t pending = 0, failed = 0, day_delivered = 0;
  std::int64_t retried = 0;  ///< pending ones that were tried before
  std::string oldest_at;     ///< of the pending; RFC 3339, empty = none
  std::int64_t oldest_seconds = 0;
  std::string last_error;  ///< of a pending one, else of a failed one
};
Result<OutboxStatus> LoadOutboxStatus(pg::Connection& connection, std::stop_token stop);

}  // namespace pcw::events
