#include "pcw/connector/record_parser.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "pcw/base/json.h"
#include "pcw/base/json_form.h"

namespace pcw::connector {
namespace {

using simdjson::dom::element;
using simdjson::dom::element_type;

// Begins the text that stands for a number. No record that is parsed holds this character itself:
// RecordParser refuses it.
constexpr char kMark = '\0';
constexpr std::string_view kMarkedInJson = "\"\\u0000";

// An even number of backslashes before the u is a text about it.
Status CheckNoNul(std::string_view record) {
  for (auto at = record.find("\\u0000"); at != std::string_view::npos;
       at = record.find("\\u0000", at + 1)) {
    std::size_t backslashes = 0;
    while (backslashes < at && record[at - 1 - backslashes] == '\\') ++backslashes;
    if (backslashes % 2 == 0) {
      return Error(ErrorCode::kSchemaMismatch,
                   "the record holds the character U+0000, which PostgreSQL cannot store; bronze "
                   "has it")
          .With("byte", std::to_string(at));
    }
  }
  return Ok{};
}

bool IsExactInteger(std::string_view number) {
  std::int64_t value = 0;
  const auto read = std::from_chars(number.data(), number.data() + number.size(), value);
  return read.ec == std::errc() && read.ptr == number.data() + number.size();
}

// A member's name as its text: two spellings of one name are the same member.
std::string NameOf(std::string_view raw) {
  if (raw.find('\\') == std::string_view::npos) return std::string(raw);
  const Result<Json> text = ParseJson(fmt::format("\"{}\"", raw));
  return text && text->is_string() ? text->get<std::string>() : std::string(raw);
}

// Writes a well-formed value anew. Its depth is at most kDeepestJson.
void Rewrite(std::string_view value, std::string& out) {
  const char first = value.front();
  if (first == '{') {
    std::vector<RawMember> members;
    std::unordered_map<std::string, std::size_t> last;
    RawMembers walk(value);
    for (RawMember member; walk.Next(member);) {
      last[NameOf(member.name)] = members.size();
      members.push_back(member);
    }
    out += '{';
    bool is_first = true;
    for (std::size_t i = 0; i < members.size(); ++i) {
      if (last.size() < members.size() && last[NameOf(members[i].name)] != i) continue;
      out.append(is_first ? "\"" : ",\"").append(members[i].name).append("\":");
      Rewrite(members[i].value, out);
      is_first = false;
    }
    out += '}';
  } else if (first == '[') {
    out += '[';
    bool is_first = true;
    RawMembers walk(value);
    for (RawMember item; walk.Next(item); is_first = false) {
      if (!is_first) out += ',';
      Rewrite(item.value, out);
    }
    out += ']';
  } else if ((first == '-' || (first >= '0' && first <= '9')) && !IsExactInteger(value)) {
    out.append(kMarkedInJson).append(value).append("\"");
  } else {
    out += value;
  }
}

// Names of an object's members are few and short: a bit for each of 256 sums finds nearly every
// object without two alike; the others are compared.
bool HoldsTwoAlike(simdjson::dom::object object) {
  std::array<std::uint64_t, 4> seen{};
  bool is_suspect = false;
  for (const auto field : object) {
    const std::string_view name = field.key;
    unsigned sum = static_cast<unsigned>(name.size()) * 31U;
    if (!name.empty()) {
      sum += static_cast<unsigned char>(name.front()) * 7U +
             static_cast<unsigned char>(name[name.size() / 2]) * 13U +
             static_cast<unsigned char>(name.back()) * 17U;
    }
    std::uint64_t& word = seen[(sum >> 6U) & 3U];
    const std::uint64_t bit = std::uint64_t{1} << (sum & 63U);
    is_suspect = is_suspect || (word & bit) != 0;
    word |= bit;
  }
  if (!is_suspect) return false;
  std::vector<std::string_view> names;
  for (const auto field : object) names.push_back(field.key);
  std::sort(names.begin(), names.end());
  return std::adjacent_find(names.begin(), names.end()) != names.end();
}

bool HoldsDuplicates(const element& value) {
  if (value.type() == element_type::OBJECT) {
    const simdjson::dom::object object = value.get_object().value_unsafe();
    if (HoldsTwoAlike(object)) return true;
    for (const auto field : object) {
      if (HoldsDuplicates(field.value)) return true;
    }
  } else if (value.type() == element_type::ARRAY) {
    // By value: what value_unsafe refers to ends with the expression.
    const simdjson::dom::array items = value.get_array().value_unsafe();
    for (const element item : items) {
      if (HoldsDuplicates(item)) return true;
    }
  }
  return false;
}

Result<element> ObjectIn(const element& document, std::string_view text) {
  if (!document.is_object())
    return Error(ErrorCode::kSchemaMismatch, "the record is not a JSON object")
        .With("found", std::string(TypeName(TypeOf(document))));
  PCW_TRY_OK(CheckNoNul(text));
  return document;
}

}  // namespace

std::string_view TypeName(element_type type) {
  switch (type) {
    case element_type::ARRAY:
      return "array";
    case element_type::OBJECT:
      return "object";
    case element_type::STRING:
      return "string";
    case element_type::BOOL:
      return "boolean";
    case element_type::NULL_VALUE:
      return "null";
    default:
      return "number";
  }
}

Error MalformedRecord(std::string_view why) {
  return Error(ErrorCode::kSchemaMismatch,
               fmt::format("the record is not well-formed JSON in UTF-8: {}; bronze has its bytes",
                           why))
      .With("malformed", std::string(why));
}

Result<element> RecordParser::Parse(std::string_view text) {
  constexpr auto kLimit = static_cast<std::size_t>(kDeepestJson);
  if (parser_.max_depth() != kLimit) {
    // Parsing makes room for longer records and keeps the depth.
    if (parser_.allocate(64U << 10U, kLimit) != simdjson::SUCCESS)
      return Error(ErrorCode::kInternal, "no memory to parse a record");
  }
  element document;
  const auto problem = parser_.parse(text.data(), text.size()).get(document);
  if (problem == simdjson::SUCCESS && !HoldsDuplicates(document)) return ObjectIn(document, text);
  if (problem == simdjson::MEMALLOC || problem == simdjson::CAPACITY)
    return Error(ErrorCode::kInternal, fmt::format("a record of {} bytes could not be parsed: {}",
                                                   text.size(), simdjson::error_message(problem)));
  return ParseRewritten(text);
}

Result<element> RecordParser::ParseRewritten(std::string_view text) {
  if (const std::string why = WhyMalformed(text); !why.empty()) return MalformedRecord(why);
  PCW_TRY_OK(CheckNoNul(text));
  text.remove_prefix(text.find_first_not_of(" \t\r\n"));
  text = text.substr(0, text.find_last_not_of(" \t\r\n") + 1);
  rewritten_.clear();
  rewritten_.reserve(text.size() + 64);
  Rewrite(text, rewritten_);
  element document;
  if (const auto problem = parser_.parse(rewritten_).get(document); problem != simdjson::SUCCESS) {
    return Error(ErrorCode::kInternal, fmt::format("a well-formed record could not be parsed: {}",
                                                   simdjson::error_message(problem)));
  }
  return ObjectIn(document, {});
}

std::optional<std::string_view> ExactNumber(const element& value) {
  if (value.type() != element_type::STRING) return std::nullopt;
  std::string_view text = value.get_string().value_unsafe();
  if (text.empty() || text.front() != kMark) return std::nullopt;
  return text.substr(1);
}

element_type TypeOf(const element& value) {
  return ExactNumber(value) ? element_type::DOUBLE : value.type();
}

std::string JsonTextOf(const element& value) {
  std::string text = simdjson::minify(value);
  auto at = text.find(kMarkedInJson);
  if (at == std::string::npos) return text;
  std::string out;
  std::size_t copied = 0;
  for (; at != std::string::npos; at = text.find(kMarkedInJson, copied)) {
    // In a text of the record itself the backslash would be a doubled one.
    const std::size_t number = at + kMarkedInJson.size();
    const std::size_t end = text.find('"', number);
    out.append(text, copied, at - copied).append(text, number, end - number);
    copied = end + 1;
  }
  return out.append(text, copied);
}

}  // namespace pcw::connector
