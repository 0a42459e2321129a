// pcw history
#include <cstdio>
#include <memory>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "pcw/base/json_pointer.h"
#include "pcw/base/nearest.h"
#include "pcw/base/storable_text.h"
#include "pcw/base/time.h"
#include "pcw/cli/cli.h"
#include "pcw/config/mapping_choice.h"
#include "pcw/connector/entity_def.h"
#include "pcw/connector/mapping.h"
#include "pcw/connector/pii_mask.h"
#include "pcw/lake/layout.h"
#include "pcw/lake/record_versions.h"
#include "pcw/wiring/wiring.h"

namespace pcw::cli {
namespace {

struct HistoryArgs {
  std::string entity, id, since, until;
  bool is_unmasked = false;
};

// A JSON document twice: as it is, and as it may be shown.
struct Document {
  Json raw, shown;
};

Document ReadDocument(const std::string& text, const connector::PiiMask& mask, bool is_unmasked) {
  Document document;
  // Bytes that are not JSON are one value: they differ or they do not.
  const Result<Json> raw = ParseJson(text);
  document.raw = raw ? *raw : Json(text);
  document.shown = document.raw;
  if (!is_unmasked) {
    const Result<Json> shown = ParseJson(mask.Apply(text, connector::Masking::kPii));
    document.shown = shown ? *shown : Json("***");
  }
  return document;
}

const Json& MemberOf(const Json& value, const std::string& name) {
  static const Json kAbsent = Json::value_t::discarded;
  if (value.is_object() && value.contains(name)) return value.at(name);
  if (value.is_array() && !name.empty() && std::stoul(name) < value.size())
    return value.at(std::stoul(name));
  return kAbsent;
}

OrderedJson Shown(const Json& value) {
  return value.is_discarded() ? OrderedJson(nullptr) : OrderedJson(value);
}

/// Compares two versions member by member.
class VersionComparison {
 public:
  explicit VersionComparison(std::vector<OrderedJson>& changes) : changes_(changes) {}

  void Compare(const std::string& pointer, const Json& before, const Json& after,
               const Json& shown_before, const Json& shown_after) {
    if (before.is_discarded() && after.is_discarded()) return;
    if (before == after && before.is_discarded() == after.is_discarded()) return;
    const bool is_pair =
        (before.is_object() && after.is_object()) || (before.is_array() && after.is_array());
    if (!is_pair) {
      changes_.push_back(
          {{"pointer", pointer}, {"before", Shown(shown_before)}, {"after", Shown(shown_after)}});
      return;
    }
    for (const std::string& name : NamesOf(before, after)) {
      Compare(pointer + "/" + PointerSegment(name), MemberOf(before, name), MemberOf(after, name),
              MemberOf(shown_before, name), MemberOf(shown_after, name));
    }
  }

 private:
  static std::vector<std::string> NamesOf(const Json& before, const Json& after) {
    std::vector<std::string> names;
    if (before.is_array()) {
      for (std::size_t i = 0; i < std::max(before.size(), after.size()); ++i)
        names.push_back(std::to_string(i));
      return names;
    }
    for (const auto& [name, value] : before.items()) names.push_back(name);
    for (const auto& [name, value] : after.items()) {
      if (!before.contains(name)) names.push_back(name);
    }
    return names;
  }

