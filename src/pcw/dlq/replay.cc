#include "pcw/dlq/replay.h"

#include <algorithm>
#include <array>
#include <map>
#include <span>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "pcw/base/assert.h"
#include "pcw/base/failpoint.h"
#include "pcw/base/json.h"
#include "pcw/base/uuid.h"
#include "pcw/dlq/filter_check.h"
#include "pcw/dlq/replay_rules.h"

namespace pcw::dlq {
namespace {

constexpr std::size_t kMostExamples = 100;
constexpr std::size_t kAtOnce = 5'000;

// The filter's parameters as in dead_letter.cc; the eleventh is the replay to go on with, the
// twelfth the dead letter after which this page begins.
constexpr std::string_view kChoose =
    "SELECT d.id, d.entity, d.stage, d.record_key, d.bronze_key, d.failed_replays, "
    "d.mapping_version, d.fingerprint, d.catalog FROM dead_letters d WHERE d.tenant_id = $1::uuid "
    "AND d.state = 'open' AND ($2 = '' OR d.entity = $2) AND ($3 = '' OR "
    "starts_with(d.run_id::text, "
    "$3)) AND ($4 = '' OR starts_with(d.id::text, $4)) AND ($5 = '' OR d.error_code = $5) AND ($6 "
    "= '' OR starts_with(d.fingerprint, $6)) AND ($7 = '' OR d.last_seen_at >= nullif($7, "
    "'')::timestamptz) AND ($8 = '' OR d.last_seen_at < nullif($8, '')::timestamptz) AND ($9 = '' "
    "OR d.stage = $9) AND ($10 = '' OR (d.replay_run = nullif($10, '')::uuid AND NOT "
    "d.replay_failed)) AND d.id > $11::uuid ORDER BY d.id LIMIT 5000";

constexpr std::string_view kLoad =
    "SELECT d.id, d.record_key, d.catalog, d.bronze_key, d.bronze_line, CASE WHEN d.stage = "
    "'fetch' THEN d.error_context::text ELSE '' END, d.fingerprint FROM dead_letters d WHERE "
    "d.tenant_id = $1::uuid AND d.state = 'open' AND d.id IN (SELECT "
    "jsonb_array_elements_text($2::jsonb)::uuid) ORDER BY d.id";

constexpr std::string_view kFindReplay =
    "SELECT replay_id FROM dead_letter_replays WHERE tenant_id = $1::uuid AND "
    "starts_with(run_id::text, $2) ORDER BY run_id DESC LIMIT 1";

constexpr std::string_view kBegin =
    "INSERT INTO dead_letter_replays (tenant_id, run_id, replay_id) VALUES ($1::uuid, $2::uuid, "
    "$3::uuid) ON CONFLICT (tenant_id, run_id) DO NOTHING";

constexpr std::string_view kTakeUp =
    "UPDATE dead_letters SET replay_run = $2::uuid, replay_failed = false WHERE tenant_id = "
    "$1::uuid AND id IN (SELECT jsonb_array_elements_text($3::jsonb)::uuid)";

constexpr std::string_view kNote =
    "INSERT INTO dead_letter_events (tenant_id, letter_id, event, actor, detail) SELECT $1::uuid, "
    "id::uuid, 'replayed', $4, jsonb_build_object('run', $2::text) FROM "
    "jsonb_array_elements_text($3::jsonb) AS ids (id)";

constexpr std::string_view kStates =
    "SELECT state, fingerprint, count(*) FROM dead_letters WHERE tenant_id = $1::uuid AND id IN "
    "(SELECT jsonb_array_elements_text($2::jsonb)::uuid) GROUP BY 1, 2";

Stage StageOf(std::string_view name) {
  if (name == "map") return Stage::kMap;
  return name == "event" ? Stage::kEvent : Stage::kFetch;
}

/// A dead letter's id in 16 bytes: a replay of a million dead letters holds all of them.
using PackedId = PackedUuid;

PackedId Pack(std::string_view uuid) {
  const std::optional<PackedUuid> packed = PackUuid(uuid);
  PCW_ASSERT(packed.has_value());  // the column is a uuid
  return *packed;
}

std::string IdsOf(std::span<const PackedId> letters) {
  Json ids = Json::array();
  for (const PackedId& letter : letters) ids.push_back(UnpackUuid(letter));
  return DumpJson(ids);
}

class Replay {
 public:
  Replay(pg::Connection& connection, std::string_view tenant_id, const ReplayOptions& options,
         const std::vector<ReplayHandler*>& handlers, Rng& rng, std::stop_token stop)
      : connection_(connection),
        tenant_id_(tenant_id),
        options_(options),
        handlers_(handlers),
        rng_(rng),
        stop_(std::move(stop)) {}

