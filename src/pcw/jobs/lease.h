// The lease on an entity and its fencing token: one writer at a time, proved at every commit (I7).
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "pcw/base/clock.h"
#include "pcw/base/result.h"
#include "pcw/jobs/lease_holder.h"
#include "pcw/pg/connection.h"

namespace pcw::jobs {

/// What is leased: the right to write one entity of one connector of one tenant.
struct LeaseKey {
  std::string tenant_id;
  std::int64_t connector_id = 0;
  std::string entity;
};

/// A held lease. A thread of its own renews it on a connection of its own; losing it requests stop
/// on `lost()`.
///
/// Acquire takes over at once from a holder whose database session is gone (the advisory lock that
/// it had is free: a hint, the fence is the rule, T9), and from any holder whose lease has expired.
/// kConflict with context holder, run_id, since when another process holds it.
class Lease {
 public:
  static Result<std::unique_ptr<Lease>> Acquire(const pg::ConnectOptions& connect,
                                                const LeaseKey& key, std::string run_id,
                                                const LeaseOptions& options, Clock& clock,
                                                Sleeper& sleeper, std::stop_token stop);
  ~Lease();  ///< releases it

  std::int64_t fence() const;
  /// Stop requested when the lease could not be renewed or was taken over.
  std::stop_token lost() const;

  /// To be called inside the transaction that writes: locks the lease row and proves that our fence
  /// is still the highest. kConflict ("lease lost") otherwise; the transaction must roll back.
  Status CheckFence(pg::Connection& connection, std::stop_token stop) const;

 private:
  struct State;
  explicit Lease(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace pcw::jobs
