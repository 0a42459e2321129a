// Which mapping an entity has: the configuration's own, or the one compiled in.
#pragma once

#include <string>
#include <string_view>

#include "pcw/config/config.h"
#include "pcw/connector/mapping.h"

namespace pcw::config {

/// A mapping document and where it is from.
struct MappingText {
  std::string yaml;
  std::string file;  ///< path, or "built-in opportunities.yaml"
};

/// <entity>.yaml in connectors.partner_central.mappings if there is one, else the built-in one.
/// kConfig if the directory is not there or the file cannot be read.
Result<MappingText> MappingTextFor(const Config& config, std::string_view entity);

/// The document, parsed. kConfig with file:line:column for mistakes, and for one of another entity.
Result<connector::Mapping> ParseMappingOf(std::string_view entity, const MappingText& text);

/// MappingTextFor, parsed. kConfig with file:line:column for mistakes, and for a file of another
/// entity.
Result<connector::Mapping> MappingFor(const Config& config, std::string_view entity);

/// Reads and parses a file that the command line names. kConfig or kNotFound.
Result<connector::Mapping> LoadMappingFile(const std::string& path);

}  // namespace pcw::config
