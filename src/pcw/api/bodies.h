// What a request brings beside its path: media type, JSON body, query. Read strictly.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pcw/base/json.h"
#include "pcw/net/server/message.h"

namespace pcw::api {

/// Refuses (415) every Content-Type but application/json, application/x-ndjson,
/// application/x-www-form-urlencoded (what curl -d says) and none, every charset but UTF-8, and any
/// Content-Encoding.
Status CheckMediaType(const net::server::Request& request);

/// A JSON object whose members are all of `allowed`. 400 invalid_json (with the byte),
/// json_too_deep (32), duplicate_key, unknown_field (names the allowed ones), invalid_field for a
/// text over 8 KiB.
Result<Json> ReadJsonObject(std::string_view body, std::span<const std::string_view> allowed);

/// A text member that is one of `values`. Absent: `fallback`, or if that is empty an error. Errors
/// carry `code` and list the values.
Result<std::string> ReadChoice(const Json& object, const char* member,
                               const std::vector<std::string>& values, std::string_view fallback,
                               std::string_view code);

/// The part of a target before '?', and the parameters behind it. 400 invalid_parameter for a bad
/// escape or a name given twice, unknown_parameter for one that is not of `known`.
std::string_view PathOf(std::string_view target);
Result<std::map<std::string, std::string>> ReadQuery(std::string_view target,
                                                     std::span<const std::string_view> known);

/// The token of "Authorization: Bearer <token>"; nullopt for anything else.
std::optional<std::string_view> BearerOf(const net::server::Request& request);

}  // namespace pcw::api