  Result<ReplayReport> Run() {
    // What is resumed chooses by itself.
    if (options_.resume_run.empty()) {
      PCW_TRY_OK(CheckSelection(options_.filter, options_.is_all ? Meant::kAll : Meant::kFilter));
    }
    PCW_TRY_OK(CheckFilter(options_.filter));
    PCW_TRY_OK(FindResumed());
    PCW_TRY_OK(Choose());
    if (options_.expect && report_.chosen != *options_.expect) {
      return Error(ErrorCode::kConflict,
                   fmt::format("{} dead letters match, {} were expected: nothing is replayed",
                               report_.chosen, *options_.expect));
    }
    PCW_TRY_OK(TallyBefore());
    if (!options_.is_dry_run) PCW_TRY_OK(TakeUp());
    for (const auto& [name, letters] : jobs_) {
      PCW_TRY_OK(options_.is_dry_run ? TryJob(name.first, name.second, letters)
                                     : RunJob(name.first, name.second, letters));
    }
    TallyAfter();
    return std::move(report_);
  }

 private:
  ReplayHandler* HandlerOf(Stage stage, std::string_view entity) const {
    for (ReplayHandler* handler : handlers_) {
      if (handler->Handles(stage, entity)) return handler;
    }
    return nullptr;
  }

  void Skip(const ReplayTarget& target, std::string reason) {
    ++report_.skipped;
    if (report_.examples.size() < kMostExamples)
      report_.examples.push_back({target.letter_id, target.record_key, std::move(reason)});
  }

  Status FindResumed() {
    if (options_.resume_run.empty()) return Ok{};
    if (!IsUuidStart(options_.resume_run)) {
      return Error(ErrorCode::kInvalidRequest,
                   fmt::format("\"{}\" is not a run id; give the id that `pcw runs list` shows, or "
                               "its first 8 or more characters",
                               options_.resume_run.substr(0, 64)));
    }
    PCW_TRY(const pg::Rows rows,
            connection_.Exec({"replay_find", kFindReplay},
                             {std::string(tenant_id_), options_.resume_run}, stop_));
    if (rows.empty()) {
      return Error(
          ErrorCode::kNotFound,
          fmt::format("run {} is not a replay of dead letters; `pcw runs list` shows those of "
                      "mode replay",
                      options_.resume_run));
    }
    resumed_ = rows.Text(0, 0);
    return Ok{};
  }

  Status Choose() {
    const DeadLetterFilter& filter = options_.filter;
    std::string last = "00000000-0000-0000-0000-000000000000";
    for (;;) {
      PCW_TRY(const pg::Rows rows,
              connection_.Exec(
                  {"replay_choose", kChoose},
                  {std::string(tenant_id_), filter.entity, filter.run_id, filter.id, filter.cause,
                   filter.group, filter.since, filter.until, filter.stage, resumed_, last},
                  stop_));
      report_.chosen += static_cast<std::int64_t>(rows.size());
      for (std::size_t row = 0; row < rows.size(); ++row) PCW_TRY_OK(TakeOrSkip(rows, row));
      if (rows.size() < kAtOnce) return Ok{};
      last = rows.Text(rows.size() - 1, 0);
    }
  }

