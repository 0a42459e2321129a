// Which mapping an entity has: the configuration's own, or the one compiled in.
#pragma once

#include <stop_token>
#include <string>
#include <string_view>

#include "pcw/app/config.h"
#include "pcw/connector/mapping.h"
#include "pcw/pg/connection.h"

namespace pcw::app {

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

/// Adds the nullable columns that configured mappings have and the tables lack. Built-in mappings
/// need none. kConfig for mistakes in a mapping, and for a column of another type. Returns how
/// many.
Result<int> AddMappedColumns(const Config& config, pg::Connection& admin, std::stop_token stop);

/// Reads and parses a file that the command line names. kConfig or kNotFound.
Result<connector::Mapping> LoadMappingFile(const std::string& path);

}  // namespace pcw::app
