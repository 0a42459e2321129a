#include "pcw/serve/auto_replay.h"

#include <map>
#include <memory>
#include <optional>
#include <string>

#include <fmt/format.h>

#include "pcw/base/log.h"
#include "pcw/dlq/replay_trial.h"
#include "pcw/wiring/replay_handlers.h"

namespace pcw::serve {
namespace {

class MappingChange {
 public:
  MappingChange(const config::Config& config, const wiring::Invocation& invocation,
                wiring::Machine& machine, pg::Connection& connection, std::stop_token stop)
      : config_(config),
        invocation_(invocation),
        machine_(machine),
        connection_(connection),
        stop_(std::move(stop)) {}

  Status Run() {
    PCW_TRY(const auto groups, dlq::LoadVersionedGroups(connection_, config_.tenant_id, stop_));
    for (const dlq::VersionedGroup& group : groups) {
      if (stop_.stop_requested()) return Ok{};
      PCW_TRY(const int version, VersionOf(group.entity));
      if (version == group.mapping_version) continue;
      PCW_TRY(const bool is_ours,
              dlq::ClaimTrial(connection_, config_.tenant_id, group.fingerprint, version, stop_));
      if (!is_ours) continue;
      Result<std::string> outcome = Try(group, version);
      PCW_TRY_OK(dlq::EndTrial(connection_, config_.tenant_id, group.fingerprint, version,
                               outcome ? *outcome : std::string()));
      if (!outcome) return std::move(outcome).error();
    }
    return Ok{};
  }

 private:
  Result<int> VersionOf(const std::string& entity) {
    if (const auto known = versions_.find(entity); known != versions_.end()) return known->second;
    PCW_TRY(const auto mapping, machine_.mappings.InForce(config_, entity));
    versions_[entity] = mapping->version;
    return mapping->version;
  }

  // How the trial ended; empty if something kept us from it.
  Result<std::string> Try(const dlq::VersionedGroup& group, int version) {
    if (!replay_) {
      PCW_TRY(replay_, wiring::ReplayHandlers::Open(config_, invocation_, machine_,
                                                    wiring::ReplayHandlers::Refetch::kNo));
    }
    dlq::ReplayOptions options;
    options.actor = fmt::format("pcw serve: mapping version {}", version);
    options.is_dry_run = true;
    options.filter.id = group.sample_id;
    PCW_TRY(const dlq::ReplayReport tried, Replay(options));
    if (tried.error) return *tried.error;
    const bool has_fate = !tried.runs.empty() && !tried.runs.front().result.fates.empty();
    if (!has_fate) return std::string("the sample has no record in bronze, or was settled");
    const dlq::ReplayFate& fate = tried.runs.front().result.fates.front();
    if (fate.is_failure()) return fmt::format("{}: {}", NameOf(fate.outcome), fate.error);
    options.is_dry_run = false;
    options.filter = {};
    options.filter.group = group.fingerprint;
    PCW_TRY(const dlq::ReplayReport replayed, Replay(options));
    // Another run of the entity holds it; the next pass tries again.
    if (replayed.error && replayed.error->code() == ErrorCode::kConflict) return std::string();
    if (replayed.error) return *replayed.error;
    Log(LogLevel::kInfo, "dead letters are replayed after their mapping has changed",
        {{"group", group.fingerprint},
         {"entity", group.entity},
         {"mapping_version", std::to_string(version)},
         {"settled", std::to_string(replayed.settled)},
         {"still_open", std::to_string(replayed.still_open)},
         {"dropped", std::to_string(replayed.dropped)}});
    return fmt::format("replayed: {} settled, {} still open", replayed.settled,
                       replayed.still_open);
  }

  Result<dlq::ReplayReport> Replay(const dlq::ReplayOptions& options) {
    return dlq::ReplayDeadLetters(connection_, config_.tenant_id, options, replay_->handlers(),
                                  machine_.rng, stop_);
  }

  const config::Config& config_;
  const wiring::Invocation& invocation_;
  wiring::Machine& machine_;
  pg::Connection& connection_;
  std::stop_token stop_;
  std::map<std::string, int> versions_;  // by entity
  std::unique_ptr<wiring::ReplayHandlers> replay_;
};

}  // namespace

Status ReplayAfterMappingChange(const config::Config& config, const wiring::Invocation& invocation,
                                wiring::Machine& machine, pg::Connection& connection,
                                std::stop_token stop) {
  return MappingChange(config, invocation, machine, connection, std::move(stop)).Run();
}

}  // namespace pcw::serve