  Status TakeOrSkip(const pg::Rows& rows, std::size_t row) {
    const ReplayTarget target{.letter_id = std::string(rows.Text(row, 0)),
                              .record_key = std::string(rows.Text(row, 3)),
                              .catalog = std::string(rows.Text(row, 8)),
                              .bronze_key = std::string(rows.Text(row, 4)),
                              .error_context_json = {},
                              .fingerprint = std::string(rows.Text(row, 7))};
    const std::string entity(rows.Text(row, 1));
    const std::string stage_name(rows.Text(row, 2));
    const Stage stage = StageOf(stage_name);
    const ReplayHandler* handler = HandlerOf(stage, entity);
    if (handler == nullptr) {
      Skip(target, fmt::format("nothing replays stage {} of {}", stage_name, entity));
      return Ok{};
    }
    auto version = versions_.find(entity);
    if (version == versions_.end()) {
      PCW_TRY(const int known, handler->VersionOf(entity));
      version = versions_.emplace(entity, known).first;
    }
    const ReplayHistory history{.failed_replays = rows.Int(row, 5), .failed_by = rows.Int(row, 6)};
    if (IsGuarded(history, options_.loop_guard, version->second)) {
      Skip(target, fmt::format("{} replays in a row ended with the same error; correct the "
                               "mapping, give a --patch, or insist with --force",
                               rows.Int(row, 5)));
    } else if (std::string reason = handler->Refuses(target, stage); !reason.empty()) {
      Skip(target, std::move(reason));
    } else {
      jobs_[{entity, stage_name}].push_back(Pack(target.letter_id));
      ++before_[target.fingerprint];
    }
    return Ok{};
  }

  Status TallyBefore() {
    if (before_.empty()) return Ok{};
    DeadLetterFilter every;
    every.limit = 100'000;
    PCW_TRY(const auto groups, LoadDeadLetterGroups(connection_, tenant_id_, every,
                                                    std::max(1, options_.loop_guard), stop_));
    for (const DeadLetterGroup& group : groups) {
      const auto found = before_.find(group.fingerprint);
      if (found == before_.end()) continue;
      report_.groups.push_back({.fingerprint = group.fingerprint,
                                .entity = group.entity,
                                .stage = group.stage,
                                .error_code = group.error_code,
                                .error = group.error,
                                .before = found->second,
                                .after = 0});
    }
    return Ok{};
  }

  // Ids of runs sort by the database's clock.
  Result<std::string> NewRunId() {
    PCW_TRY(
        const pg::Rows rows,
        connection_.Exec({"replay_now", "SELECT (extract(epoch FROM pcw_now()) * 1000000)::bigint"},
                         {}, stop_));
    return MakeUuidV7(WallTime(std::chrono::microseconds(rows.Int(0, 0))), rng_);
  }

  // All of them before the first is replayed: what a kill leaves is known by it.
  Status TakeUp() {
    if (jobs_.empty()) return Ok{};
    PCW_TRY(report_.replay_id, NewRunId());
    PCW_TRY_OK(Begin(report_.replay_id));
    for (const auto& [name, letters] : jobs_) {
      for (std::size_t begin = 0; begin < letters.size(); begin += kAtOnce) {
        const auto page =
            std::span(letters).subspan(begin).first(std::min(kAtOnce, letters.size() - begin));
        PCW_TRY_OK(connection_.Exec({"replay_take_up", kTakeUp},
                                    {std::string(tenant_id_), report_.replay_id, IdsOf(page)},
                                    stop_));
      }
    }
    PCW_FAILPOINT("replay.taken_up.after");
    return Ok{};
  }

  Status Begin(const std::string& run_id) {
    PCW_TRY_OK(connection_.Exec({"replay_begin", kBegin},
                                {std::string(tenant_id_), run_id, report_.replay_id}, stop_));
    return Ok{};
  }

  Result<std::vector<ReplayTarget>> Load(std::span<const PackedId> letters) {
    PCW_TRY(
        const pg::Rows rows,
        connection_.Exec({"replay_load", kLoad}, {std::string(tenant_id_), IdsOf(letters)}, stop_));
    std::vector<ReplayTarget> targets;
    targets.reserve(rows.size());
    for (std::size_t row = 0; row < rows.size(); ++row) {
      targets.push_back({.letter_id = std::string(rows.Text(row, 0)),
                         .record_key = std::string(rows.Text(row, 1)),
                         .catalog = std::string(rows.Text(row, 2)),
                         .bronze_key = std::string(rows.Text(row, 3)),
                         .bronze_line = static_cast<int>(rows.Int(row, 4)),
                         .error_context_json = std::string(rows.Text(row, 5)),
                         .fingerprint = std::string(rows.Text(row, 6))});
    }
    return targets;
  }

