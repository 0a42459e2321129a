#include "pcw/reingest/replay.h"

#include <optional>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "pcw/base/failpoint.h"
#include "pcw/base/json.h"
#include "pcw/base/storable_text.h"
#include "pcw/base/time.h"
#include "pcw/connector/request.h"
#include "pcw/dlq/replay_letters.h"
#include "pcw/lake/layout.h"
#include "pcw/lake/part.h"
#include "pcw/runs/run_bronze.h"

namespace pcw::reingest {
namespace {

constexpr std::size_t kMostRefetchedRecords = 500;  // in a part
constexpr std::size_t kMostRefetchedBytes = 4U << 20U;
constexpr int kMostRefetchFailuresInRow = 10;

// What a dead letter of stage fetch says of the call that failed.
struct FailedCall {
  const connector::SourceDef* source = nullptr;
  std::string key;
};

FailedCall CallOf(const connector::EntityDef& def, const dlq::ReplayTarget& target) {
  FailedCall call{.source = nullptr, .key = target.record_key};
  const Result<Json> context = ParseJson(target.error_context_json);
  if (context && context->is_object()) {
    call.key = context->value("detail_key", call.key);
    const std::string operation = context->value("operation", "");
    for (const connector::SourceDef& source : def.sources) {
      const bool is_detail = source.detail != nullptr && source.detail->name == operation;
      const bool is_companion = source.companion != nullptr && source.companion->name == operation;
      if (is_detail || is_companion) call.source = &source;
    }
  }
  for (const connector::SourceDef& source : def.sources) {
    if (call.source == nullptr && source.detail != nullptr) call.source = &source;
  }
  return call;
}

// Values of columns that say something of people or companies are not shown.
std::string ChangesJson(const std::vector<tables::ColumnChange>& columns,
                        const connector::Mapping& mapping) {
  OrderedJson changes = OrderedJson::array();
  for (const tables::ColumnChange& change : columns) {
    if (change.rows == 0) continue;
    bool is_masked = false;
    for (const connector::ColumnMapping& column : mapping.columns) {
      if (column.column == change.column) is_masked = column.pii != connector::Pii::kNone;
    }
    OrderedJson examples = OrderedJson::array();
    const auto shown = [&](const std::string& value) {
      return is_masked && value != "NULL" ? std::string("***") : value;
    };
    for (const auto& example : change.examples) {
      examples.push_back(
          {{"id", example.id}, {"before", shown(example.before)}, {"after", shown(example.after)}});
    }
    changes.push_back(
        {{"column", change.column}, {"rows", change.rows}, {"examples", std::move(examples)}});
  }
  return DumpJson(changes);
}

const connector::EntityDef* EntityOf(std::string_view name) {
  return connector::FindEntity(connector::PartnerCentral(), name);
}

}  // namespace

bool BronzeReplay::Handles(dlq::Stage stage, std::string_view entity) const {
  return stage != dlq::Stage::kEvent && EntityOf(entity) != nullptr;
}

Result<int> BronzeReplay::VersionOf(std::string_view entity) const {
  PCW_TRY(const connector::Mapping mapping, deps_.mapping(entity));
  return mapping.version;
}

std::string BronzeReplay::Refuses(const dlq::ReplayTarget& target, dlq::Stage stage) const {
  if (!target.bronze_key.empty()) return "";
  if (stage != dlq::Stage::kFetch)
    return "its dead letter does not say where its bytes are in bronze";
  if (deps_.caller) return "";
  return "nothing of it was fetched: --refetch asks AWS for it again (one call a record)";
}

Result<dlq::ReplayResult> BronzeReplay::Replay(const dlq::ReplayJob& job, std::stop_token stop) {
  const connector::EntityDef& def = *EntityOf(job.entity);
  PCW_TRY(const connector::Mapping mapping, deps_.mapping(job.entity));
  dlq::ReplayResult result;
  std::vector<dlq::ReplayTarget> targets = job.targets;
  refetched_ = {};
  if (job.is_dry_run) {
    for (const dlq::ReplayTarget& target : targets) {
      if (target.bronze_key.empty())
        result.fates.push_back(
            {.record_key = target.record_key, .outcome = dlq::ReplayOutcome::kIsFetched});
    }
  } else {
    PCW_TRY_OK(Refetch(def, job, targets, stop));
  }
  ReplaySelection selection{.run_id = job.run_id,
                            .bronze_keys = {},
                            .record_keys = {},
                            .records_per_second = job.records_per_second,
                            .on_fate = {}};
  for (const dlq::ReplayTarget& target : targets) {
    if (target.bronze_key.empty()) continue;
    selection.bronze_keys.insert(target.bronze_key);
    selection.record_keys.push_back(target.record_key);
  }
  if (selection.bronze_keys.empty()) {
    result.status =
        NameOf(job.is_dry_run ? connector::RunStatus::kSucceeded : connector::RunStatus::kPartial);
    result.error = std::move(refetched_.ended);
    return result;
  }
  if (job.is_dry_run) {
    selection.on_fate = [&result](dlq::ReplayFate fate) {
      result.fates.push_back(std::move(fate));
    };
  }
  ReingestOptions options;
  options.tenant_id = deps_.tenant_id;
  options.connector_config_json = deps_.connector_config_json;
  options.catalog = deps_.catalog;
  options.is_dry_run = job.is_dry_run;
  // Records of a replay are few beside a re-ingest's; one session leaves the rest to the syncs.
  options.connections = 1;
  options.replay = std::move(selection);
  PCW_TRY(ReingestOutcome outcome, RunReingest(def, mapping, options, deps_.reingest, stop));
  if (!refetched_.parts.empty()) PCW_TRY_OK(Seal(def, job));
  if (outcome.error) outcome.error->As(ErrorMark::kStoppedRun);  // unlike the damaged objects below
  result.status = NameOf(outcome.status);
  if (job.is_dry_run) result.changes_json = ChangesJson(outcome.columns, mapping);
  if (!outcome.error && !outcome.rejected.empty()) {
    outcome.error =
        Error(ErrorCode::kSchemaMismatch,
              fmt::format("{} bronze objects are damaged, their dead letters stay open: {}",
                          outcome.objects_rejected, outcome.rejected.front().reason))
            .With("bronze_key", outcome.rejected.front().key);
  }
  result.error = outcome.error ? std::move(outcome.error) : std::move(refetched_.ended);
  return result;
}

Status BronzeReplay::NoteFailure(const dlq::ReplayTarget& target, const Error& error,
                                 std::stop_token stop) {
  PCW_TRY(pg::Connection connection, deps_.reingest.open(stop));
  return dlq::NoteFetchFailedAgain(connection, target.letter_id, error, stop);
}

// AWS has no such record and need not have one: nothing is left to replay.
Status BronzeReplay::SettleAbsent(const dlq::ReplayTarget& target, std::stop_token stop) {
  PCW_TRY(pg::Connection connection, deps_.reingest.open(stop));
  return dlq::SettleLetters(connection, {target.letter_id}, stop);
}

/// The part that is being filled with fetched records.
class BronzeReplay::PartInHand {
 public:
  bool is_due() const {
    return fetched.size() >= kMostRefetchedRecords || builder.bytes() >= kMostRefetchedBytes;
  }

