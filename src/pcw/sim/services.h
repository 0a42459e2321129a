// The simulated services: what their operations have in common and AWS's request models leave out.
#pragma once

#include <cstdint>
#include <string_view>

namespace pcw::sim {

enum class ServiceId : std::uint8_t { kPartnerCentralSelling, kPartnerCentralAccount, kSts };
inline constexpr std::size_t kServices = 3;

/// Whether calls count against the published quota of Partner Central Selling.
enum class ReadQuota : std::uint8_t { kCounted, kNone };

/// One service. How it is addressed (target prefix, signing name, signed or not) is in
/// facts/*.json.
struct ServiceSpec {
  ServiceId id;
  std::string_view name;             ///< "service" in facts/*.json
  std::string_view error_namespace;  ///< of "__type"
  std::string_view iam_prefix;       ///< an operation's permission is "<iam_prefix>:<operation>"
  std::string_view unrestricted;     ///< the operation that needs no permission; empty = none
  ReadQuota quota;
  std::string_view denial_reason;  ///< AccessDeniedException's Reason; empty = not sent
  /// ValidationException: the list's name, the member that wraps each entry (empty = none), and the
  /// entry's member that names the field.
  std::string_view violations;
  std::string_view violation_wrapper;
  std::string_view violation_field;
};

const ServiceSpec& SpecOf(ServiceId id);
/// The service of that name; nullptr if it is not simulated.
const ServiceSpec* ServiceNamed(std::string_view name);

}  // namespace pcw::sim
