// The control and oracle endpoints under /_sim: for tests and the demo, unsigned, loopback only.
#pragma once

#include <string_view>

#include "pcw/net/server/message.h"
#include "pcw/sim/partner_central/service.h"

namespace pcw::sim {

inline constexpr std::string_view kControlPrefix = "/_sim/";

/// Answers one request under /_sim. Slow ones (calls, truth) take seconds at a million records:
/// call it on a thread of its own. Thread-safe.
net::server::Response AnswerControl(Service& service, const net::server::Request& request);

}  // namespace pcw::sim
