// Syncing from the command line: what `pcw sync run` and `pcw demo` share.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "pcw/config/config.h"
#include "pcw/sync/engine.h"
#include "pcw/wiring/wiring.h"

namespace pcw::wiring {

/// The connector and the entities that a command line names ("all" = those configured). Errors of
/// usage, with the nearest name.
Result<const connector::ConnectorDef*> ConnectorNamed(const std::string& name);
bool IsConfigured(const connector::EntityDef& entity, const config::Config& config);
Result<std::vector<const connector::EntityDef*>> EntitiesNamed(
    const connector::ConnectorDef& connector, const std::string& name,
    const config::Config& config);

/// The arguments of one sync, beside what is configured.
struct SyncArgs {
  connector::RunMode mode = connector::RunMode::kIncremental;
  std::optional<std::string> resume{};  ///< as sync::SyncOptions has it
  bool accepts_shrink = false;          ///< so many records are gone: they may be marked missing
};

/// How a sync of this configuration is done.
sync::SyncOptions SyncOptionsFor(const config::Config& config, const SyncArgs& args);

/// What `connectors.config_json` keeps for people who look at the table: no secrets, no addresses.
std::string ConnectorConfigJson(const config::Config& config);

/// Database, lake and AWS access of one configuration, opened in the order that gives the most
/// useful error first.
struct SyncCommandDeps {
  std::unique_ptr<DatabaseAccess> database;
  std::unique_ptr<lake::BronzeStore> lake;
  std::unique_ptr<AwsAccess> aws;
};

/// `task` is who spends the quota, for the ledger of calls: "sync opportunities full".
Result<SyncCommandDeps> OpenSyncDeps(const config::Config& config,
                                     const std::map<std::string, std::string>& environment,
                                     const std::string& task, Machine& machine,
                                     std::stop_token stop);

/// Waits until so many calls of the rolling day are free for syncs, looking at the ledger every few
/// seconds. kCancelled on stop.
Status WaitForQuota(SyncCommandDeps& deps, const config::Config& config, std::int64_t calls,
                    Machine& machine, std::stop_token stop);

/// Runs one entity with progress on standard error. Errors as sync::RunSync.
Result<sync::RunOutcome> SyncEntity(SyncCommandDeps& deps, const config::Config& config,
                                    const connector::EntityDef& entity, const SyncArgs& args,
                                    Machine& machine, std::stop_token stop);

/// Fetches these records of one entity again, with progress on standard error. With kAcceptOlder
/// what AWS has now replaces what is held although its date is earlier. kNotFound for a record that
/// the table does not hold; else errors as sync::RunSync.
enum class OlderVersions { kKeepOut, kAccept };
Result<sync::RunOutcome> RefetchRecords(SyncCommandDeps& deps, const config::Config& config,
                                        const connector::EntityDef& entity,
                                        const std::vector<std::string>& ids, OlderVersions older,
                                        Machine& machine, std::stop_token stop);

/// What a person reads at the end of a run: the sums, and the next step if there is one.
std::string DescribeOutcome(const sync::RunOutcome& outcome, std::string_view entity);

}  // namespace pcw::wiring
