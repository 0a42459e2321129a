// pcw bronze cat
#include <cstdio>
#include <memory>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "pcw/base/digest.h"
#include "pcw/base/json_form.h"
#include "pcw/cli/cli.h"
#include "pcw/config/mapping_choice.h"
#include "pcw/connector/entity_def.h"
#include "pcw/connector/mapping.h"
#include "pcw/connector/pii_mask.h"
#include "pcw/lake/layout.h"
#include "pcw/lake/part_reader.h"
#include "pcw/lake/record_versions.h"
#include "pcw/lake/selection.h"
#include "pcw/wiring/wiring.h"

namespace pcw::cli {
namespace {

struct CatArgs {
  std::string key, entity;
  std::vector<std::string> ids;
  int line = 0;
  bool is_raw = false, is_unmasked = false;
};

/// Shows payloads as the command line may show them.
class RecordDisplay {
 public:
  RecordDisplay(bool is_unmasked, wiring::OutputFormat format)
      : is_unmasked_(is_unmasked), format_(format) {}

  static Result<RecordDisplay> Create(const config::Config& config, bool is_unmasked,
                                      wiring::OutputFormat format) {
    RecordDisplay display(is_unmasked, format);
    std::vector<connector::Mapping> mappings;
    for (const connector::EntityDef* entity : connector::AllEntities()) {
      PCW_TRY(connector::Mapping mapping, config::MappingFor(config, entity->name));
      mappings.push_back(std::move(mapping));
    }
    display.mask_ = std::make_shared<const connector::PiiMask>(mappings);
    return display;
  }

  // Whatever was stored, a line of JSON: readers behind a pipe must never stop at one record.
  void Show(OrderedJson meta, std::string_view payload, std::string_view companion,
            std::string_view malformed) const {
    if (!malformed.empty()) meta["malformed"] = malformed;
    // As text, so that an unmasked payload is exactly what is stored.
    std::string text = "," + Answer("payload", payload);
    if (!companion.empty()) text += "," + Answer("companion", companion);
    text = fmt::format("{{\"meta\":{}{}}}", DumpJson(meta), text);
    const Result<Json> document =
        format_ == wiring::OutputFormat::kJson ? ParseJson(text) : Result<Json>(Json());
    if (format_ == wiring::OutputFormat::kJson && document)
      text = DumpJsonPretty(OrderedJson(*document));
    if (text.back() != '\n') text += '\n';
    PutPiece(text);
  }

 private:
  // `"payload":...`, masked if it must be. What is not well-formed is shown as it is stored; what
  // cannot be masked is not shown.
  std::string Answer(std::string_view name, std::string_view bytes) const {
    const bool is_json = WhyMalformed(bytes).empty();
    if (is_unmasked_ && is_json) return fmt::format("\"{}\":{}", name, bytes);
    if (is_unmasked_)
      return fmt::format("\"{}\":null,\"{}_base64\":\"{}\"", name, name, Base64(bytes));
    const std::string masked = mask_->Apply(bytes, connector::Masking::kPii);
    if (WhyMalformed(masked).empty()) return fmt::format("\"{}\":{}", name, masked);
    return fmt::format(
        "\"{}\":null,\"{}_withheld\":\"{} bytes that cannot be masked; --unmasked "
        "shows them\"",
        name, name, bytes.size());
  }

