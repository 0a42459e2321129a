// What a run changed, kept for those who wait for it: the measure of events that never came, and
// the outbox.
#pragma once

#include <span>

#include "pcw/events/cloud_event.h"
#include "pcw/tables/change_listener.h"

namespace pcw::events {

struct ChangeRecorderOptions {
  bool is_measuring = false;   ///< events come in: see coverage.h
  bool is_publishing = false;  ///< events go out: see outbox.h
  CloudEventScope teller;
};

/// Writes inside the transaction that commits the changes. Immutable, thread-safe.
class ChangeRecorder final : public tables::ChangeListener {
 public:
  explicit ChangeRecorder(ChangeRecorderOptions options) : options_(std::move(options)) {}

  Status OnChanges(pg::Connection& connection, const tables::ChangeScope& scope,
                   std::span<const tables::LandedChange> changes, std::stop_token stop) override;

 private:
  const ChangeRecorderOptions options_;
};

}  // namespace pcw::events
