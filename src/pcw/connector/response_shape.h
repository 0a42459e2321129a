// What AWS's published model says an answer looks like (facts/*.json), as a tree to compare answers
// with. Data of the model's day: an answer that is otherwise is news and never an error (I10).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pcw/base/result.h"
#include "pcw/connector/entity_def.h"

namespace pcw::connector {

/// One member of an answer, or the element of a list.
struct ShapeNode {
  enum class Type : std::uint8_t { kStructure, kList, kMap, kString, kNumber, kBoolean };
  Type type = Type::kString;
  bool is_sensitive = false;             ///< it or something above it, as AWS marks it
  bool is_in_list = false;               ///< there may be many of it in one record
  std::string pointer;                   ///< from the record's root, "*" for an element
  std::vector<std::string> enum_values;  ///< sorted; empty = any text
  /// Of a structure: its members. Of a list or map: one, the element.
  std::vector<std::pair<std::string, std::uint32_t>> members;
};

/// The shape of one record of one operation's answers. Immutable; thread-safe.
class ResponseShape {
 public:
  /// The answer of that operation, or what stands at `items_pointer` in it, one element. kInternal
  /// if no facts of it are compiled in (a build fault, tested for every entity).
  static Result<ResponseShape> Of(std::string_view operation, std::string_view items_pointer = {});

  const std::string& operation() const { return operation_; }
  const std::string& api_version() const { return api_version_; }  ///< "2022-07-26"
  const std::vector<ShapeNode>& nodes() const { return nodes_; }   ///< the root is the first

  /// Whether the model has what a mapping's pointer names (numbers and [Type=Lead] are elements).
  /// nullopt: it has; else what to say of it: the unknown segment and the nearest name.
  std::optional<std::string> WhyUnknown(std::string_view pointer) const;

 private:
  std::string operation_;
  std::string api_version_;
  std::vector<ShapeNode> nodes_;
};

/// The shapes that records of an entity have: of each source its list items or its details, and of
/// the companions.
Result<std::vector<ResponseShape>> ShapesOf(const EntityDef& entity);

/// API versions of the facts compiled in, "partnercentral-selling 2022-07-26", one a service.
std::vector<std::string> ShippedApiVersions();

/// "/a/*/b~1c" -> a, *, b/c. An element that is named by its number or by a member is any element:
/// numbers and [Type=Lead] become *.
std::vector<std::string> PointerSegments(std::string_view pointer);

}  // namespace pcw::connector
