#include "pcw/dlq/replay.h"

#include <algorithm>
#include <map>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "pcw/base/json.h"
#include "pcw/base/uuid.h"

namespace pcw::dlq {
namespace {

constexpr std::size_t kMostExamples = 100;
constexpr std::size_t kAtOnce = 5'000;

// The filter's parameters as in dead_letter.cc; the eleventh is the replay to go on with. A letter
// that failed again in that replay was last seen by it.
constexpr std::string_view kChoose =
    "SELECT d.id, d.entity, d.stage, d.catalog, d.record_key, d.bronze_key, d.bronze_line, "
    "d.failed_replays, d.mapping_version, d.fingerprint, CASE WHEN d.stage = 'fetch' THEN "
    "d.error_context::text ELSE '' END FROM dead_letters d WHERE d.tenant_id = $1::uuid AND "
    "d.state = 'open' AND ($2 = '' OR d.entity = $2) AND ($3 = '' OR d.run_id::text LIKE $3 || "
    "'%') AND ($4 = '' OR d.id::text LIKE $4 || '%') AND ($5 = '' OR d.error_code = $5) AND ($6 = "
    "'' OR d.fingerprint LIKE $6 || '%') AND ($7 = '' OR d.last_seen_at >= nullif($7, "
    "'')::timestamptz) AND ($8 = '' OR d.last_seen_at < nullif($8, '')::timestamptz) AND ($9 = '' "
    "OR d.stage = $9) AND ($10 = '' OR (d.replay_run::text LIKE $10 || '%' AND d.run_id IS "
    "DISTINCT FROM d.replay_run)) ORDER BY d.entity, d.stage, d.id LIMIT 1000000";

constexpr std::string_view kMark =
    "WITH marked AS (UPDATE dead_letters SET replay_run = $2::uuid WHERE tenant_id = $1::uuid AND "
    "id IN (SELECT jsonb_array_elements_text($3::jsonb)::uuid) RETURNING tenant_id, id) INSERT "
    "INTO dead_letter_events (tenant_id, letter_id, event, actor, detail) SELECT tenant_id, id, "
    "'replayed', $4, jsonb_build_object('run', $2::text) FROM marked";

constexpr std::string_view kStillOpen =
    "SELECT fingerprint, count(*) FROM dead_letters WHERE tenant_id = $1::uuid AND state = 'open' "
    "AND replay_run IN (SELECT jsonb_array_elements_text($2::jsonb)::uuid) GROUP BY 1";

Stage StageOf(std::string_view name) {
  if (name == "map") return Stage::kMap;
  return name == "event" ? Stage::kEvent : Stage::kFetch;
}

class Replay {
 public:
  Replay(pg::Connection& connection, std::string_view tenant_id, const ReplayOptions& options,
         const std::vector<ReplayHandler*>& handlers, Clock& clock, Rng& rng, std::stop_token stop)
      : connection_(connection),
        tenant_id_(tenant_id),
        options_(options),
        handlers_(handlers),
        clock_(clock),
        rng_(rng),
        stop_(std::move(stop)) {}

