#include "pcw/app/mapping_book.h"

#include "pcw/app/mapping_choice.h"
#include "pcw/base/log.h"

namespace pcw::app {
namespace {

struct Candidate {
  MappingText text;
  std::shared_ptr<const connector::Mapping> mapping;
};

Result<Candidate> Read(const Config& config, std::string_view entity, const std::string& held,
                       const MappingBook::Check& check) {
  PCW_TRY(MappingText text, MappingTextFor(config, entity));
  if (text.yaml == held) return Candidate{.text = std::move(text), .mapping = nullptr};
  PCW_TRY(connector::Mapping mapping, ParseMappingOf(entity, text));
  if (check) PCW_TRY_OK(check(mapping));
  return Candidate{.text = std::move(text),
                   .mapping = std::make_shared<const connector::Mapping>(std::move(mapping))};
}

}  // namespace

Result<std::shared_ptr<const connector::Mapping>> MappingBook::InForce(const Config& config,
                                                                       std::string_view entity,
                                                                       const Check& check) {
  const std::lock_guard lock(mutex_);
  Held& held = held_[{config.tenant_id, std::string(entity)}];
  Result<Candidate> read = Read(config, entity, held.mapping ? held.yaml : "", check);
  if (!read) {
    if (!held.mapping) return std::move(read).error();
    const std::string why = read.error().ToString();
    if (why != held.refused) {
      LogError(
          "the changed mapping is not used; the one before stays in force",
          std::move(read).error().With("mapping_version", std::to_string(held.mapping->version)));
      held.refused = why;
    }
    return held.mapping;
  }
  held.refused.clear();
  if (!read->mapping) return held.mapping;
  if (held.mapping) {
    Log(LogLevel::kInfo, "mapping reloaded",
        {{"entity", std::string(entity)},
         {"file", read->text.file},
         {"mapping_version", std::to_string(read->mapping->version)},
         {"version_before", std::to_string(held.mapping->version)}});
    if (read->mapping->version == held.mapping->version) {
      Log(LogLevel::kWarn,
          "the changed mapping has the version of the one before, so rows made by it count as "
          "done; raise its version and re-ingest",
          {{"entity", std::string(entity)}, {"file", read->text.file}});
    }
  }
  held.mapping = std::move(read->mapping);
  held.yaml = std::move(read->text.yaml);
  return held.mapping;
}

}  // namespace pcw::app
