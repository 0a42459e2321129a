#include "pcw/connector/raw_record.h"

#include <simdjson.h>

#include "pcw/base/digest.h"

namespace pcw::connector {
namespace {

using simdjson::dom::element;

std::string_view TextOf(element item, std::string_view member) {
  std::string_view text;
  if (member.empty() || item[member].get_string().get(text) != simdjson::SUCCESS) return {};
  return text;
}

// The items' own bytes, as they stand in the body. The body has been found to be valid JSON.
Result<std::vector<std::string_view>> SliceItems(std::string_view body, std::string_view pointer) {
  thread_local simdjson::ondemand::parser parser;
  thread_local simdjson::padded_string padded;
  padded = simdjson::padded_string(body);
  std::vector<std::string_view> slices;
  simdjson::ondemand::document document;
  simdjson::ondemand::array items;
  auto problem = parser.iterate(padded).get(document);
  if (problem == simdjson::SUCCESS) problem = document.at_pointer(pointer).get_array().get(items);
  if (problem == simdjson::SUCCESS) {
    for (auto item : items) {
      simdjson::ondemand::object object;
      std::string_view raw;
      problem = item.get_object().get(object);
      if (problem == simdjson::SUCCESS) problem = object.raw_json().get(raw);
      if (problem != simdjson::SUCCESS) break;
      // raw_json ends with the white space that follows the value.
      raw = raw.substr(0, raw.find_last_not_of(" \t\r\n") + 1);
      slices.push_back(raw);
    }
  }
  if (problem != simdjson::SUCCESS) {
    return Error(ErrorCode::kSchemaMismatch, std::string("the items of a list answer cannot be "
                                                         "told apart: ") +
                                                 simdjson::error_message(problem))
        .With("pointer", std::string(pointer));
  }
  return slices;
}

Result<PageItem> ReadItem(element item, const SourceDef& source, int index) {
  PageItem out;
  out.index = index;
  out.id = TextOf(item, source.id_member);
  if (out.id.empty()) out.id = TextOf(item, source.id_fallback);
  out.key = source.key_member.empty() ? out.id : std::string(TextOf(item, source.key_member));
  if (out.id.empty() || out.key.empty()) {
    return Error(ErrorCode::kSchemaMismatch, "a listed record has no id")
        .With("pointer", std::string(source.items_pointer))
        .With("index", std::to_string(index))
        .With("member", std::string(out.id.empty() ? source.id_member : source.key_member));
  }
  // A record without a version is fetched every time; that is dear, but loses nothing.
  out.version = TextOf(item, source.version_member);
  out.has_detail =
      source.detail != nullptr &&
      (source.detail_when.empty() || TextOf(item, source.detail_when) == source.detail_when_is);
  return out;
}

}  // namespace

Result<Page> ReadListPage(std::string_view body, const SourceDef& source) {
  thread_local simdjson::dom::parser parser;
  element document;
  if (const auto problem = parser.parse(body.data(), body.size()).get(document);
      problem != simdjson::SUCCESS) {
    return Error(ErrorCode::kUnavailable, std::string("a list answer is not valid JSON: ") +
                                              simdjson::error_message(problem));
  }
  Page page;
  if (std::string_view token; document["NextToken"].get_string().get(token) == simdjson::SUCCESS)
    page.next_token = token;
  simdjson::dom::array items;
  if (document.at_pointer(source.items_pointer).get_array().get(items) != simdjson::SUCCESS) {
    element absent;
    const bool is_absent =
        document.is_object() &&
        document.at_pointer(source.items_pointer).get(absent) != simdjson::SUCCESS;
    if (is_absent && source.list->required_member.empty()) return page;
    return Error(ErrorCode::kSchemaMismatch, "a list answer has no array of records")
        .With("pointer", std::string(source.items_pointer));
  }
  // Only records that are their own details, or have no version, need the bytes of the item.
  std::vector<std::string_view> slices;
  const bool needs_bytes =
      source.detail == nullptr || !source.detail_when.empty() || source.version_member.empty();
  if (needs_bytes) {
    PCW_TRY(slices, SliceItems(body, source.items_pointer));
  }
  page.items.reserve(items.size());
  int index = 0;
  for (const element item : items) {
    PCW_TRY(PageItem read, ReadItem(item, source, index));
    if (needs_bytes) {
      const std::string_view bytes = slices[static_cast<std::size_t>(index)];
      if (source.version_member.empty()) read.version = "sha256:" + Sha256Hex(bytes);
      if (!read.has_detail) read.bytes = bytes;
    }
    page.items.push_back(std::move(read));
    ++index;
  }
  return page;
}

}  // namespace pcw::connector
