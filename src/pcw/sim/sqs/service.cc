#include "pcw/sim/sqs/service.h"

#include <utility>
#include <variant>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "pcw/base/time.h"
#include "pcw/sim/draw.h"
#include "pcw/sim/spoil.h"

namespace pcw::sim {
namespace {

using net::server::Reply;
using net::server::Request;
using net::server::Response;

constexpr std::string_view kSqsRegion = "us-east-1";
/// A batch of the largest messages and what JSON and attributes add.
constexpr std::size_t kMostSqsBytes = 4U << 20U;

SqsResult SqsRefusal(std::string_view error, std::string message) {
  return {.document = {}, .error = std::string(error), .message = std::move(message)};
}

std::string SqsRequestId(std::uint64_t seed, std::uint64_t seq) {
  const std::uint64_t high = Mix(seed ^ 0x737173, seq);
  return fmt::format("{:08x}-{:04x}-5{:03x}-b{:03x}-{:012x}", high >> 32U, (high >> 16U) & 0xffffU,
                     high & 0xfffU, Mix(high) >> 52U, Mix(high) & 0xffffffffffffULL);
}

/// How long an empty receive is held: nothing arrives meanwhile, as far as this caller sees.
std::chrono::milliseconds WaitOf(const SqsRequest& call, const Answer& answer) {
  if (call.operation != Operation::kReceiveMessage || !answer.error.empty() ||
      answer.body.find("MessageId") != std::string::npos)
    return std::chrono::milliseconds(0);
  const auto wait = call.body.find("WaitTimeSeconds");
  if (wait == call.body.end() || !wait->is_number_integer()) return std::chrono::milliseconds(0);
  return std::chrono::seconds(wait->get<std::int64_t>());
}

}  // namespace

SqsService::SqsService(const SimOptions& options, const Clock& clock, Service& service)
    : clock_(clock),
      service_(service),
      seed_(options.seed),
      latency_(options.latency),
      verifier_(service.keys(), std::string(kSqsRegion)) {
  service.events().Connect([this](const std::string& queue, const std::string& body) {
    const std::lock_guard lock(mutex_);
    return queues_.Put(queue, body, clock_.Now());
  });
}

Answer SqsService::Execute(const Request& request, const SqsRequest& call,
                           const FaultDecision& faults, CallRecord& record, WallTime now) {
  auto verified = verifier_.Verify(request, "sqs", call.dialect, now);
  if (Answer* refused = std::get_if<Answer>(&verified)) {
    record.outcome = Outcome::kUnauthenticated;
    return std::move(*refused);
  }
  if (call.operation == Operation::kOther)
    return RenderSqs(call, SqsRefusal("InvalidAction", "The action is not valid."));
  if (faults.Find(FaultKind::kThrottle) != nullptr) {
    record.outcome = Outcome::kRefusedFault;
    return RenderSqs(call, SqsRefusal("RequestThrottled", "Rate exceeded"));
  }
  if (const FaultRule* rule = faults.Find(FaultKind::kError)) {
    record.outcome = Outcome::kFailed;
    return RenderSqs(call, SqsRefusal("InternalError", "We encountered an internal error."),
                     static_cast<int>(rule->Number("status")));
  }
  if (!call.is_readable)
    return RenderSqs(call, SqsRefusal("SerializationException", "The body cannot be read."));
  const std::string action = SqsActionOf(call.operation);
  if (faults.Find(FaultKind::kAccessDenied) != nullptr ||
      service_.account().state()->denied_actions.contains(action)) {
    return RenderSqs(call,
                     SqsRefusal("AccessDeniedException",
                                fmt::format("User: {} is not authorized to perform: {} on the "
                                            "resource because no identity-based policy allows "
                                            "the {} action",
                                            std::get<Key>(verified).arn, action, action)),
                     403);
  }
  const std::string base = fmt::format("http://{}", request.Header("Host").value_or("127.0.0.1"));
  try {
    const std::lock_guard lock(mutex_);
    return RenderSqs(call, queues_.Execute({.operation = call.operation,
                                            .request = call.body,
                                            .faults = faults,
                                            .now = now,
                                            .base_url = base}));
  } catch (const Json::exception& problem) {
    return RenderSqs(call, SqsRefusal("SerializationException", problem.what()));
  }
}

Reply SqsService::Handle(const Request& request) {
  if (request.body.size() > kMostSqsBytes)
    return Response{413, {{"Content-Type", "text/plain"}}, "the body is too large for SQS\n"};
  WallTime now = clock_.Now();
  const SqsRequest call = ReadSqsRequest(request);
  CallRecord record;
  record.arrival_us = now.time_since_epoch().count();
  record.operation = call.operation;
  const FaultDecision faults =
      service_.faults().Decide({call.operation, std::nullopt, std::string()});
  record.faults = faults.mask();
  record.seq = service_.ledger().Arrive(record, clock_.Steady());
  if (const FaultRule* rule = faults.Find(FaultKind::kSkew))
    now += std::chrono::minutes(rule->Number("minutes"));

  Answer answer = Execute(request, call, faults, record, now);
  if (record.outcome == Outcome::kPending) {
    record.outcome = answer.error.empty()                  ? Outcome::kOk
                     : answer.error == "QueueDoesNotExist" ? Outcome::kNotFound
                                                           : Outcome::kInvalid;
  }
  record.status = static_cast<std::uint16_t>(answer.status);
  service_.ledger().Finish(record);

  const std::string request_id = SqsRequestId(seed_, record.seq);
  if (const auto at = answer.body.find("@REQUEST_ID@"); at != std::string::npos)
    answer.body.replace(at, 12, request_id);
  const auto wait = WaitOf(call, answer);
  Response response{answer.status,
                    {{"x-amzn-RequestId", request_id},
                     {"Content-Type",
                      answer.dialect == Dialect::kJson ? "application/x-amz-json-1.0" : "text/xml"},
                     {"Date", FormatHttpDate(now)}},
                    std::move(answer.body)};
  for (auto& header : answer.headers) response.headers.push_back(std::move(header));
  return SpoilTransport(std::move(response), faults, latency_ + wait);
}

}  // namespace pcw::sim
