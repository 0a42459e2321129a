#include <nlohmann/json.hpp>

#include "pcw/base/json.h"
#include "pcw/lake/part.h"

namespace pcw::lake {
namespace {

template <typename Item, typename ToJson>
void AppendArray(std::string& text, std::string_view name, const std::vector<Item>& items,
                 ToJson to_json) {
  text.append(",\n  \"").append(name).append("\": [");
  for (const Item& item : items) {
    text.append(&item == items.data() ? "\n    " : ",\n    ").append(DumpJson(to_json(item)));
  }
  text.append(items.empty() ? "]" : "\n  ]");
}

}  // namespace

std::string FormatManifest(const Manifest& manifest) {
  OrderedJson json;
  json["run_id"] = manifest.run_id;
  json["connector"] = manifest.connector;
  json["entity"] = manifest.entity;
  json["mode"] = manifest.mode;
  json["catalog"] = manifest.catalog;
  json["started_at"] = manifest.started_at;
  json["ended_at"] = manifest.ended_at;
  if (!manifest.served_from.empty()) json["served_from"] = manifest.served_from;
  json["mapping_version"] = manifest.mapping_version;
  json["watermark_before"] = manifest.watermark_before;
  json["watermark_after"] = manifest.watermark_after;
  // A line for each part and page, so that 10,000 pages never stand in memory as JSON values.
  std::string text = DumpJsonPretty(json);
  text.resize(text.rfind('}'));
  while (text.back() == '\n') text.pop_back();
  AppendArray(text, "parts", manifest.parts, [](const ManifestPart& part) {
    return OrderedJson{{"key", part.key},
                       {"sha256", part.sha256},
                       {"bytes", part.bytes},
                       {"records", part.records}};
  });
  AppendArray(text, "pages", manifest.pages, [](const ManifestPage& page) {
    return OrderedJson{{"request_id", page.request_id},
                       {"items", page.items},
                       {"first_id", page.first_id},
                       {"last_id", page.last_id}};
  });
  text += "\n}\n";
  return text;
}

Result<Manifest> ParseManifest(std::string_view text) {
  PCW_TRY(const Json json,
          ParseJson(text, {.max_bytes = 64U << 20U, .max_depth = 8, .max_values = 10'000'000}));
  Manifest manifest;
  try {
    manifest.run_id = json.at("run_id");
    manifest.connector = json.at("connector");
    manifest.entity = json.at("entity");
    manifest.mode = json.at("mode");
    manifest.catalog = json.at("catalog");
    manifest.started_at = json.at("started_at");
    manifest.ended_at = json.at("ended_at");
    manifest.served_from = json.value("served_from", "");
    manifest.mapping_version = json.at("mapping_version");
    manifest.watermark_before = json.at("watermark_before");
    manifest.watermark_after = json.at("watermark_after");
    for (const Json& part : json.at("parts")) {
      manifest.parts.push_back(
          {part.at("key"), part.at("sha256"), part.at("bytes"), part.at("records")});
    }
    for (const Json& page : json.at("pages")) {
      manifest.pages.push_back(
          {page.at("request_id"), page.at("items"), page.at("first_id"), page.at("last_id")});
    }
  } catch (const Json::exception& problem) {
    return Error(ErrorCode::kSchemaMismatch, std::string("not a manifest: ") + problem.what());
  }
  return manifest;
}

}  // namespace pcw::lake
