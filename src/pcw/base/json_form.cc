#include "pcw/base/json_form.h"

#include <array>
#include <bitset>
#include <cstdint>

#include <fmt/format.h>
#include <simdjson.h>

#include "pcw/base/hex.h"

namespace pcw {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

constexpr bool IsSpace(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }
constexpr bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Bytes inside a string that need no second look: all but quote, backslash, controls, non-ASCII.
constexpr std::array<bool, 256> MakePlain() {
  std::array<bool, 256> plain{};
  for (std::size_t c = 0x20; c < 0x80; ++c) plain[c] = c != '"' && c != '\\';
  return plain;
}
constexpr std::array<bool, 256> kPlain = MakePlain();

// Length of the UTF-8 character that `text` begins with; 0 if it is none (overlong forms and
// surrogates are none).
std::size_t CharacterSize(std::string_view text) {
  const auto byte = [&](std::size_t i) {
    return i < text.size() ? static_cast<std::uint8_t>(text[i]) : std::uint8_t{0};
  };
  const auto follows = [&](std::size_t i, unsigned low = 0x80, unsigned high = 0xBF) {
    return byte(i) >= low && byte(i) <= high;
  };
  const unsigned first = byte(0);
  if (first >= 0xC2 && first <= 0xDF) return follows(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    const unsigned low = first == 0xE0 ? 0xA0 : 0x80;
    const unsigned high = first == 0xED ? 0x9F : 0xBF;
    return follows(1, low, high) && follows(2) ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const unsigned low = first == 0xF0 ? 0x90 : 0x80;
    const unsigned high = first == 0xF4 ? 0x8F : 0xBF;
    return follows(1, low, high) && follows(2) && follows(3) ? 4 : 0;
  }
  return 0;
}

// A parser that builds nothing. The nesting is a bit a level, so that depth costs no stack.
class FormChecker {
 public:
  explicit FormChecker(std::string_view text) : text_(text) {}

  std::string Check() {
    if (text_.starts_with(kByteOrderMark)) return "a byte order mark at its beginning";
    Expect expect = Expect::kValue;
    while (problem_.empty()) {
      while (pos_ < text_.size() && IsSpace(text_[pos_])) ++pos_;
      if (pos_ == text_.size()) {
        if (expect != Expect::kAfter || depth_ > 0) Fail("cut off");
        return problem_;
      }
      expect = Step(expect);
    }
    return problem_;
  }

 private:
  enum class Expect { kValue, kFirstElement, kFirstKey, kKey, kAfter };

  Expect Step(Expect expect) {
    const char c = text_[pos_];
    const bool may_close = expect == Expect::kFirstElement || expect == Expect::kFirstKey ||
                           (expect == Expect::kAfter && depth_ > 0);
    if (may_close && c == (IsInObject() ? '}' : ']')) {
      ++pos_;
      --depth_;
      return Expect::kAfter;
    }
    switch (expect) {
      case Expect::kFirstKey:
      case Expect::kKey:
        return Key();
      case Expect::kFirstElement:
      case Expect::kValue:
        return Value(c);
      case Expect::kAfter:
        if (depth_ == 0 || c != ',') return Fail("not JSON");
        ++pos_;
        return IsInObject() ? Expect::kKey : Expect::kValue;
    }
    return Fail("not JSON");
  }

  Expect Value(char c) {
    if (c == '{' || c == '[') {
      if (depth_ == kDeepestJson) return Fail(fmt::format("nested deeper than {}", kDeepestJson));
      objects_[static_cast<std::size_t>(depth_++)] = c == '{';
      ++pos_;
      return c == '{' ? Expect::kFirstKey : Expect::kFirstElement;
    }
    if (c == '"') return String(Expect::kAfter);
    if (c == '-' || IsDigit(c)) return Number();
    for (const std::string_view word : {"true", "false", "null"}) {
      if (!text_.substr(pos_).starts_with(word)) continue;
      pos_ += word.size();
      return Expect::kAfter;
    }
    return Fail("not JSON");
  }

