#include "pcw/cli/replay_output.h"

#include <cstdio>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "pcw/base/json.h"
#include "pcw/wiring/progress_display.h"

namespace pcw::cli {
namespace {

void Put(std::string_view text) {
  // A closed or full standard output is noticed by main, which checks it once at the end.
  std::fwrite(text.data(), 1, text.size(), stdout);
}

// The members of `object` as they stand inside its braces.
std::string MembersOf(const OrderedJson& object) {
  const std::string text = DumpJson(object);
  return text.substr(1, text.size() - 2);
}

OrderedJson GroupsJson(const dlq::ReplayReport& report, bool is_dry_run) {
  OrderedJson groups = OrderedJson::array();
  for (const dlq::ReplayTally& group : report.groups) {
    OrderedJson row{{"group", group.fingerprint}, {"entity", group.entity},
                    {"stage", group.stage},       {"error_code", group.error_code},
                    {"error", group.error},       {"before", group.before}};
    if (!is_dry_run) row["after"] = group.after;
    groups.push_back(std::move(row));
  }
  return groups;
}

OrderedJson SkippedJson(const dlq::ReplayReport& report) {
  OrderedJson examples = OrderedJson::array();
  for (const dlq::SkippedLetter& skipped : report.examples) {
    examples.push_back({{"id", skipped.letter_id},
                        {"record_key", skipped.record_key},
                        {"reason", skipped.reason}});
  }
  return examples;
}

// Everything but the runs.
OrderedJson SummaryJson(const dlq::ReplayReport& report, bool is_dry_run) {
  OrderedJson json{{"chosen", report.chosen},
                   {"settled", report.settled},
                   {"still_open", report.still_open},
                   {"dropped", report.dropped},
                   {"left_alone", report.skipped},
                   {"groups", GroupsJson(report, is_dry_run)},
                   {"examples_left_alone", SkippedJson(report)}};
  if (!report.replay_id.empty()) json["replay_id"] = report.replay_id;
  if (report.error) json["error"] = report.error->ToString();
  return json;
}

OrderedJson RunJson(const dlq::ReplayRun& run) {
  OrderedJson json{{"run_id", TextOrNull(run.run_id)},
                   {"entity", run.entity},
                   {"stage", run.stage},
                   {"letters", run.letters},
                   {"status", run.result.status}};
  if (run.result.error) json["error"] = run.result.error->ToString();
  return json;
}

void PrintSkipped(const dlq::ReplayReport& report) {
  for (const dlq::SkippedLetter& skipped : report.examples) {
    Put(fmt::format("left alone {} ({}): {}\n", skipped.letter_id, ForTerminal(skipped.record_key),
                    ForTerminal(skipped.reason)));
  }
}

void PrintGroups(const dlq::ReplayReport& report, bool is_dry_run) {
  const OrderedJson groups = GroupsJson(report, is_dry_run);
  std::vector<OutputColumn> columns{{"group", "GROUP"},
                                    {"entity", "ENTITY"},
                                    {"stage", "STAGE"},
                                    {"error_code", "CODE"},
                                    {"before", "BEFORE", true}};
  if (!is_dry_run) columns.push_back({"after", "AFTER", true});
  columns.push_back({"error", "ERROR"});
  PrintRows(wiring::OutputFormat::kTable, columns, {groups.begin(), groups.end()},
            "nothing to replay");
}

void PrintChanges(const std::string& changes_json) {
  const Result<Json> changes = ParseJson(changes_json);
  if (!changes) return;
  for (const Json& change : *changes) {
    Put(fmt::format("  {}: {} rows\n", change.value("column", ""),
                    change.value("rows", std::int64_t{0})));
    for (const Json& example : change.value("examples", Json::array())) {
      Put(fmt::format("    {}: {} -> {}\n", ForTerminal(example.value("id", "")),
                      ForTerminal(example.value("before", "")),
                      ForTerminal(example.value("after", ""))));
    }
  }
}

}  // namespace

void PrintReplay(wiring::OutputFormat format, const dlq::ReplayReport& report) {
  if (format != wiring::OutputFormat::kTable) {
    OrderedJson json{{"dry_run", false}, {"runs", OrderedJson::array()}};
    for (const dlq::ReplayRun& run : report.runs) json["runs"].push_back(RunJson(run));
    json.update(SummaryJson(report, false));
    PrintObject(format, json);
    return;
  }
  PrintSkipped(report);
  PrintGroups(report, false);
  Put(fmt::format("{} dead letters chosen: {} settled, {} still open, {} left alone{}\n",
                  wiring::FormatCount(report.chosen), wiring::FormatCount(report.settled),
                  wiring::FormatCount(report.still_open), wiring::FormatCount(report.skipped),
                  report.dropped == 0 ? ""
                                      : fmt::format(", {} dropped by somebody else meanwhile",
                                                    wiring::FormatCount(report.dropped))));
}

DryRunPrinter::DryRunPrinter(wiring::OutputFormat format)
    : format_(format),
      listener_{.on_begin = [this](const dlq::ReplayRun& run) { Begin(run); },
                .on_fate = [this](const dlq::ReplayFate& fate) { Fate(fate); },
                .on_end = [this](const dlq::ReplayRun& run) { EndRun(run); }} {}

void DryRunPrinter::Open() {
  if (is_open_ || format_ == wiring::OutputFormat::kTable) return;
  is_open_ = true;
  Put(R"({"dry_run":true,"runs":[)");
}

void DryRunPrinter::Begin(const dlq::ReplayRun& run) {
  Open();
  entity_ = run.entity;
  has_record_ = false;
  if (format_ == wiring::OutputFormat::kTable) return;
  Put(has_run_ ? R"(,{"records":[)" : R"({"records":[)");
  has_run_ = true;
}

void DryRunPrinter::Fate(const dlq::ReplayFate& fate) {
  if (format_ == wiring::OutputFormat::kTable) {
    PutPiece(fmt::format("{} {}: {}{}{}\n", entity_, ForTerminal(fate.record_key), fate.Text(),
                         fate.error.empty() ? "" : ": ", ForTerminal(fate.error)));
    return;
  }
  OrderedJson record{{"record_key", fate.record_key}, {"fate", fate.Text()}};
  if (!fate.error.empty()) record["error"] = fate.error;
  // In JSON for people a record has a line of its own.
  PutPiece(fmt::format("{}{}{}", has_record_ ? "," : "",
                       format_ == wiring::OutputFormat::kJson ? "\n" : "", DumpJson(record)));
  has_record_ = true;
}

void DryRunPrinter::EndRun(const dlq::ReplayRun& run) {
  if (format_ == wiring::OutputFormat::kTable) return PrintChanges(run.result.changes_json);
  OrderedJson rest = RunJson(run);
  if (const Result<Json> changes = ParseJson(run.result.changes_json))
    rest["columns"] = OrderedJson(*changes);
  Put("]," + MembersOf(rest) + "}");
}

void DryRunPrinter::End(const dlq::ReplayReport& report) {
  Open();
  if (format_ != wiring::OutputFormat::kTable) {
    Put("]," + MembersOf(SummaryJson(report, true)) + "}\n");
    return;
  }
  PrintSkipped(report);
  PrintGroups(report, true);
  Put(fmt::format("dry run: {} dead letters chosen, {} left alone; nothing was changed\n",
                  wiring::FormatCount(report.chosen), wiring::FormatCount(report.skipped)));
}

}  // namespace pcw::cli
