#include "pcw/config/mapping_book.h"

#include "pcw/base/log.h"

namespace pcw::config {
namespace {

bool IsPassing(ErrorCode code) { return ReactionOf(code).run == RunReaction::kStopResumable; }

Result<connector::Mapping> ParseAndCheck(std::string_view entity, const MappingText& text,
                                         const MappingBook::Check& check) {
  PCW_TRY(connector::Mapping mapping, ParseMappingOf(entity, text));
  if (check) PCW_TRY_OK(check(mapping));
  return mapping;
}

}  // namespace

Result<std::shared_ptr<const connector::Mapping>> MappingBook::InForce(const Config& config,
                                                                       std::string_view entity,
                                                                       const Check& check) {
  const std::pair<std::string, std::string> key{config.tenant_id, std::string(entity)};
  const Result<MappingText> text = MappingTextFor(config, entity);
  {
    const std::lock_guard lock(mutex_);
    const Held& held = held_[key];
    const bool is_same = text && text->yaml == held.yaml;
    if (held.mapping && (is_same ? held.is_checked || !check : !check)) return held.mapping;
  }
  Result<connector::Mapping> read =
      text ? ParseAndCheck(entity, *text, check) : Result<connector::Mapping>(text.error());
  const std::lock_guard lock(mutex_);
  Held& held = held_[key];
  if (!read) {
    const bool is_the_one_in_force = text && text->yaml == held.yaml;
    if (!held.mapping || is_the_one_in_force || IsPassing(read.error().code()))
      return std::move(read).error();
    Refuse(held, std::move(read).error());
    return held.mapping;
  }
  held.refused.clear();
  held.is_checked = check != nullptr;
  if (held.mapping && held.yaml == text->yaml) return held.mapping;
  if (held.mapping) Tell(entity, *text, held.mapping->version, read->version);
  held.mapping = std::make_shared<const connector::Mapping>(std::move(*read));
  held.yaml = text->yaml;
  return held.mapping;
}

void MappingBook::Refuse(Held& held, Error error) {
  std::string why = error.ToString();
  if (why == held.refused) return;
  LogError("the changed mapping is not used; the one before stays in force",
           std::move(error).With("mapping_version", std::to_string(held.mapping->version)));
  held.refused = std::move(why);
}

void MappingBook::Tell(std::string_view entity, const MappingText& text, int before, int now) {
  Log(LogLevel::kInfo, "mapping reloaded",
      {{"entity", std::string(entity)},
       {"file", text.file},
       {"mapping_version", std::to_string(now)},
       {"version_before", std::to_string(before)}});
  if (now != before) return;
  Log(LogLevel::kWarn,
      "the changed mapping has the version of the one before, so rows made by it count as done; "
      "raise its version and re-ingest",
      {{"entity", std::string(entity)}, {"file", text.file}});
}

}  // namespace pcw::config