  bool is_unmasked_;
  wiring::OutputFormat format_;
  std::shared_ptr<const connector::PiiMask> mask_;
};

OrderedJson MetaOf(std::string_view id, std::string_view operation, std::string_view request_id,
                   std::string_view fetched_at, const Sha256Digest& sha256) {
  return {{"id", id},
          {"operation", operation},
          {"request_id", request_id},
          {"fetched_at", fetched_at},
          {"sha256", Hex(sha256)}};
}

void WarnOfPii() {
  std::fprintf(stderr, "pcw: warning: what follows is not masked and may hold personal data\n");
}

// The line with that number, with its line end; all of them for 0.
std::string_view LineOf(std::string_view text, int number) {
  if (number == 0) return text;
  for (int i = 1; i < number && !text.empty(); ++i)
    text.remove_prefix(std::min(text.find('\n'), text.size() - 1) + 1);
  return text.substr(0, std::min(text.find('\n'), text.size()) + 1);
}

Result<int> CatObject(lake::BronzeStore& store, const CatArgs& wanted, const RecordDisplay& display,
                      std::stop_token stop) {
  PCW_TRY(const std::string content, store.Get(wanted.key, stop));
  const auto parts = lake::SplitKey(wanted.key);
  const bool is_part = parts && parts->part > 0;
  if (!is_part || wanted.is_raw) {
    if (is_part) WarnOfPii();
    const std::string_view text = LineOf(content, wanted.line);
    PutPiece(text);
    return kExitOk;
  }
  PCW_TRY(const lake::ScannedPart part, lake::ScanPart(content, lake::LineDigests::kCheck));
  if (wanted.line > static_cast<int>(part.size())) {
    return Error(ErrorCode::kNotFound,
                 fmt::format("the object has {} lines, not {}", part.size(), wanted.line));
  }
  if (wanted.is_unmasked) WarnOfPii();
  for (const lake::ScannedLine& line : part.lines) {
    if (wanted.line != 0 && line.line != wanted.line) continue;
    display.Show(MetaOf(line.id, line.operation, line.request_id, line.fetched_at, line.sha256),
                 line.payload, line.companion, line.malformed);
  }
  std::size_t problems = 0;
  for (const lake::UnreadableLine& line : part.unreadable) {
    if (wanted.line != 0 && line.line != wanted.line) continue;
    std::fprintf(stderr, "pcw: warning: %s: %s\n", ForTerminal(wanted.key).c_str(),
                 ForTerminal(line.why).c_str());
    ++problems;
  }
  return problems == 0 ? kExitOk : kExitDeadLetters;
}

Result<int> CatRecords(lake::BronzeStore& store, const CatArgs& wanted,
                       const RecordDisplay& display, std::stop_token stop) {
  if (wanted.is_unmasked) WarnOfPii();
  std::size_t shown = 0;
  std::size_t problems = 0;
  for (const connector::EntityDef* def : connector::AllEntities()) {
    if (!wanted.entity.empty() && def->name != wanted.entity) continue;
    for (const std::string& id : wanted.ids) {
      PCW_TRY(const lake::RecordVersions found,
              lake::FindVersions(store, lake::EntityPrefix(def->connector->lake_prefix, def->name),
                                 id, stop));
      for (const std::string& problem : found.problems)
        std::fprintf(stderr, "pcw: warning: %s\n", ForTerminal(problem).c_str());
      problems += found.problems.size();
      for (const lake::RecordVersion& version : found.versions) {
        OrderedJson meta =
            MetaOf(id, version.operation, version.request_id, version.fetched_at, version.sha256);
        meta["bronze_key"] = version.key;
        meta["bronze_line"] = version.line;
        display.Show(meta, version.payload, version.companion, version.malformed);
      }
      shown += found.versions.size();
    }
  }
  if (shown == 0 && problems == 0)
    return Error(ErrorCode::kNotFound, "bronze holds no record of that id in " + store.Describe());
  return problems == 0 ? kExitOk : kExitDeadLetters;
}

Result<int> CatBronze(const wiring::Invocation& invocation, const CatArgs& wanted) {
  if (wanted.key.empty() == wanted.ids.empty()) {
    return Error(ErrorCode::kInvalidRequest, "name either a key or --id").As(ErrorMark::kUsage);
  }
  const bool is_known = wanted.entity.empty() || connector::FindEntity(connector::PartnerCentral(),
                                                                       wanted.entity) != nullptr;
  if (!is_known) {
    return Error(ErrorCode::kInvalidRequest,
                 fmt::format("\"{}\" is not an entity; this version has {}", wanted.entity,
                             fmt::join(connector::EntityNames(), ", ")))
        .As(ErrorMark::kUsage);
  }
  PCW_TRY(const config::LoadedConfig loaded, invocation.Load());
  wiring::Machine machine;
  PCW_TRY(const auto store, wiring::OpenLake(loaded.config, invocation.environment, machine));
  PCW_TRY(const RecordDisplay display,
          RecordDisplay::Create(loaded.config, wanted.is_unmasked, invocation.output));
  return wanted.key.empty() ? CatRecords(*store, wanted, display, invocation.stop)
                            : CatObject(*store, wanted, display, invocation.stop);
}

}  // namespace

void AddBronzeCat(CLI::App& bronze, wiring::Invocation& invocation) {
  auto wanted = std::make_shared<CatArgs>();
  CLI::App* verb = AddVerb(
      bronze, "cat", "Print what an object holds, or every version of a record, as JSON lines",
      "  pcw bronze cat bronze/partnercentral/opportunities/2026/11/23/run-<id>/data.json | jq .\n"
      "  pcw bronze cat <key> --line 17 --raw | jq .payload\n"
      "  pcw bronze cat --id O1234567 --entity opportunities -o json");
  verb->add_option("key", wanted->key, "as `pcw bronze ls` prints it");
  verb->add_option("--id", wanted->ids, "instead of a key: every version of that record")
      ->allow_extra_args(false);
  verb->add_option("--entity", wanted->entity, "with --id: only of this entity")
      ->check(KnownValues(connector::EntityNames()));
  verb->add_option("--line", wanted->line, "only that line, from 1")->check(CLI::PositiveNumber);
  verb->add_flag("--raw", wanted->is_raw, "the bytes as they are stored, not masked");
  verb->add_flag("--unmasked", wanted->is_unmasked, "show personal and business data as it is");
  AddOutputOption(*verb, invocation);
  verb->callback([&invocation, wanted] {
    invocation.verb = [&invocation, wanted] { return CatBronze(invocation, *wanted); };
  });
}

}  // namespace pcw::cli