  Result<ReplayReport> Run() {
    PCW_TRY_OK(Choose());
    if (options_.expect && report_.chosen != *options_.expect) {
      return Error(ErrorCode::kConflict,
                   fmt::format("{} letters match, {} were expected: nothing is replayed",
                               report_.chosen, *options_.expect));
    }
    PCW_TRY_OK(TallyBefore());
    for (auto& [name, targets] : jobs_) {
      if (stop_.stop_requested()) {
        report_.error = Error(ErrorCode::kCancelled, "stopped; run it again to go on");
        break;
      }
      PCW_TRY_OK(RunOne(name.first, name.second, std::move(targets)));
    }
    if (!options_.is_dry_run) PCW_TRY_OK(TallyAfter());
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

  Status Choose() {
    const DeadLetterFilter& filter = options_.filter;
    PCW_TRY(const pg::Rows rows,
            connection_.Exec(
                {"replay_choose", kChoose},
                {std::string(tenant_id_), filter.entity, filter.run_id, filter.id, filter.cause,
                 filter.group, filter.since, filter.until, filter.stage, options_.resume_run},
                stop_));
    report_.chosen = static_cast<std::int64_t>(rows.size());
    std::map<std::string, int, std::less<>> versions;
    for (std::size_t row = 0; row < rows.size(); ++row) {
      ReplayTarget target{.letter_id = std::string(rows.Text(row, 0)),
                          .record_key = std::string(rows.Text(row, 4)),
                          .catalog = std::string(rows.Text(row, 3)),
                          .bronze_key = std::string(rows.Text(row, 5)),
                          .bronze_line = static_cast<int>(rows.Int(row, 6)),
                          .error_context_json = std::string(rows.Text(row, 10)),
                          .fingerprint = std::string(rows.Text(row, 9))};
      const std::string entity(rows.Text(row, 1));
      const std::string stage_name(rows.Text(row, 2));
      const Stage stage = StageOf(stage_name);
      const ReplayHandler* handler = HandlerOf(stage, entity);
      if (handler == nullptr) {
        Skip(target, fmt::format("nothing replays stage {} of {}", stage_name, entity));
        continue;
      }
      auto version = versions.find(entity);
      if (version == versions.end()) {
        PCW_TRY(const int known, handler->VersionOf(entity));
        version = versions.emplace(entity, known).first;
      }
      const bool is_guarded = options_.loop_guard > 0 && rows.Int(row, 7) >= options_.loop_guard &&
                              rows.Int(row, 8) == version->second;
      if (is_guarded) {
        Skip(target, fmt::format("{} replays in a row ended with the same error; correct the "
                                 "mapping, give a --patch, or insist with --again",
                                 rows.Int(row, 7)));
        continue;
      }
      if (std::string reason = handler->Refuses(target, stage); !reason.empty()) {
        Skip(target, std::move(reason));
        continue;
      }
      jobs_[{entity, stage_name}].push_back(std::move(target));
    }
    return Ok{};
  }

  Status TallyBefore() {
    std::map<std::string, std::int64_t> counts;
    for (const auto& [name, targets] : jobs_) {
      for (const ReplayTarget& target : targets) ++counts[target.fingerprint];
    }
    if (counts.empty()) return Ok{};
    DeadLetterFilter every;
    every.limit = 100'000;
    PCW_TRY(const auto groups, LoadDeadLetterGroups(connection_, tenant_id_, every,
                                                    std::max(1, options_.loop_guard), stop_));
    for (const DeadLetterGroup& group : groups) {
      const auto found = counts.find(group.fingerprint);
      if (found == counts.end()) continue;
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

  Status RunOne(const std::string& entity, const std::string& stage,
                std::vector<ReplayTarget> targets) {
    ReplayJob job{.stage = StageOf(stage),
                  .entity = entity,
                  .run_id = options_.is_dry_run ? "" : MakeUuidV7(clock_.Now(), rng_),
                  .targets = std::move(targets),
                  .records_per_second = options_.records_per_second,
                  .is_dry_run = options_.is_dry_run};
    if (!job.is_dry_run) {
      PCW_TRY_OK(Mark(job));
      run_ids_.push_back(job.run_id);
    }
    ReplayRun run{.run_id = job.run_id,
                  .entity = entity,
                  .stage = stage,
                  .letters = static_cast<std::int64_t>(job.targets.size()),
                  .result = {}};
    replayed_ += run.letters;
    Result<ReplayResult> result = HandlerOf(job.stage, entity)->Replay(job, stop_);
    if (result) {
      run.result = std::move(*result);
      if (run.result.error && !report_.error) report_.error = run.result.error;
    } else {
      if (!report_.error) report_.error = result.error();
      run.result.status = "failed";
      run.result.error = std::move(result).error();
    }
    report_.runs.push_back(std::move(run));
    return Ok{};
  }

  Status Mark(const ReplayJob& job) {
    for (std::size_t begin = 0; begin < job.targets.size(); begin += kAtOnce) {
      Json ids = Json::array();
      for (std::size_t i = begin; i < std::min(begin + kAtOnce, job.targets.size()); ++i)
        ids.push_back(job.targets[i].letter_id);
      PCW_TRY_OK(connection_.Exec(
          {"replay_mark", kMark},
          {std::string(tenant_id_), job.run_id, DumpJson(ids), options_.actor}, stop_));
    }
    return Ok{};
  }

  Status TallyAfter() {
    if (run_ids_.empty()) return Ok{};
    PCW_TRY(const pg::Rows rows,
            connection_.Exec({"replay_still_open", kStillOpen},
                             {std::string(tenant_id_), DumpJson(Json(run_ids_))}, {}));
    for (std::size_t row = 0; row < rows.size(); ++row) {
      report_.still_open += rows.Int(row, 1);
      const auto known = std::find_if(
          report_.groups.begin(), report_.groups.end(),
          [&](const ReplayTally& group) { return group.fingerprint == rows.Text(row, 0); });
      if (known != report_.groups.end()) {
        known->after = rows.Int(row, 1);
        continue;
      }
      // It failed again, but for another cause than before.
      report_.groups.push_back({.fingerprint = std::string(rows.Text(row, 0)),
                                .entity = "",
                                .stage = "",
                                .error_code = "",
                                .error = "another cause than before: see `pcw dlq groups`",
                                .before = 0,
                                .after = rows.Int(row, 1)});
    }
    report_.settled = replayed_ - report_.still_open;
    return Ok{};
  }

  pg::Connection& connection_;
  const std::string_view tenant_id_;
  const ReplayOptions& options_;
  const std::vector<ReplayHandler*>& handlers_;
  Clock& clock_;
  Rng& rng_;
  std::stop_token stop_;
  std::map<std::pair<std::string, std::string>, std::vector<ReplayTarget>> jobs_;  // entity, stage
  std::vector<std::string> run_ids_;
  std::int64_t replayed_ = 0;
  ReplayReport report_;
};

}  // namespace

Result<ReplayReport> ReplayDeadLetters(pg::Connection& connection, std::string_view tenant_id,
                                       const ReplayOptions& options,
                                       const std::vector<ReplayHandler*>& handlers, Clock& clock,
                                       Rng& rng, std::stop_token stop) {
  return Replay(connection, tenant_id, options, handlers, clock, rng, std::move(stop)).Run();
}

Result<std::vector<GroupTrial>> ReplayMendedGroups(pg::Connection& connection,
                                                   std::string_view tenant_id,
                                                   const ReplayOptions& options,
                                                   const std::vector<ReplayHandler*>& handlers,
                                                   Clock& clock, Rng& rng, std::stop_token stop) {
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
    sample.expect.reset();
    sample.is_dry_run = true;
    PCW_TRY(const ReplayReport tried,
            ReplayDeadLetters(connection, tenant_id, sample, handlers, clock, rng, stop));
    if (!tried.runs.empty() && !tried.runs.front().result.fates.empty()) {
      trial.fate = tried.runs.front().result.fates.front();
    } else {
      trial.fate.fate = "fails";
      trial.fate.error = !tried.examples.empty() ? tried.examples.front().reason
                         : tried.error           ? tried.error->message()
                                                 : "bronze does not hold the record any more";
    }
    if (!trial.fate.is_failure() && !options.is_dry_run) {
      ReplayOptions whole = options;
      whole.filter = filter;
      whole.filter.group = group.fingerprint;
      whole.expect.reset();
      PCW_TRY(trial.report,
              ReplayDeadLetters(connection, tenant_id, whole, handlers, clock, rng, stop));
    }
    trials.push_back(std::move(trial));
  }
  return trials;
}

}  // namespace pcw::dlq
