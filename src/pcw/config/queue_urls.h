// Whether the addresses of queues and buses in a configuration are AWS's own.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace pcw::config {

/// What is wrong with the URL of an SQS queue, after "expected"-less words for a complaint; empty
/// if nothing is. Another host than SQS's is right only where an endpoint for SQS is configured:
/// what is signed for a queue goes to nobody else.
std::string QueueUrlProblem(std::string_view url,
                            const std::map<std::string, std::string>& environment,
                            std::string_view profile);

/// The same for the name or ARN of an EventBridge bus.
std::string BusProblem(std::string_view bus);

/// The same for a webhook: an endpoint of EventBridge takes no webhooks.
std::string WebhookProblem(std::string_view url);

}  // namespace pcw::config
