// The names that SQS's queues have, and the region in each.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace pcw::aws {

/// The region that a host of SQS serves; nullopt for any other host, whoever owns its domain: not
/// every name below amazonaws.com is AWS's service (a bucket, a load balancer, an API are their
/// customers'), and what is signed for a queue must not go there. In any case.
///
/// Known are sqs.<region>.amazonaws.com, <region>.queue.amazonaws.com, queue.amazonaws.com, each
/// also in China (.com.cn), sqs-fips.<region>.amazonaws.com, sqs[-fips].<region>.api.aws, and the
/// names of VPC endpoints, <id>.sqs[-fips].<region>.vpce.amazonaws.com. Source: AWS General
/// Reference, "Amazon SQS endpoints and quotas"; SQS Developer Guide, "VPC endpoint".
std::optional<std::string> RegionOfQueueHost(std::string_view host);

}  // namespace pcw::aws