  Expect Key() {
    if (text_[pos_] != '"') return Fail("not JSON");
    String(Expect::kValue);
    while (pos_ < text_.size() && IsSpace(text_[pos_])) ++pos_;
    if (problem_.empty() && At(pos_) != ':')
      return Fail(pos_ < text_.size() ? "not JSON" : "cut off");
    ++pos_;
    return Expect::kValue;
  }

  Expect String(Expect next) {
    ++pos_;
    for (;;) {
      while (pos_ < text_.size() && kPlain[static_cast<std::uint8_t>(text_[pos_])]) ++pos_;
      if (pos_ >= text_.size()) return Fail("cut off");
      const char c = text_[pos_];
      if (c == '"') {
        ++pos_;
        return next;
      }
      if (c == '\\') {
        if (!Escape()) return next;
        continue;
      }
      if (static_cast<std::uint8_t>(c) < 0x20) return Fail("a raw control character in a string");
      const std::size_t size = CharacterSize(text_.substr(pos_));
      if (size == 0) return Fail("not UTF-8");
      pos_ += size;
    }
  }

  bool Escape() {
    const char c = At(pos_ + 1);
    if (c != 'u') {
      if (std::string_view("\"\\/bfnrt").find(c) == std::string_view::npos || c == '\0') {
        Fail(pos_ + 1 < text_.size() ? "not JSON" : "cut off");
        return false;
      }
      pos_ += 2;
      return true;
    }
    const int unit = HexAt(pos_ + 2);
    if (unit < 0) {
      Fail("not JSON");
      return false;
    }
    if (unit < 0xD800 || unit > 0xDFFF) {
      pos_ += 6;
      return true;
    }
    const bool is_pair = unit < 0xDC00 && At(pos_ + 6) == '\\' && At(pos_ + 7) == 'u' &&
                         HexAt(pos_ + 8) >= 0xDC00 && HexAt(pos_ + 8) <= 0xDFFF;
    if (!is_pair) {
      Fail("a lone surrogate");
      return false;
    }
    pos_ += 12;
    return true;
  }

  Expect Number() {
    if (At(pos_) == '-') ++pos_;
    if (!IsDigit(At(pos_))) return Fail("not JSON");
    if (At(pos_) == '0') {
      ++pos_;
    } else {
      SkipDigits();
    }
    if (At(pos_) == '.') {
      ++pos_;
      if (!IsDigit(At(pos_))) return Fail("not JSON");
      SkipDigits();
    }
    if (At(pos_) == 'e' || At(pos_) == 'E') {
      ++pos_;
      if (At(pos_) == '+' || At(pos_) == '-') ++pos_;
      if (!IsDigit(At(pos_))) return Fail("not JSON");
      SkipDigits();
    }
    return Expect::kAfter;
  }

  void SkipDigits() {
    while (IsDigit(At(pos_))) ++pos_;
  }

  char At(std::size_t pos) const { return pos < text_.size() ? text_[pos] : '\0'; }
  bool IsInObject() const { return depth_ > 0 && objects_[static_cast<std::size_t>(depth_ - 1)]; }

  // The code unit of four hex digits; -1 if they are none.
  int HexAt(std::size_t pos) const {
    int unit = 0;
    for (std::size_t i = pos; i < pos + 4; ++i) {
      const int digit = HexValue(At(i));
      if (digit < 0) return -1;
      unit = unit * 16 + digit;
    }
    return unit;
  }

  Expect Fail(std::string_view what) {
    if (problem_.empty()) problem_ = fmt::format("{} at byte {}", what, pos_);
    return Expect::kAfter;
  }

  std::string_view text_;
  std::size_t pos_ = 0;
  std::bitset<kDeepestJson> objects_;  // by level: an object, not an array
  int depth_ = 0;
  std::string problem_;
};

}  // namespace

