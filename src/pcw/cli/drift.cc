// pcw drift list|show|accept
#include "pcw/connector/drift.h"

#include <cstdio>
#include <memory>

#include <fmt/format.h>

#include "pcw/cli/cli.h"
#include "pcw/config/suggest.h"
#include "pcw/diagnose/drift_steps.h"
#include "pcw/tables/drift_store.h"
#include "pcw/wiring/wiring.h"

namespace pcw::cli {
namespace {

using tables::StoredFinding;

OrderedJson ToJson(const StoredFinding& finding) {
  return {{"id", finding.id},
          {"status", finding.status},
          {"entity", finding.entity},
          {"kind", finding.kind},
          {"operation", TextOrNull(finding.operation)},
          {"pointer", TextOrNull(finding.pointer)},
          {"column", TextOrNull(finding.column)},
          {"found", finding.found},
          {"expected", TextOrNull(finding.expected)},
          {"records", finding.records},
          {"baseline_rate", TextOrNull(finding.baseline_rate)},
          {"observed_rate", TextOrNull(finding.observed_rate)},
          {"sample_record", TextOrNull(finding.sample_record)},
          {"bronze_key", TextOrNull(finding.bronze_key)},
          {"bronze_line",
           finding.bronze_line > 0 ? OrderedJson(finding.bronze_line) : OrderedJson(nullptr)},
          {"first_seen_run", TextOrNull(finding.first_seen_run)},
          {"last_seen_run", TextOrNull(finding.last_seen_run)},
          {"first_seen_at", finding.first_seen_at},
          {"last_seen_at", finding.last_seen_at},
          {"note", TextOrNull(finding.note)},
          {"accepted_at", TextOrNull(finding.accepted_at)}};
}

struct Session {
  std::unique_ptr<wiring::DatabaseAccess> database;
  pg::Connection connection;
};

Result<Session> Open(const wiring::Invocation& invocation) {
  PCW_TRY(const config::LoadedConfig loaded, invocation.Load());
  PCW_TRY(auto database,
          wiring::DatabaseAccess::Open(loaded.config, config::HomeDirectory(invocation.environment),
                                       invocation.stop));
  PCW_TRY(pg::Connection connection, database->OpenService(invocation.stop));
  return Session{std::move(database), std::move(connection)};
}

Result<int> List(const wiring::Invocation& invocation, tables::DriftFilter filter) {
  if (filter.status == "all") filter.status.clear();
  PCW_TRY(Session session, Open(invocation));
  PCW_TRY(const auto findings, tables::LoadDrift(session.connection, filter, invocation.stop));
  std::vector<OrderedJson> rows;
  for (const StoredFinding& finding : findings) {
    OrderedJson row = ToJson(finding);
    row["place"] =
        finding.kind == "null_rate" || finding.pointer.empty() ? finding.column : finding.pointer;
    rows.push_back(std::move(row));
  }
  PrintRows(invocation.output,
            {{"id", "ID", true},
             {"entity", "ENTITY"},
             {"kind", "KIND"},
             {"place", "PLACE"},
             {"found", "FOUND"},
             {"expected", "EXPECTED"},
             {"records", "RECORDS", true},
             {"last_seen_at", "LAST SEEN"},
             {"status", "STATUS"}},
            rows, "no findings");
  return kExitOk;
}

Result<int> Show(const wiring::Invocation& invocation, std::int64_t id) {
  PCW_TRY(Session session, Open(invocation));
  PCW_TRY(const StoredFinding finding,
          tables::LoadDriftFinding(session.connection, id, invocation.stop));
  OrderedJson json = ToJson(finding);
  json["meaning"] = diagnose::MeaningOf(finding);
  const std::vector<std::string> steps = diagnose::NextStepsFor(finding);
  if (invocation.output != wiring::OutputFormat::kTable) {
    json["next_steps"] = steps;
    PrintObject(invocation.output, json);
    return kExitOk;
  }
  PrintObject(invocation.output, json);
  for (const std::string& step : steps)
    std::printf("next: %s\n", ForTerminal(config::Suggested(step)).c_str());
  return kExitOk;
}

struct AcceptWish {
  std::vector<std::int64_t> ids;
  bool is_all = false;
  std::string entity, note;
};

Result<int> Accept(const wiring::Invocation& invocation, const AcceptWish& wish) {
  if (wish.is_all == !wish.ids.empty())
    return Error(ErrorCode::kInvalidRequest,
                 "give the ids of findings, or --all with or without --entity")
        .As(ErrorMark::kUsage);
  PCW_TRY(Session session, OpenSession(invocation));
  PCW_TRY(
      const std::int64_t accepted,
      tables::AcceptDrift(session.connection, wish.ids, wish.entity, wish.note, invocation.stop));
  if (invocation.output == wiring::OutputFormat::kTable) {
    std::printf("%lld accepted; they are not reported or acted upon again\n",
                static_cast<long long>(accepted));
  } else {
    PrintObject(invocation.output, {{"accepted", accepted}});
  }
  return kExitOk;
}

}  // namespace

void AddDrift(CLI::App& root, wiring::Invocation& invocation) {
  CLI::App* noun =
      root.add_subcommand("drift", "How what AWS sends departs from what pcw knows of it")
          ->require_subcommand(1);
  auto filter = std::make_shared<tables::DriftFilter>();
  CLI::App* list = AddVerb(*noun, "list", "The newest findings",
                           "  pcw drift list\n  pcw drift list --entity opportunities --kind "
                           "null_rate --status all -o json");
  list->add_option("--entity", filter->entity, "only this entity")
      ->check(KnownValues(EntityNames()));
  list->add_option("--status", filter->status, "open, accepted or all")
      ->check(CLI::IsMember({"open", "accepted", "all"}))
      ->capture_default_str();
  list->add_option("--kind", filter->kind, "only this kind")
      ->check(CLI::IsMember(connector::DriftKindNames()));
  list->add_option("--limit", filter->limit, "at most this many")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  AddOutputOption(*list, invocation);
  list->callback([&invocation, filter] {
    invocation.verb = [&invocation, filter] { return List(invocation, *filter); };
  });

  auto id = std::make_shared<std::int64_t>(0);
  CLI::App* show =
      AddVerb(*noun, "show", "One finding: what was found, what was expected, a record, what to do",
              "  pcw drift show 12\n  pcw drift show 12 -o json | jq -r "
              "'.next_steps[]'");
  show->add_option("id", *id, "as `pcw drift list` prints it")->required();
  AddOutputOption(*show, invocation);
  show->callback(
      [&invocation, id] { invocation.verb = [&invocation, id] { return Show(invocation, *id); }; });

  auto wish = std::make_shared<AcceptWish>();
  CLI::App* accept = AddVerb(
      *noun, "accept", "Say that findings are as it should be: they are silent from then on",
      "  pcw drift accept 12 13 --note 'new stage, told by AWS'\n  pcw drift accept --all --entity "
      "leads");
  accept->add_option("id", wish->ids, "as `pcw drift list` prints them");
  accept->add_flag("--all", wish->is_all, "all that are open");
  accept->add_option("--entity", wish->entity, "only those of this entity")
      ->check(KnownValues(EntityNames()));
  accept->add_option("--note", wish->note, "why; kept with them");
  AddOutputOption(*accept, invocation);
  accept->callback([&invocation, wish] {
    invocation.verb = [&invocation, wish] { return Accept(invocation, *wish); };
  });
}

}  // namespace pcw::cli
