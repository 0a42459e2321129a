// Replaying and delivering dead letters of one configuration: what the verbs and the service share.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "pcw/diagnose/escalation.h"
#include "pcw/dlq/outbox.h"
#include "pcw/dlq/replay.h"
#include "pcw/events/event_replay.h"
#include "pcw/reingest/replay.h"
#include "pcw/wiring/invocation.h"
#include "pcw/wiring/wiring.h"

namespace pcw::wiring {

/// Who looks at dead letters of that stage and error code first.
diagnose::IssueType IssueOf(std::string_view stage, std::string_view error_code);

/// The replay handler of each stage, with the sessions and stores they need. `machine` and `config`
/// outlive it.
class ReplayHandlers {
 public:
  enum class Refetch { kNo, kYes };
  static Result<std::unique_ptr<ReplayHandlers>> Open(const config::Config& config,
                                                      const Invocation& invocation,
                                                      Machine& machine, Refetch refetch);

  DatabaseAccess& database() { return *database_; }
  const std::vector<dlq::ReplayHandler*>& handlers() const { return handlers_; }

 private:
  ReplayHandlers() = default;
  std::unique_ptr<DatabaseAccess> database_;
  std::unique_ptr<lake::BronzeStore> lake_;
  std::unique_ptr<AwsAccess> aws_;
  std::unique_ptr<reingest::BronzeReplay> bronze_;
  std::unique_ptr<events::EventReplay> events_;
  std::vector<dlq::ReplayHandler*> handlers_;
};

/// One pass of delivery to the queue of dlq.url, which must be set.
Result<dlq::DeliveryReport> DeliverOnce(const config::Config& config, const Invocation& invocation,
                                        Machine& machine, DatabaseAccess& database);
/// The same over an open session; nothing without dlq.url. What a pass that fails
/// leaves is done by the next one, so after a run this only warns, on standard error.
void DeliverAfter(const config::Config& config, const Invocation& invocation, Machine& machine,
                  DatabaseAccess& database);

}  // namespace pcw::wiring