  // One run; dead letters that others have settled meanwhile are not in it.
  Result<ReplayRun> RunSome(const std::string& entity, const std::string& stage,
                            const std::string& run_id, std::span<const PackedId> letters) {
    PCW_TRY(std::vector<ReplayTarget> targets, Load(letters));
    const ReplayJob job{.stage = StageOf(stage),
                        .entity = entity,
                        .run_id = run_id,
                        .targets = std::move(targets),
                        .records_per_second = options_.records_per_second,
                        .is_dry_run = options_.is_dry_run};
    ReplayRun run{.run_id = run_id,
                  .entity = entity,
                  .stage = stage,
                  .letters = static_cast<std::int64_t>(job.targets.size()),
                  .result = {}};
    if (job.targets.empty()) return run;
    Result<ReplayResult> result = HandlerOf(job.stage, entity)->Replay(job, stop_);
    if (result) {
      run.result = std::move(*result);
    } else {
      run.result.status = "failed";
      run.result.error = std::move(result).error();
    }
    if (run.result.error && !report_.error) report_.error = run.result.error;
    return run;
  }

  static std::span<const PackedId> PieceOf(const std::vector<PackedId>& letters,
                                           std::size_t begin) {
    return std::span(letters).subspan(begin).first(std::min(kLettersInRun, letters.size() - begin));
  }

  bool IsStopped() {
    if (!stop_.stop_requested()) return false;
    if (!report_.error)
      report_.error = Error(ErrorCode::kCancelled, "stopped; run it again to go on");
    return true;
  }

  Status RunJob(const std::string& entity, const std::string& stage,
                const std::vector<PackedId>& letters) {
    for (std::size_t begin = 0; begin < letters.size() && !IsStopped(); begin += kLettersInRun) {
      const auto piece = PieceOf(letters, begin);
      const bool is_first = report_.runs.empty();
      std::string run_id = report_.replay_id;
      if (!is_first) {
        PCW_TRY(run_id, NewRunId());
      }
      if (!is_first) PCW_TRY_OK(Begin(run_id));
      PCW_TRY_OK(connection_.Exec({"replay_note", kNote},
                                  {std::string(tenant_id_), run_id, IdsOf(piece), options_.actor},
                                  stop_));
      PCW_TRY(ReplayRun run, RunSome(entity, stage, run_id, piece));
      const bool has_failed = run.result.error.has_value();
      report_.runs.push_back(std::move(run));
      PCW_TRY_OK(CountStates(piece));
      PCW_FAILPOINT("replay.run.after");
      // What ended this run would end the next one as well.
      if (has_failed) return Ok{};
    }
    return Ok{};
  }

  // Without effect; the pieces are told as one.
  Status TryJob(const std::string& entity, const std::string& stage,
                const std::vector<PackedId>& letters) {
    ReplayRun sum{.run_id = "", .entity = entity, .stage = stage, .letters = 0, .result = {}};
    if (options_.listener != nullptr) options_.listener->on_begin(sum);
    for (std::size_t begin = 0; begin < letters.size() && !IsStopped(); begin += kLettersInRun) {
      PCW_TRY(ReplayRun run, RunSome(entity, stage, "", PieceOf(letters, begin)));
      sum.letters += run.letters;
      sum.result.status = run.result.status;
      sum.result.changes_json = AddChanges(sum.result.changes_json, run.result.changes_json);
      for (ReplayFate& fate : run.result.fates) {
        if (options_.listener != nullptr) {
          options_.listener->on_fate(fate);
        } else {
          sum.result.fates.push_back(std::move(fate));
        }
      }
      if (run.result.error) {
        sum.result.error = std::move(run.result.error);
        break;
      }
    }
    if (options_.listener != nullptr) options_.listener->on_end(sum);
    report_.runs.push_back(std::move(sum));
    return Ok{};
  }

  // As the database has them now: somebody may have dropped some while they were replayed, and a
  // dead letter whose record's retention has removed it is in no state at all.
  Status CountStates(std::span<const PackedId> letters) {
    PCW_TRY(const pg::Rows rows, connection_.Exec({"replay_states", kStates},
                                                  {std::string(tenant_id_), IdsOf(letters)}, {}));
    for (std::size_t row = 0; row < rows.size(); ++row) {
      const std::string_view state = rows.Text(row, 0);
      const std::int64_t count = rows.Int(row, 2);
      if (state == "open") {
        after_[std::string(rows.Text(row, 1))] += count;
        report_.still_open += count;
      } else if (state == "settled") {
        report_.settled += count;
      } else {
        report_.dropped += count;
      }
    }
    return Ok{};
  }

