// A strict reader for the YAML that people write for pcw: mappings and configuration.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pcw/base/result.h"

namespace pcw::connector {

/// One node with the place it stands at, so that every later complaint can name it.
struct YamlNode {
  enum class Kind { kNull, kScalar, kSequence, kMap };
  Kind kind = Kind::kNull;
  std::string text;        ///< of a scalar
  bool is_quoted = false;  ///< a quoted scalar is a string, whatever it looks like
  int line = 1;            ///< from 1
  int column = 1;
  std::vector<YamlNode> items;  ///< of a sequence
  std::vector<std::pair<YamlNode, YamlNode>>
      members;  ///< of a map: key (a scalar) and value, in file order

  /// The value of `key`, or nullptr.
  const YamlNode* Find(std::string_view key) const;
};

/// Parses one document of at most 256 KiB. Refuses anchors, aliases, tags, merge keys, a second
/// document, duplicate and non-scalar keys, nesting over 16 and tabs as indentation. kConfig; the
/// message has one line per problem: `file:line:column what`. An empty document is kNull.
Result<YamlNode> ParseYaml(std::string_view text, std::string_view file);

}  // namespace pcw::connector
