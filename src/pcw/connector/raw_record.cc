#include "pcw/connector/raw_record.h"

#include <simdjson.h>

namespace pcw::connector {

Result<Page> ReadListPage(std::string_view body, const EntityDef& def) {
  thread_local simdjson::dom::parser parser;
  simdjson::dom::element document;
  if (const auto problem = parser.parse(body.data(), body.size()).get(document);
      problem != simdjson::SUCCESS) {
    return Error(ErrorCode::kUnavailable, std::string("a list answer is not valid JSON: ") +
                                              simdjson::error_message(problem));
  }
  simdjson::dom::array items;
  if (document.at_pointer(def.items_pointer).get_array().get(items) != simdjson::SUCCESS) {
    return Error(ErrorCode::kSchemaMismatch, "a list answer has no array of records")
        .With("pointer", std::string(def.items_pointer));
  }
  Page page;
  page.items.reserve(items.size());
  for (const simdjson::dom::element item : items) {
    std::string_view id, version;
    if (item[def.id_member].get_string().get(id) != simdjson::SUCCESS || id.empty()) {
      return Error(ErrorCode::kSchemaMismatch, "a listed record has no id")
          .With("pointer", std::string(def.items_pointer))
          .With("index", std::to_string(page.items.size()))
          .With("member", std::string(def.id_member));
    }
    // A record without a version is fetched every time; that is dear, but loses nothing.
    if (item[def.version_member].get_string().get(version) != simdjson::SUCCESS) version = {};
    page.items.push_back({std::string(id), std::string(version)});
  }
  std::string_view token;
  if (document["NextToken"].get_string().get(token) == simdjson::SUCCESS) page.next_token = token;
  return page;
}

}  // namespace pcw::connector
