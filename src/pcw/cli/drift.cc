// pcw drift list|show|accept
#include "pcw/connector/drift.h"

#include <cstdio>
#include <memory>

#include <fmt/format.h>

#include "pcw/api/views.h"
#include "pcw/cli/cli.h"
#include "pcw/cli/session.h"
#include "pcw/config/suggest.h"
#include "pcw/connector/entity_def.h"
#include "pcw/diagnose/drift_steps.h"
#include "pcw/tables/drift_store.h"
#include "pcw/wiring/wiring.h"

namespace pcw::cli {
namespace {

using tables::StoredFinding;

Result<int> List(const wiring::Invocation& invocation, tables::DriftFilter filter) {
  if (filter.status == "all") filter.status.clear();
  PCW_TRY(Session session, OpenSession(invocation));
  PCW_TRY(const auto findings, tables::LoadDrift(session.connection, filter, invocation.stop));
  std::vector<OrderedJson> rows;
  for (const StoredFinding& finding : findings) {
    OrderedJson row = api::DriftJson(finding);
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
  PCW_TRY(Session session, OpenSession(invocation));
  PCW_TRY(const StoredFinding finding,
          tables::LoadDriftFinding(session.connection, id, invocation.stop));
  OrderedJson json = api::DriftJson(finding);
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

struct AcceptArgs {
  std::vector<std::int64_t> ids;
  bool is_all = false;
  std::string entity, note;
};

Result<int> Accept(const wiring::Invocation& invocation, const AcceptArgs& args) {
  if (args.is_all == !args.ids.empty())
    return Error(ErrorCode::kInvalidRequest,
                 "give the ids of findings, or --all with or without --entity")
        .As(ErrorMark::kUsage);
  PCW_TRY(Session session, OpenSession(invocation));
  PCW_TRY(
      const std::int64_t accepted,
      tables::AcceptDrift(session.connection, args.ids, args.entity, args.note, invocation.stop));
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
      ->check(KnownValues(connector::EntityNames()));
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

  auto args = std::make_shared<AcceptArgs>();
  CLI::App* accept = AddVerb(
      *noun, "accept", "Say that findings are as it should be: they are silent from then on",
      "  pcw drift accept 12 13 --note 'new stage, told by AWS'\n  pcw drift accept --all --entity "
      "leads");
  accept->add_option("id", args->ids, "as `pcw drift list` prints them");
  accept->add_flag("--all", args->is_all, "all that are open");
  accept->add_option("--entity", args->entity, "only those of this entity")
      ->check(KnownValues(connector::EntityNames()));
  accept->add_option("--note", args->note, "why; kept with them");
  AddOutputOption(*accept, invocation);
  accept->callback([&invocation, args] {
    invocation.verb = [&invocation, args] { return Accept(invocation, *args); };
  });
}

}  // namespace pcw::cli
