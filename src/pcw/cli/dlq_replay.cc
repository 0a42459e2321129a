// pcw dlq replay|drop
#include <cstdio>
#include <memory>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "pcw/base/file.h"
#include "pcw/cli/cli.h"
#include "pcw/cli/dlq_verbs.h"
#include "pcw/cli/replay_output.h"
#include "pcw/cli/session.h"
#include "pcw/dlq/drop_all.h"
#include "pcw/dlq/filter_check.h"
#include "pcw/wiring/replay_handlers.h"

namespace pcw::cli {
namespace {

struct ReplayArgs {
  dlq::DeadLetterFilter filter;
  std::string patch, resume, reason;
  std::int64_t expect = 0;
  int rate = 0;
  bool has_expect = false, has_resume = false, is_all = false, is_auto = false;
  bool is_dry_run = false, is_forced = false, is_refetch = false;
};

Result<int> ReplayFixed(const wiring::Invocation& invocation, pg::Connection& connection,
                        const std::string& tenant, const dlq::ReplayOptions& options,
                        const wiring::ReplayHandlers& replay, wiring::Machine& machine) {
  PCW_TRY(const auto trials, dlq::ReplayFixedGroups(connection, tenant, options, replay.handlers(),
                                                    machine.rng, invocation.stop));
  std::vector<OrderedJson> rows;
  std::optional<Error> error;
  std::int64_t open = 0;
  for (const dlq::GroupTrial& trial : trials) {
    OrderedJson row{
        {"group", trial.group.fingerprint}, {"entity", trial.group.entity},
        {"letters", trial.group.letters},   {"sample", trial.group.sample_id},
        {"sample_fate", trial.fate.Text()}, {"settled", trial.report ? trial.report->settled : 0},
        {"error", trial.fate.error}};
    open += trial.group.letters - (trial.report ? trial.report->settled : 0);
    if (trial.report && trial.report->error && !error) error = trial.report->error;
    rows.push_back(std::move(row));
  }
  PrintRows(invocation.output,
            {{"group", "GROUP"},
             {"entity", "ENTITY"},
             {"letters", "LETTERS", true},
             {"sample_fate", "SAMPLE"},
             {"settled", "SETTLED", true},
             {"error", "ERROR"}},
            rows, "no dead letters");
  if (error) return std::move(*error);
  return open > 0 ? kExitDeadLetters : kExitOk;
}

Status KeepPatch(const wiring::Invocation& invocation, pg::Connection& connection,
                 const std::string& tenant, const ReplayArgs& wanted) {
  constexpr std::size_t kLargestPatch = 1U << 20U;
  PCW_TRY(const std::string text, ReadFile(wanted.patch, kLargestPatch));
  const Result<Json> patch = ParseJson(text);
  if (!patch || !patch->is_object())
    return wiring::UsageError(
        fmt::format("--patch: {} holds no JSON object (RFC 7396)", wanted.patch));
  PCW_TRY(const dlq::DeadLetter letter,
          dlq::LoadDeadLetter(connection, tenant, wanted.filter.id, invocation.stop));
  return dlq::PatchDeadLetter(connection, letter, DumpJson(*patch), wiring::ActorOf(invocation),
                              invocation.stop);
}

Result<int> RunReplay(const wiring::Invocation& invocation, ReplayArgs wanted) {
  PCW_TRY_OK(FinishFilter(wanted.filter));
  const bool has_selection = dlq::HasSelection(wanted.filter);
  if (!has_selection && !wanted.is_all && !wanted.is_auto && !wanted.has_resume)
    return wiring::UsageError("say which dead letters: --id, --group, a filter, or --all");
  if (has_selection && wanted.is_all) return wiring::UsageError("--all takes no filter beside it");
  if (!wanted.patch.empty() && wanted.filter.id.empty())
    return wiring::UsageError("--patch is for one dead letter: give --id");
  if (!wanted.patch.empty() && wanted.is_dry_run)
    return wiring::UsageError("--patch is kept beside the record: it takes no --dry-run");
  PCW_TRY(const config::LoadedConfig loaded, invocation.Load());
  wiring::Machine machine;
  PCW_TRY(const auto replay,
          wiring::ReplayHandlers::Open(loaded.config, invocation, machine,
                                       wanted.is_refetch ? wiring::ReplayHandlers::Refetch::kYes
                                                         : wiring::ReplayHandlers::Refetch::kNo));
  PCW_TRY(pg::Connection connection, replay->database().OpenService(invocation.stop));
  dlq::ReplayOptions options;
  options.filter = wanted.filter;
  options.is_all = wanted.is_all;
  options.resume_run = wanted.resume;
  if (wanted.has_expect) options.expect = wanted.expect;
  options.actor = wiring::ActorOf(invocation);
  options.records_per_second = wanted.rate;
  if (wanted.is_forced) options.loop_guard = 0;
  options.is_dry_run = wanted.is_dry_run;
  if (!wanted.filter.id.empty()) {
    // An id that names no dead letter is an error, not an empty replay.
    PCW_TRY_OK(dlq::LoadDeadLetter(connection, loaded.config.tenant_id, wanted.filter.id,
                                   invocation.stop));
  }
  if (wanted.is_auto)
    return ReplayFixed(invocation, connection, loaded.config.tenant_id, options, *replay, machine);
  if (!wanted.patch.empty())
    PCW_TRY_OK(KeepPatch(invocation, connection, loaded.config.tenant_id, wanted));
  DryRunPrinter printer(invocation.output);
  if (options.is_dry_run) options.listener = &printer.listener();
  PCW_TRY(const dlq::ReplayReport report,
          dlq::ReplayDeadLetters(connection, loaded.config.tenant_id, options, replay->handlers(),
                                 machine.rng, invocation.stop));
  if (options.is_dry_run) {
    printer.End(report);
  } else {
    PrintReplay(invocation.output, report);
  }
  if (!options.is_dry_run)
    wiring::DeliverAfter(loaded.config, invocation, machine, replay->database());
  if (report.error) return *report.error;
  if (options.is_dry_run) return kExitOk;
  return report.still_open + report.skipped > 0 ? kExitDeadLetters : kExitOk;
}

Result<int> RunDrop(const wiring::Invocation& invocation, ReplayArgs wanted) {
  PCW_TRY_OK(FinishFilter(wanted.filter));
  const bool has_selection = dlq::HasSelection(wanted.filter);
  if (!has_selection && !wanted.is_all)
    return wiring::UsageError("say which dead letters: --id, --group, a filter, or --all");
  if (has_selection && wanted.is_all) return wiring::UsageError("--all takes no filter beside it");
  if (wanted.reason.find_first_not_of(" \t\n") == std::string::npos)
    return wiring::UsageError("--reason: say why; it is kept with each dead letter");
  PCW_TRY(Session session, OpenSession(invocation));
  if (!wanted.filter.id.empty()) {
    PCW_TRY_OK(dlq::LoadDeadLetter(session.connection, session.loaded.config.tenant_id,
                                   wanted.filter.id, invocation.stop));
  }
  std::int64_t count = 0;
  if (wanted.is_dry_run) {
    PCW_TRY(count, dlq::CountDeadLetters(session.connection, session.loaded.config.tenant_id,
                                         wanted.filter, invocation.stop));
  } else {
    const std::optional<std::int64_t> expect =
        wanted.has_expect ? std::optional(wanted.expect) : std::nullopt;
    const std::string& tenant = session.loaded.config.tenant_id;
    PCW_TRY(count,
            wanted.is_all
                ? dlq::DropAllDeadLetters(session.connection, tenant, wanted.reason,
                                          wiring::ActorOf(invocation), expect, invocation.stop)
                : dlq::DropDeadLetters(session.connection, tenant, wanted.filter, wanted.reason,
                                       wiring::ActorOf(invocation), expect, invocation.stop));
  }
  if (!wanted.is_dry_run) {
    wiring::Machine machine;
    wiring::DeliverAfter(session.loaded.config, invocation, machine, *session.database);
  }
  PrintObject(invocation.output, {{"dropped", wanted.is_dry_run ? 0 : count},
                                  {"matched", count},
                                  {"dry_run", wanted.is_dry_run}});
  return kExitOk;
}

void AddChoice(CLI::App& verb, const std::shared_ptr<ReplayArgs>& wanted) {
  auto filter = std::shared_ptr<dlq::DeadLetterFilter>(wanted, &wanted->filter);
  AddLetterFilter(verb, filter);
  verb.add_option("--id", filter->id, "only this dead letter (its first 8 characters are enough)");
  verb.add_flag("--all", wanted->is_all, "every open dead letter");
  verb.add_flag("--dry-run", wanted->is_dry_run, "change nothing; tell what would happen");
  verb.add_option("--expect", wanted->expect,
                  "do nothing unless exactly so many dead letters match")
      ->check(CLI::NonNegativeNumber);
}

}  // namespace

void AddDlqReplay(CLI::App& dlq, wiring::Invocation& invocation) {
  auto wanted = std::make_shared<ReplayArgs>();
  CLI::App* verb = AddVerb(
      dlq, "replay", "Process failed records again, from the bytes in bronze",
      "  pcw dlq replay --group 3f2a90c1b7de --dry-run   # row by row, what would change\n"
      "  pcw dlq replay --group 3f2a90c1b7de --expect 120\n"
      "  pcw dlq replay --id 01a2b3c4 --patch fix.json   # JSON merge patch, kept beside the "
      "record\n"
      "  pcw dlq replay --stage fetch --refetch          # asks AWS again, one call a record\n"
      "  pcw dlq replay --auto                           # groups whose sample succeeds by now\n\n"
      "Run again after a kill: what landed is settled and is not done twice.\n"
      "Exit codes: 0 all settled, 3 some dead letters are still open, 1 not as many as --expect.");
  AddChoice(*verb, wanted);
  verb->add_option("--rate", wanted->rate, "at most so many records a second")
      ->check(CLI::PositiveNumber);
  verb->add_flag("--force", wanted->is_forced,
                 fmt::format("also dead letters whose last {} replays ended with the same error",
                             dlq::kLoopGuard));
  verb->add_flag("--again", wanted->is_forced, "the earlier name of --force")->group("");
  verb->add_flag("--refetch", wanted->is_refetch,
                 "ask AWS for records of which nothing was fetched, within the quota");
  verb->add_option("--patch", wanted->patch,
                   "with --id: a JSON merge patch for the record; bronze stays as it is")
      ->type_name("FILE");
  verb->add_option("--resume", wanted->resume, "what that replay did not come to");
  verb->add_flag("--auto", wanted->is_auto,
                 "try the newest dead letter of each group without effect, replay the groups "
                 "where it succeeds");
  AddOutputOption(*verb, invocation);
  verb->callback([&invocation, wanted, verb] {
    wanted->has_expect = verb->count("--expect") > 0;
    wanted->has_resume = verb->count("--resume") > 0;
    invocation.verb = [&invocation, wanted] { return RunReplay(invocation, *wanted); };
  });
}

void AddDlqDrop(CLI::App& dlq, wiring::Invocation& invocation) {
  auto wanted = std::make_shared<ReplayArgs>();
  CLI::App* verb =
      AddVerb(dlq, "drop", "Give dead letters up, with a reason; bronze keeps their bytes",
              "  pcw dlq drop --id 01a2b3c4 --reason \"test record of the partner\"");
  AddChoice(*verb, wanted);
  verb->add_option("--reason", wanted->reason, "why; kept with each dead letter")->required();
  AddOutputOption(*verb, invocation);
  verb->callback([&invocation, wanted, verb] {
    wanted->has_expect = verb->count("--expect") > 0;
    invocation.verb = [&invocation, wanted] { return RunDrop(invocation, *wanted); };
  });
}

}  // namespace pcw::cli
