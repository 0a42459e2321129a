#include "pcw/sim/services.h"

#include <algorithm>
#include <array>

namespace pcw::sim {
namespace {

constexpr std::array<ServiceSpec, kServices> kServiceSpecs{{
    {.id = ServiceId::kPartnerCentralSelling,
     .name = "partnercentral-selling",
     .error_namespace = "com.amazonaws.partnercentralselling",
     .iam_prefix = "partnercentral",
     .unrestricted = "",
     .quota = ReadQuota::kCounted,
     .denial_reason = "",
     .violations = "ErrorList",
     .violation_wrapper = "",
     .violation_field = "FieldName"},
    {.id = ServiceId::kPartnerCentralAccount,
     .name = "partnercentral-account",
     .error_namespace = "com.amazonaws.partnercentralaccount",
     .iam_prefix = "partnercentral",
     .unrestricted = "",
     .quota = ReadQuota::kNone,
     .denial_reason = "ACCESS_DENIED",
     .violations = "ErrorDetails",
     .violation_wrapper = "FieldValidationError",
     .violation_field = "Name"},
    // STS answers errors in XML; the rest is for faults, which know JSON only.
    {.id = ServiceId::kSts,
     .name = "sts",
     .error_namespace = "com.amazonaws.sts",
     .iam_prefix = "sts",
     .unrestricted = "GetCallerIdentity",
     .quota = ReadQuota::kNone,
     .denial_reason = "",
     .violations = "",
     .violation_wrapper = "",
     .violation_field = ""},
}};

}  // namespace

const ServiceSpec& SpecOf(ServiceId id) { return kServiceSpecs[static_cast<std::size_t>(id)]; }

const ServiceSpec* ServiceNamed(std::string_view name) {
  const auto* found = std::find_if(kServiceSpecs.begin(), kServiceSpecs.end(),
                                   [&](const ServiceSpec& spec) { return spec.name == name; });
  return found == kServiceSpecs.end() ? nullptr : found;
}

}  // namespace pcw::sim
