// Where events go: an HTTPS webhook, or an event bus.
#pragma once

#include <memory>
#include <string>

#include "pcw/aws/caller.h"
#include "pcw/base/clock.h"
#include "pcw/base/secret.h"
#include "pcw/events/outbox.h"
#include "pcw/net/http.h"

namespace pcw::events {

/// A webhook that takes CloudEvents in structured mode, one a request. 2xx is delivery, whatever
/// the body. 429 and 503 with Retry-After rest the target for that long (at most an hour), 410 Gone
/// for an hour; anything else is tried again. Redirects are not followed.
struct WebhookOptions {
  std::string url;
  Secret secret;  ///< of the signature; empty = requests are not signed
};

/// The value of X-Pcw-Signature: "t=SECONDS,v1=HEX", HMAC-SHA-256 of "SECONDS.BODY" under the
/// secret. A receiver checks it, and that the time is recent.
std::string WebhookSignature(const Secret& secret, WallTime now, std::string_view body);

class WebhookTarget final : public EventTarget {
 public:
  /// All outlive it.
  WebhookTarget(WebhookOptions options, net::HttpClient& http, Clock& clock)
      : options_(std::move(options)), http_(http), clock_(clock) {}

  std::size_t most_events() const override { return 1; }
  std::chrono::seconds lease() const override;
  SendReport Send(std::span<const OutgoingEvent> events, std::stop_token stop) override;

 private:
  const WebhookOptions options_;
  net::HttpClient& http_;
  Clock& clock_;
};

/// An event bus, by name or ARN, through PutEvents: ten events a call. An entry that fails with
/// InternalFailure or ThrottlingException is tried again; any other code is final.
class BusTarget final : public EventTarget {
 public:
  BusTarget(std::string bus, aws::Caller& caller) : bus_(std::move(bus)), caller_(caller) {}

  std::size_t most_events() const override;
  std::chrono::seconds lease() const override;
  SendReport Send(std::span<const OutgoingEvent> events, std::stop_token stop) override;

 private:
  const std::string bus_;
  aws::Caller& caller_;
};

/// The source that buses see; the event itself, with its own, is the detail.
inline constexpr std::string_view kBusSource = "pcw.partner-central";

}  // namespace pcw::events
