// Turning a correct answer into a bad one: what fault rules ask for, done to bytes.
#pragma once

#include <chrono>
#include <string>

#include "pcw/base/clock.h"
#include "pcw/net/server/message.h"
#include "pcw/sim/facts.h"
#include "pcw/sim/faults.h"

namespace pcw::sim {

/// The body becomes the HTML page of a proxy in front of AWS; the status stays.
void BecomeHtml(net::server::Response& response);

/// Applies bad_record, unknown_member and unknown_enum to the body of one record. `item` is its
/// place in a list page, from 1; 0 = an answer of its own.
void SpoilRecord(std::string& body, const FaultDecision& faults, std::size_t item = 0);

/// The NextToken of a page as `odd_token` wants it, JSON text; `token` as it is without that fault.
std::string TokenJson(std::string_view token, const FaultDecision& faults);

/// Leaves out the Date header, or shifts it, if `skew` is of that alone. Such an answer must not be
/// given one by the server: SpoilTransport renders it.
void SpoilDate(net::server::Response& response, WallTime now, const FaultDecision& faults);

/// Replaces an answer of that operation by what `error` or `malformed` ask for, if they fired.
void SpoilResponse(net::server::Response& response, const OperationFacts& facts,
                   const FaultDecision& faults);

/// The reply as it goes out: an ordinary one, or one that is held, cut, dripped, reset or stalled.
/// Without body (HEAD), Content-Length is that of the body which is not sent.
net::server::Reply SpoilTransport(net::server::Response response, const FaultDecision& faults,
                                  std::chrono::milliseconds latency,
                                  net::server::WithBody with_body = net::server::WithBody::kYes);

}  // namespace pcw::sim
