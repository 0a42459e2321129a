// pcw runs list|show|watch|cancel
#include <array>
#include <cstdio>
#include <memory>

#include <fmt/format.h>

#include "pcw/api/views.h"
#include "pcw/cli/cli.h"
#include "pcw/cli/session.h"
#include "pcw/connector/entity_def.h"
#include "pcw/runs/run_request.h"
#include "pcw/runs/run_store.h"
#include "pcw/wiring/progress_display.h"
#include "pcw/wiring/wiring.h"

namespace pcw::cli {
namespace {

Result<int> ListRuns(const wiring::Invocation& invocation, const runs::RunFilter& filter) {
  PCW_TRY(Session session, OpenSession(invocation));
  PCW_TRY(const auto runs, runs::ListRuns(session.connection, filter, invocation.stop));
  std::vector<OrderedJson> rows;
  for (const runs::StoredRun& run : runs) rows.push_back(api::RunJson(run));
  PrintRows(invocation.output,
            {{"id", "RUN"},
             {"entity", "ENTITY"},
             {"mode", "MODE"},
             {"status", "STATUS"},
             {"started_at", "STARTED"},
             {"ended_at", "ENDED"},
             {"records", "RECORDS", true}},
            rows, "no runs yet; start one with: pcw sync run partner-central opportunities");
  return kExitOk;
}

Result<int> ShowRun(const wiring::Invocation& invocation, const std::string& id) {
  PCW_TRY(Session session, OpenSession(invocation));
  PCW_TRY(const runs::StoredRun run, runs::LoadRun(session.connection, id, invocation.stop));
  OrderedJson json = api::RunJson(run);
  if (invocation.output == wiring::OutputFormat::kTable) {
    // For people the counters stand in the same list.
    OrderedJson flat = json;
    flat.erase("stats");
    flat.erase("records");
    for (const auto& [key, value] : json["stats"].items()) flat[key] = value;
    json = std::move(flat);
  }
  PrintObject(invocation.output, json);
  return kExitOk;
}

// The run's end as an exit code, so that scripts can wait for a run and know.
int ExitCodeOfRun(const runs::StoredRun& run) {
  if (run.status == "succeeded") return kExitOk;
  if (run.status == "partial") return kExitDeadLetters;
  const std::optional<ErrorCode> code = ErrorCodeNamed(run.error_code);
  return code ? cli::ExitCodeOf(AsStopped(Error(*code, run.error))) : kExitFindings;
}

Result<int> Watch(const wiring::Invocation& invocation, const std::string& wanted) {
  wiring::Machine machine;
  PCW_TRY(Session session, OpenSession(invocation));
  std::string id = wanted;
  if (id.empty()) {
    runs::RunFilter newest;
    newest.limit = 1;
    PCW_TRY(const auto runs, runs::ListRuns(session.connection, newest, invocation.stop));
    if (runs.empty())
      return Error(ErrorCode::kNotFound,
                   "no runs yet; start one with: pcw sync run partner-central opportunities");
    id = runs.front().id;
  }
  std::string last;
  for (;;) {
    PCW_TRY(const runs::StoredRun run, runs::LoadRun(session.connection, id, invocation.stop));
    const OrderedJson json = api::RunJson(run);
    const std::string line = DumpJson(json);
    if (line != last) {
      last = line;
      if (invocation.output == wiring::OutputFormat::kTable) {
        const OrderedJson& stats = json["stats"];
        std::printf(
            "%s  %-9s  %s listed  %s processed  %s held already  %s dead letters  %s parts\n",
            run.id.c_str(), run.status.c_str(),
            wiring::FormatCount(stats.value("records_listed", 0)).c_str(),
            wiring::FormatCount(stats.value("records_processed", 0)).c_str(),
            wiring::FormatCount(stats.value("records_skipped", 0)).c_str(),
            wiring::FormatCount(stats.value("dead_lettered", 0)).c_str(),
            wiring::FormatCount(stats.value("parts", 0)).c_str());
      } else {
        std::printf("%s\n", line.c_str());
      }
      std::fflush(stdout);
      PutPiece("");
    }
    if (!run.ended_at.empty()) return ExitCodeOfRun(run);
    if (run.status == "stalled") {
      return Error(
          ErrorCode::kUnavailable,
          "the run has stalled: its process is gone or makes no progress; a service goes on "
          "by itself, else run the entity again: what is stored is not fetched again");
    }
    if (!machine.sleeper.SleepFor(std::chrono::milliseconds(500), invocation.stop)) {
      return Error(ErrorCode::kCancelled, "stopped watching; the run goes on");
    }
  }
}

Result<int> CancelRun(const wiring::Invocation& invocation, const std::string& id) {
  PCW_TRY(Session session, OpenSession(invocation));
  PCW_TRY_OK(runs::RequestCancel(session.connection, id, invocation.stop));
  PCW_TRY(const runs::StoredRun run, runs::LoadRun(session.connection, id, invocation.stop));
  std::printf("run %s %s\n", run.id.c_str(),
              run.status == "cancelled" ? "is cancelled"
                                        : "is told to end; its worker does so within seconds");
  return kExitOk;
}

}  // namespace

void AddRuns(CLI::App& root, wiring::Invocation& invocation) {
  CLI::App* noun =
      root.add_subcommand("runs", "What was synced, when, and how it ended")->require_subcommand(1);

  CLI::App* list = AddVerb(*noun, "list", "The newest runs",
                           "  pcw runs list\n  pcw runs list --entity opportunities --status "
                           "failed\n  pcw runs list -o json | jq '.[0].stats'");
  auto filter = std::make_shared<runs::RunFilter>();
  list->add_option("--entity", filter->entity, "only this entity")
      ->check(KnownValues(connector::EntityNames()));
  list->add_option("--status", filter->status, "only this status")
      ->check(CLI::IsMember(
          {"queued", "running", "stalled", "succeeded", "partial", "failed", "cancelled"}));
  list->add_option("--limit", filter->limit, "at most this many")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  AddOutputOption(*list, invocation);
  list->callback([&invocation, filter] {
    invocation.verb = [&invocation, filter] { return ListRuns(invocation, *filter); };
  });

  auto id = std::make_shared<std::string>();
  CLI::App* show = AddVerb(*noun, "show", "One run with its counters and its error",
                           "  pcw runs show 01a2b3c4\n  pcw runs show 01a2b3c4 -o json");
  show->add_option("run", *id, "run id, or its first 8 or more characters")->required();
  AddOutputOption(*show, invocation);
  show->callback([&invocation, id] {
    invocation.verb = [&invocation, id] { return ShowRun(invocation, *id); };
  });

  CLI::App* cancel = AddVerb(*noun, "cancel", "End a run of the service; what it stored stays",
                             "  pcw runs cancel 01a2b3c4 && pcw runs watch 01a2b3c4");
  cancel->add_option("run", *id, "run id, or its first 8 or more characters")->required();
  cancel->callback([&invocation, id] {
    invocation.verb = [&invocation, id] { return CancelRun(invocation, *id); };
  });

  CLI::App* watch = AddVerb(
      *noun, "watch", "Follow a run to its end; the exit code is the run's",
      "  pcw runs watch            # the newest run\n  pcw runs watch 01a2b3c4 && echo done");
  watch->add_option("run", *id, "run id, or its first 8 or more characters; the newest without it");
  AddOutputOption(*watch, invocation);
  watch->callback([&invocation, id] {
    invocation.verb = [&invocation, id] { return Watch(invocation, *id); };
  });
}

}  // namespace pcw::cli
