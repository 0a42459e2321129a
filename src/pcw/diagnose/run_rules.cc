// Runbook 2.1: are the runs that should be, and how old is the data?
#include <algorithm>

#include <fmt/format.h>

#include "pcw/base/time.h"
#include "pcw/diagnose/catalogue.h"
#include "pcw/diagnose/rules.h"

namespace pcw::diagnose {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr seconds kNobodyThere = minutes(5);  // the service looks every few seconds
constexpr seconds kStaleUnscheduled = std::chrono::hours(24);
constexpr seconds kLongTransaction = std::chrono::hours(1);
constexpr std::chrono::milliseconds kClockTolerance{5'000};

// A scan may be late by two of its intervals, and by a quarter of an hour of work.
seconds StaleAfter(const EntityRuns& runs) {
  return runs.interval ? 3 * *runs.interval + minutes(15) : kStaleUnscheduled;
}

std::string AgeOf(const EntityRuns& runs) {
  return runs.since_complete ? FormatDuration(*runs.since_complete) + " old" : "never complete";
}

std::string SyncAgain(const EntityRuns& runs) {
  return fmt::format("pcw sync run partner-central {}{}", runs.entity,
                     runs.is_resumable ? " --resume" : "");
}

std::string ShowRun(const EntityRuns& runs) { return fmt::format("pcw runs show {}", runs.run_id); }

void JudgeEntity(const EntityRuns& runs, std::vector<Finding>& findings) {
  if (runs.status == "failed") {
    findings.push_back(
        {.def = &DefOf("PCW2101"),
         .resource = runs.entity,
         .message = fmt::format("the newest run ({}) failed: {}", runs.mode,
                                runs.error.empty() ? runs.reason : runs.error),
         .evidence = {{"run", runs.run_id}, {"reason", runs.reason}, {"data", AgeOf(runs)}},
         .next_steps = {ShowRun(runs), SyncAgain(runs)}});
  } else if (runs.status == "stalled") {
    findings.push_back(
        {.def = &DefOf("PCW2102"),
         .resource = runs.entity,
         .message =
             "the run makes no progress: its process is gone, frozen, or waits for something",
         .evidence = {{"run", runs.run_id}, {"data", AgeOf(runs)}},
         .next_steps = {ShowRun(runs),
                        "nothing, if a service runs: another worker takes it over within seconds",
                        SyncAgain(runs) + "   # without a service"}});
  } else if (runs.status == "partial" && runs.dead_letters > 0) {
    findings.push_back(
        {.def = &DefOf("PCW2106"),
         .resource = runs.entity,
         .message = fmt::format("the newest run left {} dead letters", runs.dead_letters),
         .evidence = {{"run", runs.run_id}},
         .next_steps = {fmt::format("pcw dlq list --run {}", runs.run_id)}});
  }
  // A listing that is not believed may have dead letters as well.
  if (runs.status == "partial" && (runs.dead_letters == 0 || !runs.reason.empty())) {
    Finding finding{
        .def = &DefOf("PCW2110"),
        .resource = runs.entity,
        .message = fmt::format("the newest run is partial: {}", runs.reason),
        .evidence = {{"run", runs.run_id}},
        .next_steps = {ShowRun(runs), "pcw config show --origin   # catalog, account, entities"}};
    if (runs.reason == "listing_shrank")
      finding.next_steps.push_back(
          fmt::format("pcw sync run partner-central {} --mode full --accept-shrink   # if so many "
                      "records are gone",
                      runs.entity));
    findings.push_back(std::move(finding));
  }
  const seconds waiting =
      std::max(runs.overdue.value_or(seconds(0)), runs.queued.value_or(seconds(0)));
  if (waiting > kNobodyThere) {
    const bool is_queued = runs.queued.value_or(seconds(0)) > kNobodyThere;
    findings.push_back(
        {.def = &DefOf("PCW2104"),
         .resource = runs.entity,
         .message = is_queued
                        ? fmt::format("a run waits for a worker since {}", FormatDuration(waiting))
                        : fmt::format("a run is due since {}, and no scheduler asks for it",
                                      FormatDuration(waiting)),
         .evidence = {{"data", AgeOf(runs)}},
         .next_steps = {"systemctl status pcw   # or the task's, the pod's",
                        "pcw serve --roles scheduler,ingest", SyncAgain(runs)}});
  } else if (runs.since_complete && *runs.since_complete > StaleAfter(runs) &&
             runs.status != "failed" && runs.status != "stalled") {
    findings.push_back({.def = &DefOf("PCW2103"),
                        .resource = runs.entity,
                        .message = fmt::format("the data is {} and should be at most {}",
                                               AgeOf(runs), FormatDuration(StaleAfter(runs))),
                        .evidence = {{"run", runs.run_id}, {"status", runs.status}},
                        .next_steps = {"pcw runs list --entity " + runs.entity, SyncAgain(runs)}});
  }
  if (runs.older_records > 0) {
    findings.push_back(
        {.def = &DefOf("PCW2112"),
         .resource = runs.entity,
         .message = fmt::format("{} records stand still: what AWS has of them now is dated earlier "
                                "than what is held",
                                runs.older_records),
         .evidence = {{"records", fmt::format("{}", fmt::join(runs.older_ids, ", "))}},
         .next_steps = {fmt::format("pcw history {} {}   # which date is wrong?", runs.entity,
                                    runs.older_ids.front()),
                        fmt::format("pcw sync refetch partner-central {} {} --accept-older",
                                    runs.entity, fmt::join(runs.older_ids, " "))}});
  }
  if (runs.future_runs > 0) {
    findings.push_back(
        {.def = &DefOf("PCW2111"),
         .resource = runs.entity,
         .message =
             fmt::format("{} runs lie in the future, the farthest by {}; none of them counts "
                         "for the age of the data",
                         runs.future_runs, FormatDuration(runs.future_by)),
         .evidence = {{"run", runs.future_run}},
         .next_steps = {"pcw db psql -c \"SELECT now()\"; date -u   # is PostgreSQL's clock right?",
                        "timedatectl; chronyc tracking   # on PostgreSQL's machine",
                        SyncAgain(runs)}});
  }
  findings.push_back({.def = &DefOf(runs.run_id.empty() ? "PCW2105" : "PCW2100"),
                      .resource = runs.entity,
                      .message = runs.run_id.empty() ? "was never synced"
                                                     : fmt::format("the data is {}; newest run {}",
                                                                   AgeOf(runs), runs.status),
                      .evidence = {},
                      .next_steps = {runs.run_id.empty() ? SyncAgain(runs) : ShowRun(runs)}});
}

}  // namespace

std::vector<Finding> JudgeRuns(const Facts& facts) {
  std::vector<Finding> findings;
  if (!facts.runs) return findings;
  const RunFacts& runs = *facts.runs;
  for (const EntityRuns& entity : runs.entities) JudgeEntity(entity, findings);
  for (const EndingToken& token : runs.tokens) {
    findings.push_back(
        {.def = &DefOf("PCW2107"),
         .resource = token.name,
         .message = fmt::format("the token ends {}", token.expires_at),
         .evidence = {{"token", token.id}},
         .next_steps = {fmt::format("pcw token create {}   # then give it to whoever "
                                    "uses it, and revoke the old one",
                                    token.name),
                        fmt::format("pcw token revoke {}", token.id)}});
  }
  if (std::chrono::abs(runs.clock_ahead) > kClockTolerance) {
    findings.push_back(
        {.def = &DefOf("PCW2108"),
         .resource = facts.database,
         .message = fmt::format("this machine's clock is {} {} PostgreSQL's",
                                FormatDuration(std::chrono::abs(runs.clock_ahead)),
                                runs.clock_ahead.count() > 0 ? "ahead of" : "behind"),
         .evidence = {},
         .next_steps = {"timedatectl; chronyc tracking   # on both machines"}});
  }
  const bool is_full = runs.most_sessions > 0 && runs.sessions * 10 >= runs.most_sessions * 9;
  const bool is_held = runs.longest_transaction.value_or(seconds(0)) > kLongTransaction;
  if (is_full || is_held) {
    findings.push_back(
        {.def = &DefOf("PCW2109"),
         .resource = facts.database,
         .message =
             is_full ? fmt::format("{} of {} sessions are taken", runs.sessions, runs.most_sessions)
                     : fmt::format("a transaction is open since {}; what others delete cannot "
                                   "be cleared away meanwhile",
                                   FormatDuration(*runs.longest_transaction)),
         .evidence = {{"sessions", fmt::format("{} of {}", runs.sessions, runs.most_sessions)}},
         .next_steps = {"pcw db psql -c \"SELECT pid, usename, application_name, state, xact_start "
                        "FROM pg_stat_activity ORDER BY xact_start\""}});
  }
  return findings;
}

}  // namespace pcw::diagnose
