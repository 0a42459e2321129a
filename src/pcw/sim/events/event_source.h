// The events that Partner Central sends when its records change, and the EventBridge rule that
// brings them to a queue of the account.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "pcw/base/json.h"
#include "pcw/base/result.h"
#include "pcw/sim/partner_central/opportunity.h"

namespace pcw::sim {

/// The queue that is there from the start for events.
inline constexpr std::string_view kEventsQueue = "pcw-events";

/// What the rule does with each event. Deterministic: the same for the same seed and number of the
/// event.
struct EventRule {
  bool is_enabled = false;
  std::string queue{kEventsQueue};
  double drop = 0;       ///< share of events that never arrive
  double duplicate = 0;  ///< share of those that arrive twice, with one id
  std::uint64_t seed = 1;
};

struct EventTotals {
  std::uint64_t made = 0, delivered = 0, dropped = 0, duplicated = 0;
};

/// What an event is about, in the form of AWS's published examples (aws/samples/eventbridge).
struct EventContent {
  std::string_view version;  ///< of the envelope: "1" for opportunities, else "0"
  std::string_view detail_type;
  std::string resource{};  ///< ARN; empty = none is named
  OrderedJson detail = OrderedJson::object();
};

/// Thread-safe. Emit may be called with locks of the records held: it takes only its own and the
/// queue's.
class EventSource {
 public:
  /// Puts a message into a queue; false if there is no such queue.
  using Deliver = std::function<bool(const std::string& queue, const std::string& body)>;

  explicit EventSource(EventRule rule) : rule_(std::move(rule)) {}

  void Connect(Deliver deliver);
  /// Begins anew with the numbers that draws depend on.
  void Replace(EventRule rule);
  EventRule rule() const;
  EventTotals totals() const;

  /// Sends an event dated `now`, to the second, if the rule is enabled.
  void Emit(const EventContent& content, WallTime now);

 private:
  mutable std::mutex mutex_;
  EventRule rule_;            // guarded by mutex_
  Deliver deliver_;           // guarded by mutex_
  EventTotals totals_;        // guarded by mutex_
  std::uint64_t number_ = 0;  // guarded by mutex_: of the next event
};

/// {"enabled": true, "queue": "pcw-events", "drop": 0.2, "duplicate": 0.1, "seed": 1}.
/// kInvalidRequest for anything else.
Result<EventRule> ParseEventRule(std::string_view text);

/// The content of an event of an opportunity.
EventContent OpportunityEvent(bool is_new, Catalog catalog, const std::string& id);

}  // namespace pcw::sim
