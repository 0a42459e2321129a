// Where a value stands in a record: a JSON pointer whose segments may choose an element of an
// array.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace simdjson::dom {
class element;
}

namespace pcw::connector {

/// A JSON pointer (RFC 6901) with one addition: a segment in brackets chooses an element of an
/// array by members that are texts. AWS promises no order of its lists, so a number says little.
///
///   /Contexts/[Type=Lead]/Payload               the first element whose Type is Lead
///   /Spend/[Company=AWS | Company!=Self & Frequency!=None]/Amount
///
/// "|" separates alternatives: the first that any element fits decides, "&" what an element must
/// meet at once. `Member!=text` holds for an element without that member too. A text cannot hold
/// "/", "|", "&" or "]". Immutable.
class ValuePath {
 public:
  /// nullopt if the text is not such a pointer.
  static std::optional<ValuePath> Parse(std::string_view text);

  /// The value in `document`; false if there is none there.
  bool Find(const simdjson::dom::element& document, simdjson::dom::element& value) const;

  /// Find in two halves, for many paths of one document: the plain pointer of the object or array
  /// that the path's first member stands in ("" = the document), and the rest of the way from
  /// there.
  std::string_view parent() const { return parent_; }
  bool FindBelow(const simdjson::dom::element& parent, simdjson::dom::element& value) const;

  /// The plain JSON pointer of what Find finds in `document`: chosen elements by their number.
  std::string PlainPointer(const simdjson::dom::element& document) const;

 private:
  struct Condition {
    std::string member;
    std::string text;
    bool is_negated = false;
  };
  using Alternative = std::vector<Condition>;
  struct Step {
    std::string pointer;                    ///< from where the step before ended; may be empty
    std::vector<Alternative> alternatives;  ///< then the element to choose; empty = none
  };
  static std::optional<std::vector<Alternative>> ParseSelector(std::string_view segment);
  static bool Fits(const simdjson::dom::element& item, const Alternative& alternative);
  static std::optional<std::size_t> Choose(const simdjson::dom::element& list, const Step& step,
                                           simdjson::dom::element& chosen);
  bool Walk(const simdjson::dom::element& document, simdjson::dom::element& value,
            std::string* plain) const;
  bool WalkFrom(std::size_t step, const simdjson::dom::element& document,
                simdjson::dom::element& value, std::string* plain) const;

  std::vector<Step> steps_;
  std::string parent_, member_;  ///< the pointer of the first step, cut before its last segment
};

}  // namespace pcw::connector
