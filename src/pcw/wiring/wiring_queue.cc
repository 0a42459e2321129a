// SQS queues of a configuration: of dead letters, of events.
#include "pcw/aws/endpoint.h"
#include "pcw/wiring/wiring.h"

namespace pcw::wiring {
namespace {

// SQS holds a receive that finds nothing for up to 20 s; everything else answers at once.
constexpr std::chrono::seconds kFirstByte{30};

}  // namespace

Result<std::unique_ptr<QueueAccess>> QueueAccess::Open(
    const std::string& url, const config::Config& config,
    const std::map<std::string, std::string>& environment, Machine& machine) {
  std::unique_ptr<QueueAccess> access(new QueueAccess());
  PCW_TRY(access->identity_, OpenIdentity(config, environment, machine));
  AwsIdentity& identity = *access->identity_;
  PCW_TRY(const aws::Endpoint endpoint,
          aws::ResolveEndpoint(aws::sqs::kService, identity.region, environment, identity.profiles,
                               identity.profile));
  PCW_TRY(const aws::sqs::QueueAddress address,
          aws::sqs::AddressQueue(url, endpoint, endpoint.origin != "AWS's rule", identity.region));
  net::HttpLimits limits;
  limits.first_byte = kFirstByte;
  access->caller_ = std::make_unique<aws::Caller>(
      aws::sqs::kService,
      aws::CallerDeps{*identity.http, *identity.credentials, access->gate_, machine.clock,
                      machine.sleeper, machine.rng},
      aws::CallerOptions{.region = address.region,
                         .endpoint = address.endpoint,
                         .user_agent = kUserAgent,
                         .retry = {},
                         .limits = limits,
                         .payloads = &machine.payloads});
  access->queue_ = std::make_unique<aws::sqs::Queue>(*access->caller_, url);
  return access;
}

}  // namespace pcw::wiring