  void TallyAfter() {
    for (const auto& [fingerprint, letters] : after_) {
      const auto known =
          std::find_if(report_.groups.begin(), report_.groups.end(),
                       [&](const ReplayTally& group) { return group.fingerprint == fingerprint; });
      if (known != report_.groups.end()) {
        known->after = letters;
        continue;
      }
      // It failed again, but for another cause than before.
      report_.groups.push_back({.fingerprint = fingerprint,
                                .entity = "",
                                .stage = "",
                                .error_code = "",
                                .error = "another cause than before: see `pcw dlq groups`",
                                .before = 0,
                                .after = letters});
    }
  }

  pg::Connection& connection_;
  const std::string_view tenant_id_;
  const ReplayOptions& options_;
  const std::vector<ReplayHandler*>& handlers_;
  Rng& rng_;
  std::stop_token stop_;
  std::string resumed_;                                                        // a replay's id
  std::map<std::string, int, std::less<>> versions_;                           // by entity
  std::map<std::pair<std::string, std::string>, std::vector<PackedId>> jobs_;  // entity, stage
  std::map<std::string, std::int64_t> before_, after_;                         // by fingerprint
  ReplayReport report_;
};

}  // namespace

std::string_view NameOf(ReplayOutcome outcome) {
  switch (outcome) {
    case ReplayOutcome::kFails:
      return "fails";
    case ReplayOutcome::kNewRow:
      return "new row";
    case ReplayOutcome::kChangesRow:
      return "changes the row";
    case ReplayOutcome::kUpToDate:
      return "row is up to date";
    case ReplayOutcome::kIsFetched:
      return "is fetched from AWS again";
    case ReplayOutcome::kIsRecorded:
      return "is recorded";
  }
  return "";
}

std::string ReplayFate::Text() const {
  std::string text(NameOf(outcome));
  if (!note.empty()) text += ": " + note;
  return text;
}

Result<ReplayReport> ReplayDeadLetters(pg::Connection& connection, std::string_view tenant_id,
                                       const ReplayOptions& options,
                                       const std::vector<ReplayHandler*>& handlers, Rng& rng,
                                       std::stop_token stop) {
  return Replay(connection, tenant_id, options, handlers, rng, std::move(stop)).Run();
}

Result<std::vector<GroupTrial>> ReplayFixedGroups(pg::Connection& connection,
                                                  std::string_view tenant_id,
                                                  const ReplayOptions& options,
                                                  const std::vector<ReplayHandler*>& handlers,
                                                  Rng& rng, std::stop_token stop) {
  DeadLetterFilter filter = options.filter;
  filter.state = "open";
  filter.limit = 10'000;
  PCW_TRY(const auto groups, LoadDeadLetterGroups(connection, tenant_id, filter,
                                                  std::max(1, options.loop_guard), stop));
  std::vector<GroupTrial> trials;
  for (const DeadLetterGroup& group : groups) {
    GroupTrial trial{.group = group, .fate = {}, .report = std::nullopt};
    ReplayOptions sample = options;
    sample.filter = {};
    sample.filter.id = group.sample_id;
    sample.is_all = false;
    sample.expect.reset();
    sample.is_dry_run = true;
    PCW_TRY(const ReplayReport tried,
            ReplayDeadLetters(connection, tenant_id, sample, handlers, rng, stop));
    if (!tried.runs.empty() && !tried.runs.front().result.fates.empty()) {
      trial.fate = tried.runs.front().result.fates.front();
    } else {
      trial.fate.outcome = ReplayOutcome::kFails;
      trial.fate.error = !tried.examples.empty() ? tried.examples.front().reason
                         : tried.error           ? tried.error->message()
                                                 : "bronze does not hold the record any more";
    }
    if (!trial.fate.is_failure() && !options.is_dry_run) {
      ReplayOptions whole = options;
      whole.filter = filter;
      whole.filter.group = group.fingerprint;
      whole.is_all = false;
      whole.expect.reset();
      PCW_TRY(trial.report, ReplayDeadLetters(connection, tenant_id, whole, handlers, rng, stop));
    }
    trials.push_back(std::move(trial));
  }
  return trials;
}

}  // namespace pcw::dlq
