// The form of JSON text that others wrote: where its members stand by structure alone, and whether
// it is well-formed.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace pcw {

/// A value nested deeper is not well-formed here: jq 1.6 reads 256 levels, and a line of bronze
/// adds some.
inline constexpr int kDeepestJson = 200;

/// Why `text` is not one well-formed JSON value in UTF-8 (RFC 8259; at most kDeepestJson deep;
/// numbers of any size); empty if it is. A short phrase in ASCII with the byte: "a lone surrogate
/// at byte 17". Never holds a piece of the text. Pure; no recursion.
std::string WhyMalformed(std::string_view text);

/// Whether the well-formed JSON object `text` (as WhyMalformed has it) has that member; nullopt
/// when this cannot be said quickly: the text is another value, is malformed, has more than 1 MiB,
/// or holds a number that only an exact reader takes. Faster than RawMembers.
/// Thread-safe.
std::optional<bool> ObjectHas(std::string_view text, std::string_view member);

/// A member of an object or an element of an array, as its bytes stand in the text.
struct RawMember {
  std::string_view name;   ///< between the quotes, escapes as they are; empty of an element
  std::string_view value;  ///< without white space around it; need not be well-formed
};

/// Walks over the members of an object, or the elements of an array, by structure alone: brackets
/// outside strings are counted, and a comma on the first level ends a value. What stands in a value
/// is not looked at, so that one value that nobody can read hides none of its neighbours. A byte
/// order mark in front is passed over. Any depth, no recursion. Not thread-safe; views into `text`.
class RawMembers {
 public:
  explicit RawMembers(std::string_view text);

  /// False at the end, and where the structure ends.
  bool Next(RawMember& out);
  /// Once Next was false: the closing bracket was reached, so nothing was cut off.
  bool is_whole() const { return is_whole_; }
  /// The text begins as an object does.
  bool is_object() const { return open_ == '{'; }
  bool is_array() const { return open_ == '['; }

 private:
  void SkipSpace();
  bool SkipString();
  std::size_t EndOfValue();

  std::string_view text_;
  std::size_t pos_ = 0;
  char open_ = '\0';
  bool is_first_ = true;
  bool is_whole_ = false;
};

}  // namespace pcw
