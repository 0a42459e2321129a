// One tenant's changes on their way to its target, on a thread of their own.
#pragma once

#include <memory>
#include <thread>

#include "pcw/events/targets.h"
#include "pcw/serve/serve.h"

namespace pcw::serve {

/// A target with all that it stands on. `machine` outlives it.
class TargetAccess {
 public:
  /// Nothing is asked of it yet. kConfig for an events.out.url that is none.
  static Result<std::unique_ptr<TargetAccess>> Open(
      const config::Config& config, const std::map<std::string, std::string>& environment,
      wiring::Machine& machine);
  events::EventTarget& target() { return *target_; }

 private:
  TargetAccess() = default;
  std::unique_ptr<wiring::AwsIdentity> identity_;
  std::unique_ptr<net::HttpClient> http_;
  aws::OpenQuotaGate gate_;  // EventBridge is outside Partner Central's quota
  std::unique_ptr<aws::Caller> caller_;
  std::unique_ptr<events::EventTarget> target_;
};

/// Delivers until it is destroyed. A target in trouble is asked less and less often, up to once a
/// minute, and as late as it says itself; that is said when it begins and when it ends.
class EventPublisher {
 public:
  EventPublisher(ServeDeps& deps, wiring::TenantDirectory::Tenant tenant);

 private:
  void Publish(const std::stop_token& stop);
  Result<events::PublishReport> PublishSome(pg::Connection& connection,
                                            const std::stop_token& stop);
  std::chrono::milliseconds PauseAfter(const events::PublishReport& report);

  ServeDeps& deps_;
  const wiring::TenantDirectory::Tenant tenant_;
  RoleSession session_;
  std::unique_ptr<TargetAccess> access_;
  int troubles_ = 0;     ///< in a row
  std::jthread thread_;  // last: it uses everything above
};

}  // namespace pcw::serve
