#include "pcw/config/mapping_choice.h"

#include <filesystem>

#include <fmt/format.h>

#include "pcw/base/file.h"
#include "pcw/connector/entity_def.h"

namespace pcw::config {
namespace {

constexpr std::size_t kMostBytes = 256U << 10U;

}  // namespace

Result<MappingText> MappingTextFor(const Config& config, std::string_view entity) {
  const std::filesystem::path directory(config.partner_central.mappings);
  if (!directory.empty()) {
    std::error_code problem;
    if (!std::filesystem::is_directory(directory, problem))
      return Error(ErrorCode::kConfig,
                   fmt::format("connectors.partner_central.mappings: {} is not a directory",
                               directory.string()));
    const std::filesystem::path file = directory / fmt::format("{}.yaml", entity);
    Result<std::string> yaml = ReadFile(file, kMostBytes);
    if (yaml) return MappingText{.yaml = std::move(*yaml), .file = file.string()};
    if (yaml.error().code() != ErrorCode::kNotFound) return std::move(yaml).error();
  }
  PCW_TRY(const std::string_view yaml, connector::BuiltinMappingText(entity));
  return MappingText{.yaml = std::string(yaml), .file = fmt::format("built-in {}.yaml", entity)};
}

Result<connector::Mapping> ParseMappingOf(std::string_view entity, const MappingText& text) {
  PCW_TRY(connector::Mapping mapping, connector::ParseMapping(text.yaml, text.file));
  if (mapping.entity != entity) {
    return Error(ErrorCode::kConfig, fmt::format("{} is a mapping of {}, expected of {}", text.file,
                                                 mapping.entity, entity));
  }
  return mapping;
}

Result<connector::Mapping> MappingFor(const Config& config, std::string_view entity) {
  PCW_TRY(const MappingText text, MappingTextFor(config, entity));
  return ParseMappingOf(entity, text);
}

Result<connector::Mapping> LoadMappingFile(const std::string& path) {
  PCW_TRY(const std::string yaml, ReadFile(path, kMostBytes));
  return connector::ParseMapping(yaml, path);
}

}  // namespace pcw::config
