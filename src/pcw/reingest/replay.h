// Replay of the stages fetch and map: the path of a re-ingest, for the records of dead letters.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pcw/aws/caller.h"
#include "pcw/connector/entity_def.h"
#include "pcw/connector/mapping.h"
#include "pcw/dlq/replay.h"
#include "pcw/reingest/reingest.h"
#include "pcw/runs/database_clock.h"

namespace pcw::reingest {

struct BronzeReplayDeps {
  std::string tenant_id;
  std::string catalog;
  std::string connector_config_json = "{}";
  /// The mapping in force.
  std::function<Result<connector::Mapping>(std::string_view entity)> mapping;
  /// Who fetches again; empty = nobody may. Opened when the first record needs it.
  std::function<Result<aws::Caller*>(const connector::EntityDef&)> caller;
  std::string actor;
  ReingestDeps reingest;
};

/// Maps records again from the bronze their dead letters point to. Where nothing reached bronze,
/// fetches the record first, stores it like a run does, part by part, and goes on from there; only
/// if it was given a caller. A record that AWS does not give delays no other; ten in a row end the
/// fetching, and what was fetched is replayed. A run of mode `replay` records it, under the
/// entity's lease. For one thread.
class BronzeReplay final : public dlq::ReplayHandler {
 public:
  explicit BronzeReplay(BronzeReplayDeps deps) : deps_(std::move(deps)) {}

  bool Handles(dlq::Stage stage, std::string_view entity) const override;
  Result<int> VersionOf(std::string_view entity) const override;
  std::string Refuses(const dlq::ReplayTarget& target, dlq::Stage stage) const override;
  Result<dlq::ReplayResult> Replay(const dlq::ReplayJob& job, std::stop_token stop) override;

 private:
  /// A part of refetched records that lies in bronze.
  struct RefetchedPart {
    std::string key, sha256;
    std::uint64_t bytes = 0;
    int records = 0;
  };
  /// What a replay has fetched again, as far as it came.
  struct Refetched {
    std::string prefix, catalog, served_from;
    std::optional<runs::DatabaseClock> clock;  ///< there once a refetch has begun
    WallTime started{};
    std::vector<RefetchedPart> parts;
    std::optional<Error> ended;  ///< why it did not come to the rest
  };
  class PartInHand;

  Status Refetch(const connector::EntityDef& def, const dlq::ReplayJob& job,
                 std::vector<dlq::ReplayTarget>& targets, std::stop_token stop);
  Status FetchOne(const connector::SourceDef& source, std::string_view key, aws::Caller& caller,
                  dlq::ReplayTarget& target, PartInHand& part, std::stop_token stop);
  Status Store(PartInHand& part);
  Status Seal(const connector::EntityDef& def, const dlq::ReplayJob& job);
  Status SettleAbsent(const dlq::ReplayTarget& target, std::stop_token stop);
  Status NoteFailure(const dlq::ReplayTarget& target, const Error& error, std::stop_token stop);

  BronzeReplayDeps deps_;
  Refetched refetched_;  // of the replay under way
};

}  // namespace pcw::reingest
