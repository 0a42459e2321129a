// The queue of dead letters of a configuration.
#include "pcw/app/wiring.h"
#include "pcw/aws/endpoint.h"

namespace pcw::app {

Result<std::unique_ptr<DlqQueue>> DlqQueue::Open(
    const Config& config, const std::map<std::string, std::string>& environment, Machine& machine) {
  std::unique_ptr<DlqQueue> dlq(new DlqQueue());
  PCW_TRY(dlq->identity_, OpenIdentity(config, environment, machine));
  AwsIdentity& identity = *dlq->identity_;
  PCW_TRY(const aws::Endpoint endpoint,
          aws::ResolveEndpoint(aws::sqs::kService, identity.region, environment, identity.profiles,
                               identity.profile));
  PCW_TRY(const aws::sqs::QueueAddress address,
          aws::sqs::AddressQueue(config.dlq.url, endpoint, endpoint.origin != "AWS's rule",
                                 identity.region));
  dlq->caller_ = std::make_unique<aws::Caller>(
      aws::sqs::kService,
      aws::CallerDeps{*identity.http, *identity.credentials, dlq->gate_, machine.clock,
                      machine.sleeper, machine.rng},
      aws::CallerOptions{.region = address.region,
                         .endpoint = address.endpoint,
                         .user_agent = kUserAgent,
                         .retry = {},
                         .limits = {},
                         .payloads = &machine.payloads});
  dlq->queue_ = std::make_unique<aws::sqs::Queue>(*dlq->caller_, config.dlq.url);
  return dlq;
}

}  // namespace pcw::app
