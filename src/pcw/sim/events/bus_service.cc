#include "pcw/sim/events/bus_service.h"

#include <algorithm>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "pcw/base/time.h"
#include "pcw/sim/draw.h"
#include "pcw/sim/keys.h"
#include "pcw/sim/spoil.h"

namespace pcw::sim {
namespace {

using net::server::Reply;
using net::server::Request;
using net::server::Response;

constexpr std::string_view kBusTarget = "AWSEvents.";
constexpr std::string_view kBusRegion = "us-east-1";
constexpr std::size_t kMostBusEntries = 10;
constexpr std::size_t kMostBusBytes = 256U << 10U;
constexpr std::size_t kMostRemembered = 100'000;

Answer BusError(std::string_view name, std::string_view message, int status = 400) {
  Answer answer;
  answer.status = status;
  answer.error = name;
  answer.body = DumpJson(OrderedJson{{"__type", name}, {"message", message}});
  return answer;
}

std::string BusIdOf(std::uint64_t seed, std::uint64_t number) {
  const std::uint64_t high = Mix(seed ^ 0x627573, number);
  const std::uint64_t low = Mix(high);
  return fmt::format("{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}", high >> 32U, (high >> 16U) & 0xffffU,
                     high & 0xfffU, low >> 52U, low & 0xffffffffffffULL);
}

std::string TextMember(const Json& entry, const char* name) {
  const auto found = entry.find(name);
  return found != entry.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// As AWS counts: 14 bytes for a time, the texts in UTF-8, resources too.
std::size_t SizeOfEntry(const Json& entry) {
  std::size_t size = entry.contains("Time") ? 14 : 0;
  for (const char* member : {"Source", "DetailType", "Detail"})
    size += TextMember(entry, member).size();
  for (const Json& resource : entry.value("Resources", Json::array()))
    size += resource.get<std::string>().size();
  return size;
}

// "default", or an ARN that ends in the name.
std::string BusNameOf(const Json& entry) {
  const std::string bus = TextMember(entry, "EventBusName");
  if (bus.empty()) return "default";
  return bus.substr(bus.rfind('/') + 1);
}

bool IsComplete(const Json& entry) {
  return entry.is_object() && !TextMember(entry, "Source").empty() &&
         !TextMember(entry, "DetailType").empty() && !TextMember(entry, "Detail").empty();
}

OrderedJson EntryError(std::string_view code, std::string_view message) {
  return OrderedJson{{"ErrorCode", code}, {"ErrorMessage", message}};
}

// Why the request as a whole is none; empty = it is one.
std::string FormProblem(const Json& body) {
  const auto entries = body.find("Entries");
  if (entries == body.end() || !entries->is_array() || entries->empty() ||
      entries->size() > kMostBusEntries) {
    return "1 validation error detected: Value at 'entries' failed to satisfy constraint: Member "
           "must have length greater than or equal to 1 and less than or equal to 10";
  }
  for (const auto& [member, value] : body.items()) {
    if (member != "Entries" && member != "EndpointId")
      return fmt::format("unknown member {}", member);
  }
  static const std::set<std::string> kKnown{"Time",   "Source",       "Resources",  "DetailType",
                                            "Detail", "EventBusName", "TraceHeader"};
  for (const Json& entry : *entries) {
    if (!entry.is_object()) return "an entry is not an object";
    for (const auto& [member, value] : entry.items()) {
      if (!kKnown.contains(member)) return fmt::format("unknown member {} of an entry", member);
    }
    // Times of this service are numbers (docs/aws-facts.md 3); decimals reach us as their text.
    if (entry.contains("Time") && !entry["Time"].is_number() && !entry["Time"].is_string())
      return "Time is not a number";
  }
  if (std::none_of(entries->begin(), entries->end(), IsComplete))
    return "No entry has Source, DetailType and Detail.";
  std::size_t bytes = 0;
  for (const Json& entry : *entries) bytes += SizeOfEntry(entry);
  if (bytes >= kMostBusBytes) return "Total size of the entries in the request is over the limit.";
  return {};
}

}  // namespace

bool IsEventBridge(const Request& request) {
  return request.method == "POST" &&
         request.Header("X-Amz-Target").value_or("").starts_with(kBusTarget);
}

bool IsBusControl(std::string_view target) { return target == "/_sim/bus"; }

std::vector<std::string> BusActions() { return {"events:PutEvents"}; }

BusService::BusService(const SimOptions& options, const Clock& clock, Service& service)
    : clock_(clock),
      service_(service),
      seed_(options.seed),
      latency_(options.latency),
      verifier_(service.keys(), std::string(kBusRegion)) {}

// The answer to one entry; what is accepted is remembered. With the lock held.
OrderedJson BusService::TakeEntry(const Json& entry, WallTime now) {
  if (!IsComplete(entry))
    return EntryError("InvalidArgument", "Source, DetailType and Detail are required.");
  if (TextMember(entry, "DetailType").size() > 128)
    return EntryError("InvalidArgument", "DetailType is longer than 128 characters.");
  if (TextMember(entry, "Source").starts_with("aws."))
    return EntryError("NotAuthorizedForSourceException", "Not authorized for the source.");
  const Result<Json> detail = ParseJson(TextMember(entry, "Detail"));
  if (!detail || !detail->is_object()) return EntryError("MalformedDetail", "Detail is malformed.");
  const std::string id = BusIdOf(seed_, number_++);
  accepted_.push_back(DumpJson(OrderedJson{{"id", id},
                                           {"bus", BusNameOf(entry)},
                                           {"source", TextMember(entry, "Source")},
                                           {"detail-type", TextMember(entry, "DetailType")},
                                           {"account", kAccount},
                                           {"received", FormatRfc3339(now)},
                                           {"detail", *detail}}));
  if (accepted_.size() > kMostRemembered) accepted_.pop_front();
  return OrderedJson{{"EventId", id}};
}

Answer BusService::Put(const Json& body, const FaultDecision& faults, WallTime now) {
  if (std::string problem = FormProblem(body); !problem.empty())
    return BusError("ValidationException", problem);
  const std::lock_guard lock(mutex_);
  for (const Json& entry : body["Entries"]) {
    if (!buses_.contains(BusNameOf(entry))) {
      return BusError("ResourceNotFoundException",
                      fmt::format("Event bus {} does not exist.", BusNameOf(entry)));
    }
  }
  const FaultRule* failure = faults.Find(FaultKind::kBusEntryFailure);
  std::int64_t spoilt = failure != nullptr ? failure->Number("n") : 0;
  OrderedJson outcomes = OrderedJson::array();
  int failed = 0;
  for (const Json& entry : body["Entries"]) {
    OrderedJson outcome = spoilt-- > 0 ? EntryError(failure->Word("code"), "It was not taken.")
                                       : TakeEntry(entry, now);
    failed += outcome.contains("ErrorCode") ? 1 : 0;
    outcomes.push_back(std::move(outcome));
  }
  Answer answer;
  answer.body =
      DumpJson(OrderedJson{{"FailedEntryCount", failed}, {"Entries", std::move(outcomes)}});
  return answer;
}

Answer BusService::Execute(const Request& request, const FaultDecision& faults, CallRecord& record,
                           WallTime now) {
  if (record.operation == Operation::kOther ||
      !request.Header("Content-Type").value_or("").starts_with("application/x-amz-json-1.1"))
    return BusError("UnknownOperationException", "The operation is not known.");
  auto verified = verifier_.Verify(request, "events", Dialect::kJson, now);
  if (Answer* refused = std::get_if<Answer>(&verified)) {
    record.outcome = Outcome::kUnauthenticated;
    return std::move(*refused);
  }
  if (faults.Find(FaultKind::kThrottle) != nullptr) {
    record.outcome = Outcome::kRefusedFault;
    return BusError("ThrottlingException", "Rate exceeded");
  }
  if (const FaultRule* rule = faults.Find(FaultKind::kError)) {
    record.outcome = Outcome::kFailed;
    return BusError("InternalException", "This exception occurs due to unexpected causes.",
                    static_cast<int>(rule->Number("status")));
  }
  const Result<Json> body = ParseJson(request.body);
  if (!body || !body->is_object())
    return BusError("SerializationException", "The body cannot be read.");
  if (faults.Find(FaultKind::kAccessDenied) != nullptr ||
      service_.account().state()->denied_actions.contains(BusActions().front())) {
    return BusError("AccessDeniedException",
                    fmt::format("User: {} is not authorized to perform: events:PutEvents because "
                                "no identity-based policy allows the events:PutEvents action",
                                std::get<Key>(verified).arn));
  }
  return Put(*body, faults, now);
}

Reply BusService::Handle(const Request& request) {
  WallTime now = clock_.Now();
  CallRecord record;
  record.arrival_us = now.time_since_epoch().count();
  record.operation =
      OperationNamed(request.Header("X-Amz-Target").value_or("").substr(kBusTarget.size()));
  if (record.operation != Operation::kPutEvents) record.operation = Operation::kOther;
  const FaultDecision faults =
      service_.faults().Decide({record.operation, std::nullopt, std::string()});
  record.faults = faults.mask();
  record.seq = service_.ledger().Arrive(record, clock_.Steady());
  if (const FaultRule* rule = faults.Find(FaultKind::kSkew))
    now += std::chrono::minutes(rule->Number("minutes"));
  Answer answer = Execute(request, faults, record, now);
  if (record.outcome == Outcome::kPending)
    record.outcome = answer.error.empty() ? Outcome::kOk : Outcome::kInvalid;
  record.status = static_cast<std::uint16_t>(answer.status);
  service_.ledger().Finish(record);
  Response response{answer.status,
                    {{"x-amzn-RequestId", BusIdOf(seed_ ^ 0x72657175, record.seq)},
                     {"Content-Type", "application/x-amz-json-1.1"},
                     {"Date", FormatHttpDate(now)}},
                    std::move(answer.body)};
  for (auto& header : answer.headers) response.headers.push_back(std::move(header));
  return SpoilTransport(std::move(response), faults, latency_);
}

Response BusService::Control(const Request& request) {
  if (request.Header("Origin"))
    return {403, {{"Content-Type", "application/json"}}, R"({"error":"not for browsers"})"};
  const std::lock_guard lock(mutex_);
  if (request.method == "POST") {
    const Result<Json> body = ParseJson(request.body);
    const bool is_good = body && body->is_object() && body->size() == 1 &&
                         body->contains("buses") && (*body)["buses"].is_array();
    if (!is_good) {
      return {400,
              {{"Content-Type", "application/json"}},
              R"({"error":"expected {\"buses\": [...]}"})"};
    }
    buses_ = {"default"};
    for (const Json& bus : (*body)["buses"]) {
      if (bus.is_string()) buses_.insert(bus.get<std::string>());
    }
    accepted_.clear();
    return {200, {{"Content-Type", "application/json"}}, DumpJson(OrderedJson{{"buses", buses_}})};
  }
  std::string lines;
  for (const std::string& line : accepted_) lines += line + "\n";
  return {200, {{"Content-Type", "application/x-ndjson"}}, std::move(lines)};
}

}  // namespace pcw::sim
