#include "pcw/connector/raw_record.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "pcw/base/digest.h"
#include "pcw/base/json.h"
#include "pcw/base/json_form.h"
#include "pcw/base/storable_text.h"

namespace pcw::connector {
namespace {

constexpr std::size_t kShownId = 160;

// The JSON type a value begins as, for messages.
std::string_view TypeOfRaw(std::string_view value) {
  if (value.starts_with('"')) return "a text";
  if (value.starts_with('{')) return "an object";
  if (value.starts_with('[')) return "an array";
  if (value == "null") return "null";
  if (value == "true" || value == "false") return "a boolean";
  return "a number";
}

// The text that a JSON string stands for; nullopt if `value` is anything else.
std::optional<std::string> TextIn(std::string_view value) {
  if (value.size() < 2 || value.front() != '"' || value.back() != '"') return std::nullopt;
  if (!WhyMalformed(value).empty()) return std::nullopt;
  if (value.find('\\') == std::string_view::npos)
    return std::string(value.substr(1, value.size() - 2));
  const Result<Json> text = ParseJson(value);
  return text && text->is_string() ? std::optional(text->get<std::string>()) : std::nullopt;
}

// The members of an item that the source names, as they stand in its bytes; of two of one name the
// last, as everywhere (RecordParser).
struct ItemMembers {
  std::string_view id, fallback, key, version, detail_when;
};

ItemMembers MembersOf(std::string_view item, const SourceDef& source) {
  ItemMembers out;
  RawMembers members(item);
  if (!members.is_object()) return out;
  for (RawMember member; members.Next(member);) {
    const auto take = [&](std::string_view name, std::string_view& slot) {
      if (!name.empty() && member.name == name) slot = member.value;
    };
    take(source.id_member, out.id);
    take(source.id_fallback, out.fallback);
    take(source.key_member, out.key);
    take(source.version_member, out.version);
    take(source.detail_when, out.detail_when);
  }
  return out;
}

// What to call a record whose id cannot be used: bounded, storable, the same for the same bytes,
// and not like any id of AWS.
std::string NameWithoutId(std::string_view raw_id, std::string_view item) {
  if (raw_id.size() > 2 && raw_id.front() == '"') {
    return fmt::format("({}) sha256:{}",
                       StorableText(raw_id.substr(1, raw_id.size() - 2), kShownId),
                       Sha256Hex(raw_id).substr(0, 16));
  }
  return "(no id) sha256:" + Sha256Hex(item).substr(0, 32);
}

Error ItemProblem(std::string what, const SourceDef& source, int index) {
  return Error(ErrorCode::kSchemaMismatch, std::move(what))
      .With("operation", std::string(source.list->name))
      .With("pointer", fmt::format("{}/{}", source.items_pointer, index))
      .With("index", std::to_string(index));
}

// An id or key as a text that can be stored; else why not.
Result<std::string> Identifier(std::string_view raw, std::string_view member,
                               const SourceDef& source, int index) {
  const auto refuse = [&](std::string what) {
    return ItemProblem(std::move(what), source, index).With("member", std::string(member));
  };
  if (raw.empty() || raw == "null" || raw == "\"\"")
    return refuse(fmt::format("a listed record has no {}", member));
  if (raw.front() != '"') {
    return refuse(
        fmt::format("the {} of a listed record is {}, not a text", member, TypeOfRaw(raw)));
  }
  std::optional<std::string> text = TextIn(raw);
  if (!text) {
    return refuse(fmt::format("the {} of a listed record is not a well-formed text: {}", member,
                              WhyMalformed(raw)));
  }
  if (text->size() > kLongestId) {
    return refuse(fmt::format("the {} of a listed record has {} bytes; the most is {}", member,
                              text->size(), kLongestId));
  }
  if (text->find('\0') != std::string::npos) {
    return refuse(fmt::format(
        "the {} of a listed record holds the character U+0000, which PostgreSQL cannot store",
        member));
  }
  return std::move(*text);
}

PageItem ReadItem(std::string_view bytes, const SourceDef& source, int index) {
  PageItem out;
  out.index = index;
  const ItemMembers members = MembersOf(bytes, source);
  const auto is_present = [](std::string_view raw) { return !raw.empty() && raw != "null"; };
  const bool is_fallback = !is_present(members.id) && is_present(members.fallback);
  const std::string_view raw_id = is_fallback ? members.fallback : members.id;
  Result<std::string> id =
      Identifier(raw_id, is_fallback ? source.id_fallback : source.id_member, source, index);
  out.has_id = id.has_value();
  out.id = id ? *id : NameWithoutId(raw_id, bytes);
  if (const std::string why = WhyMalformed(bytes); !why.empty()) {
    out.problem = ItemProblem(fmt::format("a listed record is not well-formed JSON in UTF-8: {}; "
                                          "bronze has its bytes",
                                          why),
                              source, index)
                      .With("malformed", why);
  } else if (!bytes.starts_with('{')) {
    out.problem = ItemProblem(fmt::format("a listed record is {}, not an object", TypeOfRaw(bytes)),
                              source, index);
  } else if (!id) {
    out.problem = std::move(id).error();
  }
  // A record without a version is fetched every time; that is dear, but loses nothing. One whose
  // version cannot be stored is told from others by its bytes.
  if (std::optional<std::string> version = TextIn(members.version))
    out.version = std::move(*version);
  if (source.version_member.empty() || out.version.size() > kLongestId ||
      out.version.find('\0') != std::string::npos)
    out.version = "sha256:" + Sha256Hex(bytes);
  out.has_detail = source.detail != nullptr &&
                   (source.detail_when.empty() ||
                    TextIn(members.detail_when).value_or("") == source.detail_when_is);
  out.key = out.id;
  if (!source.key_member.empty() && !out.problem) {
    Result<std::string> key = Identifier(members.key, source.key_member, source, index);
    if (key) {
      out.key = std::move(*key);
    } else {
      out.problem = std::move(key).error();
    }
  }
  if (out.problem) out.has_detail = false;
  if (!out.has_detail) out.bytes = bytes;
  return out;
}

// Empty = the last page.
Result<std::string> ReadToken(std::string_view raw) {
  if (raw.empty() || raw == "null") return std::string();
  std::optional<std::string> token = TextIn(raw);
  if (token) return std::move(*token);
  const std::string why = raw.front() == '"' ? "is not a well-formed text: " + WhyMalformed(raw)
                                             : fmt::format("is {}, not a text", TypeOfRaw(raw));
  return Error(ErrorCode::kSchemaMismatch,
               fmt::format("the NextToken of a list answer {}, so the pages behind it cannot be "
                           "asked for; nothing counts as missing",
                           why))
      .Because(Reason::kUnreadablePageToken)
      .With("pointer", "/NextToken");
}

}  // namespace

Result<Page> ReadListPage(std::string_view body, const SourceDef& source) {
  RawMembers members(body);
  if (!members.is_object())
    return Error(ErrorCode::kUnavailable, "a list answer is not a JSON object");
  std::string_view items, token;
  bool has_two_lists = false;
  for (RawMember member; members.Next(member);) {
    if (member.name == source.items_pointer.substr(1)) {
      has_two_lists = !items.empty();
      items = member.value;
    }
    if (member.name == "NextToken") token = member.value;
  }
  if (!members.is_whole()) return Error(ErrorCode::kUnavailable, "a list answer was cut off");
  const auto mismatch = [&](std::string_view what) {
    return Error(ErrorCode::kSchemaMismatch, std::string(what))
        .With("pointer", std::string(source.items_pointer));
  };
  if (has_two_lists) return mismatch("a list answer has two arrays of records under one name");
  Page page;
  PCW_TRY(page.next_token, ReadToken(token));
  const bool is_absent = items.empty() || items == "null";
  if (is_absent && source.list->required_member.empty()) return page;
  RawMembers elements(items);
  if (!elements.is_array()) return mismatch("a list answer has no array of records");
  for (RawMember element; elements.Next(element);)
    page.items.push_back(ReadItem(element.value, source, static_cast<int>(page.items.size())));
  if (!elements.is_whole())
    return Error(ErrorCode::kUnavailable, "a list answer was cut off among its records");
  return page;
}

}  // namespace pcw::connector
