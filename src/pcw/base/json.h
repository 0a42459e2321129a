// The one limiting entry point for JSON that came from outside.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "pcw/base/result.h"

namespace pcw {

using Json = nlohmann::json;
/// Keeps the order of members; for documents that people read.
using OrderedJson = nlohmann::ordered_json;

/// What a document may not exceed (I12: nlohmann copies and dumps recursively, so
/// depth must be bounded).
struct JsonLimits {
  std::size_t max_bytes = 8U << 20U;
  std::size_t max_depth = 64;
  std::size_t max_values = 1'000'000;
};

/// Parses one JSON value. kInvalidRequest with the byte offset for: too large, too deep, duplicate
/// key, trailing bytes, invalid UTF-8, BOM. Decimals, exponents and integers beyond 64 bits are
/// kept as strings of their exact text: no amount ever passes through a double (T20). Numbers
/// beyond the range of a double (1e400) are refused.
Result<Json> ParseJson(std::string_view text, const JsonLimits& limits = {});

/// null for an empty text.
OrderedJson TextOrNull(std::string_view text);

/// Compact text; invalid UTF-8 is replaced, never thrown. For logs, tables and API answers.
std::string DumpJson(const Json& value);
std::string DumpJson(const OrderedJson& value);
/// Two-space indented text with a final newline.
std::string DumpJsonPretty(const OrderedJson& value);

}  // namespace pcw
