// A strict reader for the YAML that people write for pcw: mappings and configuration.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "pcw/base/result.h"

namespace pcw::connector {

struct YamlMember;

/// One node with the location it stands at, so that every later complaint can name it.
struct YamlNode {
  enum class Kind { kNull, kScalar, kSequence, kMap };
  Kind kind = Kind::kNull;
  std::string text;        ///< of a scalar
  bool is_quoted = false;  ///< a quoted scalar is a string, whatever it looks like
  int line = 1;            ///< from 1
  int column = 1;
  std::vector<YamlNode> items;      ///< of a sequence
  std::vector<YamlMember> members;  ///< of a map, in file order

  /// The value of `key`, or nullptr.
  const YamlNode* Find(std::string_view key) const;
};

/// One entry of a map. Not a std::pair: that one cannot be made while YamlNode is incomplete.
struct YamlMember {
  YamlNode first;   ///< the key, a scalar
  YamlNode second;  ///< the value
};

/// What is wrong with a document, and where.
struct YamlProblem {
  int line = 1;
  int column = 1;
  std::string text;  ///< `file:line:column what`
};

/// A document that could be read. It may be used only if it has no problems; it is given all the
/// same, so that a reader can name its own complaints in the same breath.
struct YamlDocument {
  YamlNode root;                      ///< kNull if the document is empty
  std::vector<YamlProblem> problems;  ///< anchors, aliases, tags, merge keys, duplicate or
                                      ///< non-scalar keys, a second document
};

/// Parses one document of at most 256 KiB. kConfig, with `file:line:column` in its message, if it
/// is not YAML, nested deeper than 16 or indented with tabs.
Result<YamlDocument> ParseYaml(std::string_view text, std::string_view file);

}  // namespace pcw::connector