namespace {

// simdjson holds the same rules at the speed of memory, but for numbers beyond its own. What it
// takes is well-formed; what it refuses is looked at by FormChecker. A text is copied for it, so a
// short one is not worth the way; and a parser keeps ten times the size of the largest text that it
// has read, in each thread, so a long one takes the slow way.
constexpr std::size_t kWorthTheWay = 256;
constexpr std::size_t kLongestQuick = 1U << 20U;

simdjson::simdjson_result<simdjson::dom::element> ReadQuickly(std::string_view text) {
  constexpr auto kDepth = static_cast<std::size_t>(kDeepestJson);
  thread_local simdjson::dom::parser parser;
  if (text.size() > kLongestQuick) return simdjson::CAPACITY;
  if (text.starts_with(kByteOrderMark)) return simdjson::TAPE_ERROR;
  if (parser.max_depth() != kDepth && parser.allocate(64U << 10U, kDepth) != simdjson::SUCCESS)
    return simdjson::MEMALLOC;
  return parser.parse(text.data(), text.size());
}

}  // namespace

std::string WhyMalformed(std::string_view text) {
  if (text.size() > kWorthTheWay && ReadQuickly(text).error() == simdjson::SUCCESS) return {};
  return FormChecker(text).Check();
}

std::optional<bool> ObjectHas(std::string_view text, std::string_view member) {
  simdjson::dom::object object;
  if (ReadQuickly(text).get_object().get(object) != simdjson::SUCCESS) return std::nullopt;
  return object.at_key(member).error() == simdjson::SUCCESS;
}

RawMembers::RawMembers(std::string_view text) : text_(text) {
  if (text_.starts_with(kByteOrderMark)) pos_ = kByteOrderMark.size();
  SkipSpace();
  if (pos_ < text_.size() && (text_[pos_] == '{' || text_[pos_] == '[')) open_ = text_[pos_++];
}

void RawMembers::SkipSpace() {
  while (pos_ < text_.size() && IsSpace(text_[pos_])) ++pos_;
}

// From behind the opening quote to behind the closing one; false if there is none. Looks from quote
// to quote, which is many bytes at a step; one behind an odd number of backslashes ends nothing.
bool RawMembers::SkipString() {
  const std::size_t begin = pos_;
  for (;;) {
    const std::size_t quote = text_.find('"', pos_);
    if (quote == std::string_view::npos) {
      pos_ = text_.size();
      return false;
    }
    pos_ = quote + 1;
    std::size_t first = quote;
    while (first > begin && text_[first - 1] == '\\') --first;
    if ((quote - first) % 2 == 0) return true;
  }
}

// Where the value ends that begins at pos_: its comma or the closing bracket; npos if it was cut.
std::size_t RawMembers::EndOfValue() {
  std::size_t depth = 0;
  while (pos_ < text_.size()) {
    switch (text_[pos_++]) {
      case '"':
        if (!SkipString()) return std::string_view::npos;
        break;
      case '{':
      case '[':
        ++depth;
        break;
      case '}':
      case ']':
        if (depth == 0) return --pos_;
        --depth;
        break;
      case ',':
        if (depth == 0) return --pos_;
        break;
      default:
        break;
    }
  }
  return std::string_view::npos;
}

bool RawMembers::Next(RawMember& out) {
  const char close = open_ == '{' ? '}' : ']';
  if (open_ == '\0' || is_whole_) return false;
  SkipSpace();
  if (pos_ >= text_.size()) return false;
  if (text_[pos_] == close) {
    is_whole_ = true;
    return false;
  }
  if (!is_first_) {
    if (text_[pos_] != ',') return false;
    ++pos_;
    SkipSpace();
  }
  is_first_ = false;
  out.name = {};
  if (open_ == '{') {
    if (pos_ >= text_.size() || text_[pos_] != '"') return false;
    const std::size_t begin = ++pos_;
    if (!SkipString() || pos_ > text_.size()) return false;
    out.name = text_.substr(begin, pos_ - 1 - begin);
    SkipSpace();
    if (pos_ >= text_.size() || text_[pos_] != ':') return false;
    ++pos_;
    SkipSpace();
  }
  const std::size_t begin = pos_;
  std::size_t end = EndOfValue();
  if (end == std::string_view::npos) return false;
  while (end > begin && IsSpace(text_[end - 1])) --end;
  out.value = text_.substr(begin, end - begin);
  return true;
}

}  // namespace pcw