  lake::PartBuilder builder;
  std::vector<std::pair<dlq::ReplayTarget*, int>> fetched;  // with the line
};

Status BronzeReplay::FetchOne(const connector::SourceDef& source, std::string_view key,
                              aws::Caller& caller, dlq::ReplayTarget& target, PartInHand& part,
                              std::stop_token stop) {
  const std::string request = connector::DetailRequest(source, target.catalog, std::string(key));
  PCW_TRY(const aws::CallResult detail, caller.Call(*source.detail, request, stop));
  std::optional<aws::CallResult> companion;
  if (source.companion != nullptr) {
    Result<aws::CallResult> answer = caller.Call(*source.companion, request, stop);
    if (!answer && answer.error().code() != ErrorCode::kNotFound) return std::move(answer).error();
    if (answer) companion = std::move(*answer);
  }
  lake::RecordMeta meta;
  meta.id = target.record_key;
  meta.operation = source.detail->name;
  meta.request_id = detail.request_id;
  const WallTime now = refetched_.clock->Now();
  meta.fetched_at = FormatRfc3339(now);
  meta.served_at =
      FormatRfc3339(detail.server_date.value_or(std::chrono::floor<std::chrono::seconds>(now)));
  meta.version = "sha256:" + Sha256Hex(detail.body);
  meta.source = "get";
  if (refetched_.served_from.empty()) refetched_.served_from = meta.served_at;
  lake::CompanionMeta other;
  std::string_view other_body;
  if (companion) {
    other.operation = source.companion->name;
    other.request_id = companion->request_id;
    other.fetched_at = FormatRfc3339(now);
    other_body = companion->body;
  }
  const lake::AppendedLine line =
      part.builder.Append(meta, detail.body, std::move(other), other_body);
  part.fetched.emplace_back(&target, line.line);
  return Ok{};
}

// A kill costs the calls of one part: what is stored is known to its dead letters.
Status BronzeReplay::Refetch(const connector::EntityDef& def, const dlq::ReplayJob& job,
                             std::vector<dlq::ReplayTarget>& targets, std::stop_token stop) {
  aws::Caller* caller = nullptr;
  {
    PCW_TRY(pg::Connection connection, deps_.reingest.open(stop));
    PCW_TRY(refetched_.clock, runs::DatabaseClock::Read(connection, deps_.reingest.clock, stop));
  }
  refetched_.started = refetched_.clock->Now();
  refetched_.prefix =
      lake::RunPrefix(def.connector->lake_prefix, def.name, refetched_.started, job.run_id);
  PartInHand part;
  int failures_in_row = 0;
  for (dlq::ReplayTarget& target : targets) {
    if (!target.bronze_key.empty()) continue;
    const FailedCall call = CallOf(def, target);
    if (call.source == nullptr) continue;
    if (caller == nullptr) {
      PCW_TRY(caller, deps_.caller(def));
    }
    const Status fetched = FetchOne(*call.source, call.key, *caller, target, part, stop);
    if (fetched) {
      failures_in_row = 0;
      if (part.is_due()) PCW_TRY_OK(Store(part));
      continue;
    }
    const ErrorCode code = fetched.error().code();
    if (code == ErrorCode::kNotFound && call.source->may_be_absent) {
      PCW_TRY_OK(SettleAbsent(target, stop));
      continue;
    }
    const bool is_passing = ReactionOf(code).call == CallReaction::kRetryIfIdempotent;
    const bool is_of_record = ReactionOf(code).record == RecordReaction::kDeadLetter ||
                              ReactionOf(code).record == RecordReaction::kDeferThenDeadLetter;
    // What stops a run stops this too; one record's own failure is only noted.
    if (!is_of_record) {
      refetched_.ended = fetched.error();
      break;
    }
    PCW_TRY_OK(NoteFailure(target, fetched.error(), stop));
    failures_in_row = is_passing ? failures_in_row + 1 : 0;
    if (failures_in_row < kMostRefetchFailuresInRow) continue;
    refetched_.ended = fetched.error();
    refetched_.ended->With("stopped_after", fmt::format("{} records in a row", failures_in_row));
    break;
  }
  return Store(part);
}

Status BronzeReplay::Store(PartInHand& part) {
  if (part.fetched.empty()) return Ok{};
  const std::string text(part.builder.text());
  const std::string key =
      lake::PartKey(refetched_.prefix, static_cast<int>(refetched_.parts.size()) + 1);
  PCW_FAILPOINT("refetch.put.before");
  PCW_TRY_OK(deps_.reingest.store.Put(key, text, {}));
  refetched_.catalog = part.fetched.front().first->catalog;
  refetched_.parts.push_back({.key = key,
                              .sha256 = Sha256Hex(text),
                              .bytes = text.size(),
                              .records = static_cast<int>(part.fetched.size())});
  PCW_FAILPOINT("refetch.put.after");
  // The dead letters now say where the bytes are: a replay that dies here does not fetch them
  // again.
  std::vector<std::pair<std::string, int>> lines;
  for (const auto& [target, line] : part.fetched) {
    target->bronze_key = key;
    target->bronze_line = line;
    lines.emplace_back(target->letter_id, line);
  }
  PCW_TRY(pg::Connection connection, deps_.reingest.open({}));
  PCW_TRY_OK(dlq::NoteRefetched(connection, key, lines, deps_.actor, {}));
  part = PartInHand();
  return Ok{};
}

// Like a run's end: the parts are on the run's books, then the manifest. Until then they are what a
// run that did not finish left.
Status BronzeReplay::Seal(const connector::EntityDef& def, const dlq::ReplayJob& job) {
  lake::Manifest manifest;
  manifest.run_id = job.run_id;
  manifest.connector = def.connector->kind;
  manifest.entity = def.name;
  manifest.mode = NameOf(connector::RunMode::kReplay);
  manifest.catalog = refetched_.catalog;
  manifest.started_at = FormatRfc3339(refetched_.started);
  manifest.served_from = refetched_.served_from;
  manifest.ended_at = FormatRfc3339(refetched_.clock->Now());
  PCW_TRY(pg::Connection connection, deps_.reingest.open({}));
  for (const RefetchedPart& part : refetched_.parts) {
    PCW_TRY_OK(runs::InsertPart(connection, job.run_id,
                                {.part = static_cast<int>(manifest.parts.size() + 1),
                                 .bronze_key = part.key,
                                 .sha256_hex = part.sha256,
                                 .bytes = static_cast<std::int64_t>(part.bytes),
                                 .records = part.records},
                                {}));
    manifest.parts.push_back(
        {.key = part.key, .sha256 = part.sha256, .bytes = part.bytes, .records = part.records});
  }
  return deps_.reingest.store.Put(lake::ManifestKey(refetched_.prefix),
                                  lake::FormatManifest(manifest), {});
}

}  // namespace pcw::reingest
