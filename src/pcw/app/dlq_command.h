// What the verbs of `pcw dlq` share: filters, owners, the handlers that replay.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "pcw/app/cli.h"
#include "pcw/app/wiring.h"
#include "pcw/diagnose/escalation.h"
#include "pcw/dlq/dead_letter.h"
#include "pcw/dlq/replay.h"
#include "pcw/events/event_replay.h"
#include "pcw/sync/replay.h"

namespace pcw::app {

/// Who looks at letters of that stage and error code first.
diagnose::IssueType IssueOf(std::string_view stage, std::string_view error_code);

/// Adds --entity, --cause, --group, --run, --since, --until, --stage.
void AddLetterFilter(CLI::App& verb, const std::shared_ptr<dlq::DeadLetterFilter>& filter);
/// --since and --until as the database takes them. An error of usage for a value that its option
/// cannot have.
Status FinishFilter(dlq::DeadLetterFilter& filter);

/// The name of the user who runs this process, for the history of a letter.
std::string ActorOf(const Invocation& invocation);

/// Everything that replaying takes. `machine` and `config` outlive it.
class ReplaySite {
 public:
  enum class Refetch { kNo, kYes };
  static Result<std::unique_ptr<ReplaySite>> Open(const Config& config,
                                                  const Invocation& invocation, Machine& machine,
                                                  Refetch refetch);

  DatabaseAccess& database() { return *database_; }
  const std::vector<dlq::ReplayHandler*>& handlers() const { return handlers_; }

 private:
  ReplaySite() = default;
  std::unique_ptr<DatabaseAccess> database_;
  std::unique_ptr<lake::BronzeStore> lake_;
  std::unique_ptr<AwsAccess> aws_;
  std::unique_ptr<sync::BronzeReplay> bronze_;
  std::unique_ptr<events::EventReplay> events_;
  std::vector<dlq::ReplayHandler*> handlers_;
};

/// One pass of delivery over an open session; nothing without dlq.url. What a pass that fails
/// leaves is done by the next one, so after a run this only warns, on standard error.
void DeliverAfter(const Config& config, const Invocation& invocation, Machine& machine,
                  DatabaseAccess& database);

void AddDlqDeliver(CLI::App& dlq, Invocation& invocation);
void AddDlqReplay(CLI::App& dlq, Invocation& invocation);
void AddDlqDrop(CLI::App& dlq, Invocation& invocation);

}  // namespace pcw::app
