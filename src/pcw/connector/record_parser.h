// A record's bytes as a document in which every well-formed record can be read, exactly.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <simdjson.h>

#include "pcw/base/result.h"

namespace pcw::connector {

/// What a record that is not well-formed JSON in UTF-8 fails with: kSchemaMismatch with context
/// `malformed`. `why` as WhyMalformed says it.
Error MalformedRecord(std::string_view why);

/// Parses records, one at a time; a document lives until the next call. simdjson reads numbers as
/// 64-bit integers or doubles, refuses those beyond (18446744073709551616, 1e400), and finds the
/// first of two members of one name, where PostgreSQL's jsonb keeps the last. So a record with such
/// a number or such members is written anew and parsed again: each number that is not an exact
/// 64-bit integer as a marked text, of members of one name the last. All others, which are nearly
/// all, are parsed as they are. Not thread-safe.
class RecordParser {
 public:
  /// kSchemaMismatch if `text` is malformed (MalformedRecord), is not an object, or holds the
  /// character U+0000, which PostgreSQL cannot store.
  Result<simdjson::dom::element> Parse(std::string_view text);

 private:
  Result<simdjson::dom::element> ParseRewritten(std::string_view text);

  simdjson::dom::parser parser_;
  std::string rewritten_;
};

/// The number's text if `value` is a number that was marked; nullopt if it is anything else.
std::optional<std::string_view> ExactNumber(const simdjson::dom::element& value);
/// The type of the value in the record: a marked number is a number (DOUBLE).
simdjson::dom::element_type TypeOf(const simdjson::dom::element& value);
/// "array", "object", "string", "number", "boolean" or "null".
std::string_view TypeName(simdjson::dom::element_type type);
/// The value as compact JSON text; marked numbers become numbers again.
std::string JsonTextOf(const simdjson::dom::element& value);

}  // namespace pcw::connector
