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
#include "pcw/sim/services.h"

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
  Operation operation = Operation::kOther;
  ServiceId service = ServiceId::kPartnerCentralSelling;
  std::string name;
  std::string target;        ///< X-Amz-Target; empty for the query protocol
  std::string signing_name;  ///< the service in a signature's scope
  std::string action;        ///< the permission it needs; empty = none
  bool is_signed = true;     ///< false: AWS looks at no signature
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
  /// Reads the embedded files. kInternal names the file and what cannot be used.
  static Result<Facts> Load();

  const OperationFacts* Find(Operation operation) const;
  /// By "Prefix.Operation" as in X-Amz-Target; nullptr if none is called so.
  const OperationFacts* FindTarget(std::string_view target) const;
  /// Every permission that some operation needs.
  std::vector<std::string> Actions() const;

 private:
  std::map<Operation, OperationFacts> operations_;
};

/// Checks `request` as AWS's front end does. Null counts as absent.
Findings CheckRequest(const Shape& shape, const Json& request);

}  // namespace pcw::sim
