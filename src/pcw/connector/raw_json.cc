#include "pcw/connector/raw_json.h"

#include <simdjson.h>

namespace pcw::connector {

std::optional<std::string> RawJsonAt(std::string_view document, std::string_view pointer) {
  thread_local simdjson::ondemand::parser parser;
  const simdjson::padded_string padded(document);
  simdjson::ondemand::document parsed;
  simdjson::ondemand::value value;
  std::string_view raw;
  if (parser.iterate(padded).get(parsed) != simdjson::SUCCESS ||
      parsed.at_pointer(pointer).get(value) != simdjson::SUCCESS ||
      simdjson::to_json_string(value).get(raw) != simdjson::SUCCESS)
    return std::nullopt;
  std::string compact(raw.size() + simdjson::SIMDJSON_PADDING, '\0');
  std::size_t length = 0;
  if (simdjson::minify(raw.data(), raw.size(), compact.data(), length) != simdjson::SUCCESS)
    return std::nullopt;
  compact.resize(length);
  return compact;
}

}  // namespace pcw::connector
