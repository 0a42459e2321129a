// pcw dlq list|show
#include <memory>

#include "pcw/app/cli.h"
#include "pcw/app/wiring.h"
#include "pcw/dlq/dead_letter.h"

namespace pcw::app {
namespace {

OrderedJson ToJson(const dlq::DeadLetter& letter) {
  OrderedJson json;
  json["id"] = letter.id;
  json["state"] = letter.state;
  json["connector"] = letter.connector;
  json["entity"] = letter.entity;
  json["catalog"] = letter.catalog;
  json["record_key"] = letter.record_key;
  json["stage"] = NameOf(letter.stage);
  json["error_code"] = letter.error_code;
  json["error"] = letter.error;
  const Result<Json> context = ParseJson(letter.error_context_json);
  json["error_context"] = context ? OrderedJson(*context) : OrderedJson(letter.error_context_json);
  json["attempts"] = letter.attempts;
  json["run_id"] = letter.run_id;
  json["bronze_key"] =
      letter.bronze_key.empty() ? OrderedJson(nullptr) : OrderedJson(letter.bronze_key);
  json["bronze_line"] =
      letter.bronze_key.empty() ? OrderedJson(nullptr) : OrderedJson(letter.bronze_line);
  json["first_seen_at"] = letter.first_seen_at;
  json["last_seen_at"] = letter.last_seen_at;
  return json;
}

Result<int> ListLetters(const Invocation& invocation, dlq::DeadLetterFilter filter) {
  if (filter.state == "all") filter.state.clear();
  PCW_TRY(const LoadedConfig loaded, invocation.Load());
  PCW_TRY(
      const auto database,
      DatabaseAccess::Open(loaded.config, HomeDirectory(invocation.environment), invocation.stop));
  PCW_TRY(pg::Connection connection, database->OpenService(invocation.stop));
  PCW_TRY(const auto letters,
          dlq::LoadDeadLetters(connection, loaded.config.tenant_id, filter, invocation.stop));
  std::vector<OrderedJson> rows;
  for (const dlq::DeadLetter& letter : letters) rows.push_back(ToJson(letter));
  PrintRows(invocation.output,
            {{"id", "ID"},
             {"entity", "ENTITY"},
             {"record_key", "RECORD"},
             {"stage", "STAGE"},
             {"error_code", "CODE"},
             {"attempts", "TRIES", true},
             {"last_seen_at", "LAST SEEN"},
             {"error", "ERROR"}},
            rows, "no dead letters");
  return kExitOk;
}

Result<int> ShowLetter(const Invocation& invocation, const std::string& id) {
  PCW_TRY(const LoadedConfig loaded, invocation.Load());
  PCW_TRY(
      const auto database,
      DatabaseAccess::Open(loaded.config, HomeDirectory(invocation.environment), invocation.stop));
  PCW_TRY(pg::Connection connection, database->OpenService(invocation.stop));
  PCW_TRY(const dlq::DeadLetter letter,
          dlq::LoadDeadLetter(connection, loaded.config.tenant_id, id, invocation.stop));
  PrintObject(invocation.output, ToJson(letter));
  return kExitOk;
}

}  // namespace

void AddDlq(CLI::App& root, Invocation& invocation) {
  CLI::App* noun =
      root.add_subcommand("dlq", "Dead letters: records that could not be fetched or mapped")
          ->require_subcommand(1);
  auto filter = std::make_shared<dlq::DeadLetterFilter>();
  CLI::App* list =
      AddVerb(*noun, "list", "The newest dead letters",
              "  pcw dlq list\n  pcw dlq list --entity opportunities --state all -o json");
  list->add_option("--entity", filter->entity, "only this entity")
      ->check(KnownValues(EntityNames()));
  list->add_option("--run", filter->run_id, "only those last seen by this run");
  list->add_option("--state", filter->state, "open, settled, dropped or all")
      ->check(CLI::IsMember({"open", "settled", "dropped", "all"}))
      ->capture_default_str();
  list->add_option("--limit", filter->limit, "at most this many")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  AddOutputOption(*list, invocation);
  list->callback([&invocation, filter] {
    invocation.verb = [&invocation, filter] { return ListLetters(invocation, *filter); };
  });

  auto id = std::make_shared<std::string>();
  CLI::App* show = AddVerb(*noun, "show",
                           "One dead letter: the record, the error, where its bytes lie in bronze",
                           "  pcw dlq show 01a2b3c4\n  pcw dlq show 01a2b3c4 -o json");
  show->add_option("id", *id, "dead letter id, or its first 8 or more characters")->required();
  AddOutputOption(*show, invocation);
  show->callback([&invocation, id] {
    invocation.verb = [&invocation, id] { return ShowLetter(invocation, *id); };
  });
}

}  // namespace pcw::app
