// Where a service is reached: an override, else AWS's rule (docs/aws-facts.md 1, 24).
#pragma once

#include <optional>
#include <string>

#include "pcw/aws/operation.h"
#include "pcw/aws/profile.h"
#include "pcw/base/result.h"

namespace pcw::aws {

struct Endpoint {
  std::string url;     ///< base URL without trailing slash
  std::string origin;  ///< "AWS_ENDPOINT_URL_STS", "profile default: endpoint_url", "AWS's rule":
                       ///< for people
  std::string region;  ///< what calls are signed for: the only region of a service that has one
};

/// Order: AWS_ENDPOINT_URL_<SERVICE>, AWS_ENDPOINT_URL, the profile's services section, the
/// profile's endpoint_url, AWS's rule; ignore_configured_endpoint_urls of environment or profile
/// leaves only the rule. The rule follows use_fips_endpoint and use_dualstack_endpoint (s3 also its
/// own s3.use_dualstack_endpoint). A service of one region is reached and signed for there,
/// whatever `region` says: a platform sets AWS_REGION to where it runs. kConfig for an override
/// that is not https (http only to loopback, I32) or has a path or query; its text is not repeated
/// (I29).
Result<Endpoint> ResolveEndpoint(const ServiceDef& service, const std::string& region,
                                 const Environment& environment, const ProfileFiles& files,
                                 const std::string& profile);

/// A setting of AWS's tools for that profile: the variable if it is set, else the profile's key.
std::optional<std::string> AwsSetting(const Environment& environment, const ProfileFiles& files,
                                      const std::string& profile, const char* variable,
                                      const char* key);

}  // namespace pcw::aws
