// Where a service is reached: an override, else AWS's rule (FACTS 2, 18).
#pragma once

#include <string>

#include "pcw/aws/operation.h"
#include "pcw/aws/profile.h"
#include "pcw/base/result.h"

namespace pcw::aws {

struct Endpoint {
  std::string url;     ///< base URL without trailing slash
  std::string origin;  ///< "AWS_ENDPOINT_URL_STS", "profile default: endpoint_url", "AWS's rule":
                       ///< for people
};

/// Order: AWS_ENDPOINT_URL_<SERVICE>, AWS_ENDPOINT_URL, the profile's services section, the
/// profile's endpoint_url, AWS's rule; AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true leaves only the
/// rule. kConfig for an override that is not https (http only to loopback, I32), carries a query,
/// or for a region the service is not offered in.
Result<Endpoint> ResolveEndpoint(const ServiceDef& service, const std::string& region,
                                 const Environment& environment, const ProfileFiles& files,
                                 const std::string& profile);

}  // namespace pcw::aws
