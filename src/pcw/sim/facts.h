// AWS's request models as data (facts/*.json), and the generic check of a request against them.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <regex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "pcw/base/json.h"
#include "pcw/base/result.h"
#include "pcw/sim/answer.h"

namespace pcw::sim {

/// One shape of a request: its type and constraints, nested shapes included.
struct Shape {
  enum class Type : std::uint8_t { kStructure, kList, kString, kInteger, kBoolean, kTimestamp };

  Type type = Type::kString;
  std::set<std::string> required;
  std::map<std::string, Shape> members;
  std::shared_ptr<const Shape> element;
  std::optional<std::int64_t> min;
  std::optional<std::int64_t> max;
  std::shared_ptr<const std::regex> pattern;
  std::set<std::string> choices;
};

struct OperationFacts {
  std::string service;
  std::string name;
  std::string target;  ///< X-Amz-Target; empty for the query protocol
  Shape request;
};

/// What the check of a request found.
struct Findings {
  std::optional<std::string> wrong_type;  ///< SerializationException; nothing else was looked at
  std::vector<FieldError> violations;
  std::uint64_t unknown_members = 0;  ///< ignored by AWS; counted, because they mean a misspelling
};

/// All operations' facts. Immutable, thread-safe.
class Facts {
 public:
  /// Reads the embedded files. kInternal names the file and member that cannot be used.
  static Result<Facts> Load();

  const OperationFacts* Find(Operation operation) const;

 private:
  std::map<Operation, OperationFacts> operations_;
};

/// Checks `request` as AWS's front end does. Null counts as absent.
Findings CheckRequest(const Shape& shape, const Json& request);

}  // namespace pcw::sim
