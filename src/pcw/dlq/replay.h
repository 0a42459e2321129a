// Replay: failed records processed again, by the stage that failed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "pcw/base/clock.h"
#include "pcw/base/result.h"
#include "pcw/base/rng.h"
#include "pcw/dlq/dead_letter.h"
#include "pcw/pg/connection.h"

namespace pcw::dlq {

/// A replay that ended the same way so often in a row is not tried again by itself.
inline constexpr int kLoopGuard = 3;

/// One dead letter that is to be replayed; what a stage needs of it.
struct ReplayTarget {
  std::string letter_id;
  std::string record_key, catalog;
  std::string bronze_key;  ///< empty: nothing of the record was fetched
  int bronze_line = 0;
  std::string error_context_json;
  std::string fingerprint;
};

/// Dead letters of one entity and one stage.
struct ReplayJob {
  Stage stage = Stage::kMap;
  std::string entity;
  std::string run_id;  ///< the run to record it as; empty for a dry run
  std::vector<ReplayTarget> targets;
  int records_per_second = 0;  ///< 0 = as fast as it goes
  bool is_dry_run = false;
};

/// What became of one dead letter, or would.
enum class ReplayOutcome { kFails, kNewRow, kChangesRow, kUpToDate, kIsFetched, kIsRecorded };
/// As people read it: "fails", "new row", "changes the row", "row is up to date", ...
std::string_view NameOf(ReplayOutcome outcome);

struct ReplayFate {
  std::string record_key;
  ReplayOutcome outcome = ReplayOutcome::kFails;
  std::string error{};  ///< of kFails
  std::string note{};   ///< of kIsRecorded: as what

  /// The outcome with its note.
  std::string Text() const;
  bool is_failure() const { return outcome == ReplayOutcome::kFails; }
};

struct ReplayResult {
  std::string status;               ///< of the run
  std::vector<ReplayFate> fates;    ///< of a dry run
  std::string changes_json = "[]";  ///< of a dry run: columns that would change, with examples
  std::optional<Error> error;       ///< the run did not end well
};

/// Replays the dead letters of a stage. One per stage, implemented by the module that owns it and
/// registered by app; this module knows no stage.
///
/// Replaying a dead letter n times must equal replaying it once (I24): an effect goes through the
/// same path as the first try, and what landed is settled in the transaction that made it land.
class ReplayHandler {
 public:
  virtual ~ReplayHandler() = default;
  virtual bool Handles(Stage stage, std::string_view entity) const = 0;
  /// The version that decides whether trying again can end differently (of the mapping); 0 = none.
  virtual Result<int> VersionOf(std::string_view entity) const = 0;
  /// Why this dead letter cannot be replayed as things are; empty = it can.
  virtual std::string Refuses(const ReplayTarget& target, Stage stage) const = 0;
  virtual Result<ReplayResult> Replay(const ReplayJob& job, std::stop_token stop) = 0;
};

/// A replay takes so many dead letters of one entity and stage at once, each time as a run of its
/// own: memory stays flat, a kill repeats little, and other runs of the entity get their turn
/// between.
inline constexpr std::size_t kLettersInRun = 10'000;

struct ReplayRun {
  std::string run_id, entity, stage;
  std::int64_t letters = 0;
  ReplayResult result;
};

/// Told of a dry run as it goes on; fates are then not collected. Called on the caller's thread,
/// entity by entity and stage by stage.
struct DryRunListener {
  std::function<void(const ReplayRun&)> on_begin;  ///< entity and stage are known
  std::function<void(const ReplayFate&)> on_fate;
  std::function<void(const ReplayRun&)> on_end;
};

struct ReplayOptions {
  DeadLetterFilter filter;  ///< its state and limit do not count: open ones, all of them
  bool is_all = false;      ///< every open one; with an empty filter, which does not mean it
  /// Instead of a filter: what the replay that this run belongs to did not come to. Its first
  /// characters are enough.
  std::string resume_run;
  std::optional<std::int64_t> expect;
  std::string actor;
  int records_per_second = 0;
  int loop_guard = kLoopGuard;  ///< 0 = none
  bool is_dry_run = false;
  const DryRunListener* listener = nullptr;  ///< outlives the replay; null = fates are collected
};

/// A dead letter that was left alone, and why.
struct SkippedLetter {
  std::string letter_id, record_key, reason;
};

/// Dead letters of one cause before and after.
struct ReplayTally {
  std::string fingerprint, entity, stage, error_code, error;
  std::int64_t before = 0, after = 0;
};

struct ReplayReport {
  std::int64_t chosen = 0;
  std::int64_t settled = 0;
  std::int64_t still_open = 0;  ///< of those that were replayed
  std::int64_t dropped = 0;     ///< by somebody else, while they were replayed
  std::int64_t skipped = 0;
  std::vector<SkippedLetter> examples;  ///< the first hundred that were left alone
  std::string replay_id;                ///< the first of its runs; empty for a dry run
  std::vector<ReplayRun> runs;
  std::vector<ReplayTally> groups;
  std::optional<Error> error;  ///< a run that did not end well; the others were done
};

/// Chooses dead letters, leaves alone those that the loop guard holds or that no handler takes, and
/// replays the rest entity by entity, `kLettersInRun` at a time. Nothing is written for a dry run.
/// A replay that was killed goes on when it is run again, or by `resume_run`: what landed is
/// settled.
///
/// kConflict if not exactly `expect` dead letters are chosen; kNotFound if `resume_run` names no
/// replay; kInvalidRequest for a filter that chooses nothing, or something beside `is_all`.
Result<ReplayReport> ReplayDeadLetters(pg::Connection& connection, std::string_view tenant_id,
                                       const ReplayOptions& options,
                                       const std::vector<ReplayHandler*>& handlers, Rng& rng,
                                       std::stop_token stop);

/// What `ReplayFixedGroups` did about one group.
struct GroupTrial {
  DeadLetterGroup group;
  ReplayFate fate;                     ///< of the sample, tried without effect
  std::optional<ReplayReport> report;  ///< if the sample succeeded
};

/// Tries the newest dead letter of each group without effect and replays the groups whose sample
/// succeeds: to be called after a mapping has changed.
Result<std::vector<GroupTrial>> ReplayFixedGroups(pg::Connection& connection,
                                                  std::string_view tenant_id,
                                                  const ReplayOptions& options,
                                                  const std::vector<ReplayHandler*>& handlers,
                                                  Rng& rng, std::stop_token stop);

}  // namespace pcw::dlq
