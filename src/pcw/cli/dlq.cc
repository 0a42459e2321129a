// pcw dlq list|groups|show
#include <memory>

#include <fmt/format.h>

#include "pcw/api/views.h"
#include "pcw/cli/cli.h"
#include "pcw/cli/dlq_verbs.h"
#include "pcw/cli/session.h"
#include "pcw/config/mapping_choice.h"
#include "pcw/config/suggest.h"
#include "pcw/connector/mapping.h"
#include "pcw/connector/pii_mask.h"
#include "pcw/dlq/dead_letter.h"
#include "pcw/lake/part_reader.h"
#include "pcw/wiring/escalation_file.h"
#include "pcw/wiring/replay_handlers.h"
#include "pcw/wiring/wiring.h"

namespace pcw::cli {
namespace {

OrderedJson ParsedOr(const std::string& text) {
  const Result<Json> parsed = ParseJson(text);
  return parsed ? OrderedJson(*parsed) : TextOrNull(text);
}

Result<int> ListLetters(const wiring::Invocation& invocation, dlq::DeadLetterFilter filter) {
  if (filter.state == "all") filter.state.clear();
  PCW_TRY_OK(FinishFilter(filter));
  PCW_TRY(Session session, OpenSession(invocation));
  RowPrinter printer(invocation.output,
                     {{"id", "ID"},
                      {"entity", "ENTITY"},
                      {"record_key", "RECORD"},
                      {"stage", "STAGE"},
                      {"error_code", "CODE"},
                      {"attempts", "TRIES", true},
                      {"last_seen_at", "LAST SEEN"},
                      {"error", "ERROR"}},
                     "no dead letters");
  PCW_TRY_OK(dlq::VisitDeadLetters(
      session.connection, session.loaded.config.tenant_id, filter,
      [&printer](const dlq::DeadLetter& letter) { printer.Add(api::DeadLetterJson(letter)); },
      invocation.stop));
  printer.End();
  return kExitOk;
}

Result<int> ListGroups(const wiring::Invocation& invocation, dlq::DeadLetterFilter filter) {
  if (filter.state == "all") filter.state.clear();
  PCW_TRY_OK(FinishFilter(filter));
  PCW_TRY(const config::LoadedConfig loaded, invocation.Load());
  PCW_TRY(const diagnose::EscalationMatrix matrix, wiring::LoadEscalation(loaded.file));
  PCW_TRY(const auto database,
          wiring::DatabaseAccess::Open(loaded.config, config::HomeDirectory(invocation.environment),
                                       invocation.stop));
  PCW_TRY(pg::Connection connection, database->OpenService(invocation.stop));
  PCW_TRY(const auto groups, dlq::LoadDeadLetterGroups(connection, loaded.config.tenant_id, filter,
                                                       dlq::kLoopGuard, invocation.stop));
  std::vector<OrderedJson> rows;
  for (const dlq::DeadLetterGroup& group : groups) {
    const diagnose::Escalation& owner =
        diagnose::OwnerOf(matrix, wiring::IssueOf(group.stage, group.error_code));
    OrderedJson row = api::DeadLetterGroupJson(group);
    row["owner"] = owner.first_responder;
    row["escalation"] = owner.escalation;
    row["next"] =
        config::Suggested(fmt::format("pcw dlq replay --group {} --dry-run{}", group.fingerprint,
                                      group.stage == "fetch" ? " --refetch" : ""));
    rows.push_back(std::move(row));
  }
  PrintRows(invocation.output,
            {{"group", "GROUP"},
             {"letters", "LETTERS", true},
             {"entity", "ENTITY"},
             {"stage", "STAGE"},
             {"error_code", "CODE"},
             {"first_seen_at", "FIRST SEEN"},
             {"last_seen_at", "LAST SEEN"},
             {"owner", "OWNER"},
             {"sample_id", "SAMPLE"},
             {"error", "ERROR"}},
            rows, "no dead letters");
  return kExitOk;
}

// What bronze holds of the record, masked, and where that came from.
Status AddRecord(OrderedJson& json, const dlq::DeadLetter& letter, const config::Config& config,
                 const wiring::Invocation& invocation) {
  wiring::Machine machine;
  PCW_TRY(const auto store, wiring::OpenLake(config, invocation.environment, machine));
  PCW_TRY(const std::string text, store->Get(letter.bronze_key, invocation.stop));
  PCW_TRY(const lake::ScannedPart part, lake::ScanPart(text, lake::LineDigests::kCheck));
  std::vector<connector::Mapping> mappings;
  for (const connector::EntityDef* entity : connector::AllEntities()) {
    PCW_TRY(connector::Mapping mapping, config::MappingFor(config, entity->name));
    mappings.push_back(std::move(mapping));
  }
  const connector::PiiMask mask(mappings);
  for (const lake::ScannedLine& line : part.lines) {
    if (line.line != letter.bronze_line) continue;
    json["lineage"] = {{"operation", line.operation},
                       {"request_id", line.request_id},
                       {"fetched_at", line.fetched_at},
                       {"version", line.version},
                       {"sha256", Hex(line.sha256)}};
    if (!line.malformed.empty()) json["malformed"] = line.malformed;
    json["payload"] = ParsedOr(mask.Apply(line.payload, connector::Masking::kPii));
    if (!letter.patch_json.empty())
      json["patch"] = ParsedOr(mask.Apply(letter.patch_json, connector::Masking::kPii));
    return Ok{};
  }
  return Error(ErrorCode::kNotFound, fmt::format("the object has no line {}", letter.bronze_line));
}

Result<int> ShowLetter(const wiring::Invocation& invocation, const std::string& id) {
  PCW_TRY(Session session, OpenSession(invocation));
  PCW_TRY(const dlq::DeadLetter letter,
          dlq::LoadDeadLetter(session.connection, session.loaded.config.tenant_id, id,
                              invocation.stop));
  PCW_TRY(const auto events,
          dlq::LoadDeadLetterEvents(session.connection, session.loaded.config.tenant_id, letter.id,
                                    invocation.stop));
  PCW_TRY(const diagnose::EscalationMatrix matrix, wiring::LoadEscalation(session.loaded.file));
  OrderedJson json = api::DeadLetterJson(letter);
  json["owner"] =
      diagnose::OwnerOf(matrix, wiring::IssueOf(NameOf(letter.stage), letter.error_code))
          .first_responder;
  if (!letter.bronze_key.empty()) {
    // The dead letter is worth showing although its bytes cannot be read just now.
    if (Status added = AddRecord(json, letter, session.loaded.config, invocation); !added)
      json["payload_error"] = added.error().ToString();
  }
  if (!letter.original.empty()) json["original_bytes"] = letter.original.size();
  json["history"] = OrderedJson::array();
  for (const dlq::DeadLetterEvent& event : events) {
    json["history"].push_back({{"at", event.at},
                               {"event", event.event},
                               {"actor", event.actor},
                               {"detail", ParsedOr(event.detail_json)}});
  }
  if (letter.state == "open") {
    json["next"] = config::Suggested(fmt::format(
        "pcw dlq replay --id {} --dry-run{}", letter.id,
        letter.stage == dlq::Stage::kFetch && letter.bronze_key.empty() ? " --refetch" : ""));
  }
  PrintObject(invocation.output, json);
  return kExitOk;
}

void AddState(CLI::App& verb, const std::shared_ptr<dlq::DeadLetterFilter>& filter) {
  verb.add_option("--state", filter->state, "open, settled, dropped or all")
      ->check(CLI::IsMember({"open", "settled", "dropped", "all"}))
      ->capture_default_str();
  verb.add_option("--limit", filter->limit, "at most this many")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
}

}  // namespace

void AddDlq(CLI::App& root, wiring::Invocation& invocation) {
  CLI::App* noun =
      root.add_subcommand("dlq", "Dead letters: records that could not be fetched or mapped")
          ->require_subcommand(1);
  auto filter = std::make_shared<dlq::DeadLetterFilter>();
  CLI::App* list =
      AddVerb(*noun, "list", "The newest dead letters",
              "  pcw dlq list\n  pcw dlq list --entity opportunities --state all -o json\n"
              "  pcw dlq list --cause schema_mismatch --since 2026-11-24");
  AddLetterFilter(*list, filter);
  AddState(*list, filter);
  AddOutputOption(*list, invocation);
  list->callback([&invocation, filter] {
    invocation.verb = [&invocation, filter] { return ListLetters(invocation, *filter); };
  });

  auto wanted = std::make_shared<dlq::DeadLetterFilter>();
  CLI::App* groups = AddVerb(*noun, "groups", "Dead letters by cause, with whom to call",
                             "  pcw dlq groups\n  pcw dlq groups --entity leads -o json");
  AddLetterFilter(*groups, wanted);
  AddState(*groups, wanted);
  AddOutputOption(*groups, invocation);
  groups->callback([&invocation, wanted] {
    invocation.verb = [&invocation, wanted] { return ListGroups(invocation, *wanted); };
  });

  auto id = std::make_shared<std::string>();
  CLI::App* show = AddVerb(*noun, "show",
                           "One dead letter: the error, the record (masked), where it is from, "
                           "what was done about it",
                           "  pcw dlq show 01a2b3c4\n  pcw dlq show 01a2b3c4 -o json");
  show->add_option("id", *id, "dead letter id, or its first 8 or more characters")->required();
  AddOutputOption(*show, invocation);
  show->callback([&invocation, id] {
    invocation.verb = [&invocation, id] { return ShowLetter(invocation, *id); };
  });
  AddDlqReplay(*noun, invocation);
  AddDlqDeliver(*noun, invocation);
  AddDlqDrop(*noun, invocation);
}

}  // namespace pcw::cli