  std::vector<OrderedJson>& changes_;
};

// "opportunity" and "opportunities" alike.
Result<const connector::EntityDef*> EntityNamed(const std::string& name) {
  std::vector<std::string> known;
  for (const connector::EntityDef* entity : connector::AllEntities()) {
    const std::string plural(entity->name);
    std::string singular = plural.substr(0, plural.size() - 1);
    if (plural.ends_with("ies")) singular = plural.substr(0, plural.size() - 3) + "y";
    if (name == plural || name == singular) return entity;
    known.push_back(plural);
  }
  const auto nearest = NearestName(name, known);
  return wiring::UsageError(
      fmt::format("\"{}\" is not an entity; this version has {}{}", name, fmt::join(known, ", "),
                  nearest ? fmt::format(" (did you mean {}?)", *nearest) : ""));
}

// What the source says when it last changed the record.
std::string ModifiedOf(const lake::RecordVersion& version, const connector::Mapping& mapping,
                       connector::Mapper& mapper) {
  const Result<connector::Row> row =
      mapper.MapRecord({.payload = version.payload,
                        .companion = version.companion,
                        .companion_operation = version.companion_operation,
                        .id = {},
                        .version = version.version,
                        .served_at = version.served_at});
  for (std::size_t i = 0; row && i < mapping.columns.size(); ++i) {
    const auto* text = std::get_if<std::string>(&row->values[i]);
    if (mapping.columns[i].column == "source_version" && text != nullptr) return *text;
  }
  return version.version;
}

std::vector<OrderedJson> Tell(const std::vector<lake::RecordVersion>& versions,
                              const connector::Mapping& mapping, bool is_unmasked) {
  const connector::PiiMask mask(std::span(&mapping, 1));
  connector::Mapper mapper(mapping);
  std::vector<OrderedJson> told;
  const lake::RecordVersion* before = nullptr;
  Document last, last_companion;
  for (const lake::RecordVersion& version : versions) {
    const bool is_repeat = before != nullptr && before->sha256 == version.sha256 &&
                           before->companion_sha256 == version.companion_sha256;
    if (is_repeat) {
      told.back()["seen_again"] = told.back().value("seen_again", 0) + 1;
      continue;
    }
    Document document = ReadDocument(version.payload, mask, is_unmasked);
    Document companion = version.companion.empty()
                             ? Document{Json::object(), Json::object()}
                             : ReadDocument(version.companion, mask, is_unmasked);
    std::vector<OrderedJson> changes;
    if (before != nullptr) {
      VersionComparison comparison(changes);
      comparison.Compare("", last.raw, document.raw, last.shown, document.shown);
      comparison.Compare("/companion", last_companion.raw, companion.raw, last_companion.shown,
                         companion.shown);
    }
    told.push_back({{"fetched_at", version.fetched_at},
                    {"modified", ModifiedOf(version, mapping, mapper)},
                    {"run", version.run_id},
                    {"operation", version.operation},
                    {"request_id", version.request_id},
                    {"bronze_key", version.key},
                    {"bronze_line", version.line},
                    {"first", before == nullptr},
                    {"changes", changes}});
    before = &version;
    last = std::move(document);
    last_companion = std::move(companion);
  }
  return told;
}

void PrintVersions(const std::vector<OrderedJson>& told) {
  const auto text = [](const OrderedJson& value) { return ForTerminal(value.get<std::string>()); };
  for (const OrderedJson& version : told) {
    std::printf(
        "%s  modified %s  %s  run %s  request %s%s\n", text(version["fetched_at"]).c_str(),
        text(version["modified"]).c_str(), text(version["operation"]).c_str(),
        text(version["run"]).c_str(), text(version["request_id"]).c_str(),
        version.contains("seen_again")
            ? fmt::format("  (seen again {} times)", version["seen_again"].get<int>()).c_str()
            : "");
    if (version["first"].get<bool>()) std::printf("  the first version\n");
    for (const OrderedJson& change : version["changes"]) {
      std::printf("  %s: %s -> %s\n", text(change["pointer"]).c_str(),
                  ForTerminal(DumpJson(change["before"])).c_str(),
                  ForTerminal(DumpJson(change["after"])).c_str());
    }
  }
}

Result<int> ShowHistory(const wiring::Invocation& invocation, const HistoryArgs& wanted) {
  PCW_TRY(const connector::EntityDef* entity, EntityNamed(wanted.entity));
  PCW_TRY(const auto since, wiring::ParseTimeOption("--since", wanted.since));
  PCW_TRY(const auto until, wiring::ParseTimeOption("--until", wanted.until));
  PCW_TRY(const config::LoadedConfig loaded, invocation.Load());
  wiring::Machine machine;
  PCW_TRY(const auto lake, wiring::OpenLake(loaded.config, invocation.environment, machine));
  PCW_TRY(const connector::Mapping mapping, config::MappingFor(loaded.config, entity->name));
  PCW_TRY(
      lake::RecordVersions found,
      lake::FindVersions(*lake, lake::EntityPrefix(entity->connector->lake_prefix, entity->name),
                         wanted.id, invocation.stop));
  for (const std::string& problem : found.problems)
    std::fprintf(stderr, "pcw: warning: %s\n", ForTerminal(problem).c_str());
  if (wanted.is_unmasked)
    std::fprintf(stderr, "pcw: warning: what follows is not masked and may hold personal data\n");
  if (found.versions.empty()) {
    return Error(ErrorCode::kNotFound,
                 fmt::format("bronze holds no {} {} in {}", entity->name,
                             CutAtCharacter(wanted.id, 64), lake->Describe()));
  }
  std::vector<OrderedJson> told = Tell(found.versions, mapping, wanted.is_unmasked);
  std::erase_if(told, [&](const OrderedJson& version) {
    const Result<WallTime> fetched = ParseRfc3339(version["fetched_at"].get<std::string>());
    return fetched && ((since && *fetched < *since) || (until && *fetched >= *until));
  });
  if (invocation.output == wiring::OutputFormat::kTable) {
    PrintVersions(told);
  } else {
    PrintRows(invocation.output, {}, told, "");
  }
  return found.problems.empty() ? kExitOk : kExitDeadLetters;
}

}  // namespace

void AddHistory(CLI::App& root, wiring::Invocation& invocation) {
  auto wanted = std::make_shared<HistoryArgs>();
  CLI::App* verb = AddVerb(root, "history", "Every version of one record, and what changed in it",
                           "  pcw history opportunity O1234567\n"
                           "  pcw history leads eng-0123456789abcd --since 2026-11-01 -o ndjson");
  verb->add_option("entity", wanted->entity, "opportunity, lead, solution, ... or its plural")
      ->required()
      ->check(KnownValues(connector::EntityNames()));
  verb->add_option("id", wanted->id, "the record's id")->required();
  verb->add_option("--since", wanted->since, "only versions fetched at that time or later")
      ->type_name("TIME");
  verb->add_option("--until", wanted->until, "only versions fetched before that time")
      ->type_name("TIME");
  verb->add_flag("--unmasked", wanted->is_unmasked, "show personal and business data as it is");
  AddOutputOption(*verb, invocation);
  verb->callback([&invocation, wanted] {
    invocation.verb = [&invocation, wanted] { return ShowHistory(invocation, *wanted); };
  });
}

}  // namespace pcw::cli
