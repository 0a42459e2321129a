// The small XML answers of S3 and STS as a tree. Strict, bounded, no document types.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pcw/base/result.h"

namespace pcw::aws {

/// One element. Attributes, comments and processing instructions are not kept: AWS says nothing in
/// them.
struct XmlElement {
  std::string name;  ///< as written, without its namespace's URL
  std::string text;  ///< decoded character data directly in it
  std::vector<XmlElement> children;

  /// The first child of that name; nullptr if there is none.
  const XmlElement* Child(std::string_view child) const;
  /// The text of the first child of that name; empty if there is none.
  const std::string& TextOf(std::string_view child) const;
};

/// What a document may not exceed (I12).
struct XmlLimits {
  std::size_t max_bytes = 8U << 20U;
  std::size_t max_depth = 16;
  std::size_t max_elements = 200'000;
};

/// Parses one whole document. kUnavailable with context `net`=malformed for what is not well
/// formed, cut, larger than allowed, or has a document type (entities that expand without end come
/// in one). Thread-safe.
Result<XmlElement> ParseXml(std::string_view xml, const XmlLimits& limits = {});

/// The text of the first element of that name anywhere in a document, in its order; nullopt if
/// there is none, it holds elements, or the document is malformed.
std::optional<std::string> XmlText(std::string_view xml, std::string_view name);

}  // namespace pcw::aws
