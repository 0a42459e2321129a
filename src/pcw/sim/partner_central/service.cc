#include "pcw/sim/partner_central/service.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <optional>
#include <utility>
#include <variant>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "pcw/base/time.h"
#include "pcw/sim/draw.h"
#include "pcw/sim/spoil.h"

namespace pcw::sim {
namespace {

// "arn:aws:sts::123456789012:assumed-role/Reader/session" is Reader's, ".../user/ann" is ann's.
std::string NameInArn(std::string_view arn) {
  arn.remove_prefix(std::min(arn.size(), arn.find('/')));
  if (arn.empty()) return "";
  return std::string(arn.substr(1, arn.find('/', 1) - 1));
}

using net::server::Reply;
using net::server::Request;
using net::server::Response;

constexpr std::string_view kRegion = "us-east-1";
constexpr std::uint64_t kAwsFirstId = 1'000'000'000;
constexpr std::uint64_t kSandboxFirstId = 5'000'000'000;
constexpr std::uint64_t kSandboxLeads = 3;
constexpr std::uint64_t kSandboxSolutions = 2;
constexpr std::uint64_t kSandboxProfiles = 1;
constexpr std::uint64_t kMaxHeld = 100'000;  // of the entities that are held in memory

DatasetOptions DatasetOf(const SimOptions& options, Catalog catalog, WallTime now) {
  const auto midnight = std::chrono::floor<std::chrono::days>(now);
  const bool aws = catalog == Catalog::kAws;
  return {.seed = aws ? options.seed : Mix(options.seed, 0x73616e64),
          .count = aws ? options.opportunities : options.sandbox_opportunities,
          .first_id = aws ? kAwsFirstId : kSandboxFirstId,
          .epoch = options.epoch.value_or(midnight - std::chrono::hours(12)),
          .granularity = options.granularity,
          .ties = options.ties};
}

ContentOptions ContentOf(const SimOptions& options, Catalog catalog, WallTime now) {
  const bool aws = catalog == Catalog::kAws;
  return {.opportunities = DatasetOf(options, catalog, now),
          .seed = options.seed,
          .leads = aws ? options.leads : kSandboxLeads,
          .solutions = aws ? options.solutions : kSandboxSolutions,
          .profiles = aws ? options.profiles : kSandboxProfiles};
}

std::optional<Catalog> CatalogNamed(const std::string& name) {
  if (name == "AWS") return Catalog::kAws;
  if (name == "Sandbox") return Catalog::kSandbox;
  return std::nullopt;
}

/// The text member of a body whose form was not checked yet.
std::string LooseText(const Json& body, const char* name) {
  if (!body.is_object()) return {};
  const auto found = body.find(name);
  return found != body.end() && found->is_string() ? found->get<std::string>() : std::string();
}

/// The one record that a call asks for; empty if it asks for none.
std::string IdentifierOf(const Json& body) {
  std::string identifier = LooseText(body, "Identifier");
  return identifier.empty() ? LooseText(body, "RelatedOpportunityIdentifier") : identifier;
}

std::uint64_t DigitsOf(std::string_view id) {
  std::uint64_t digits = 0;
  if (id.size() > 1) std::from_chars(id.data() + 1, id.data() + id.size(), digits);
  return digits;
}

/// Books which record is asked for: an opportunity by its digits, others by their text.
void BookIdentifier(std::string_view identifier, CallRecord& record) {
  record.identifier = DigitsOf(identifier);
  if (record.identifier != 0 || identifier.empty()) return;
  const std::string_view name = identifier.substr(identifier.rfind('/') + 1);
  std::copy_n(name.begin(), std::min(name.size(), record.name.size()), record.name.begin());
}

/// Books the page size of a list call whose form was checked.
void BookPageSize(const Json& body, CallRecord& record) {
  const auto size = body.find("MaxResults");
  if (size != body.end() && size->is_number_integer()) {
    record.max_results = size->get<std::uint16_t>();
  }
}

Outcome OutcomeOf(const Answer& answer) {
  if (answer.status < 400) return Outcome::kOk;
  if (answer.error == "ResourceNotFoundException") return Outcome::kNotFound;
  // Of a web identity; what a signature was refused for is booked where it is checked.
  if (answer.error == "ExpiredTokenException" || answer.error == "InvalidIdentityToken") {
    return Outcome::kUnauthenticated;
  }
  return answer.status >= 500 ? Outcome::kFailed : Outcome::kInvalid;
}

std::string RequestId(std::uint64_t seed, std::uint64_t seq) {
  const std::uint64_t high = Mix(seed ^ 0x726571, seq);
  const std::uint64_t low = Mix(high);
  return fmt::format("{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}", high >> 32U, (high >> 16U) & 0xffffU,
                     high & 0xfffU, low >> 52U, low & 0xffffffffffffULL);
}

bool IsJsonType(std::string_view type) {
  return type == "application/x-amz-json-1.0" || type.starts_with("application/x-amz-json-1.0;");
}

}  // namespace

/// One call on its way through.
struct Service::Call {
  CallRecord record;
  Dialect dialect = Dialect::kJson;
  std::optional<Answer> unusable;  ///< the request names no operation that could be executed
  Json body;
  bool body_is_json = true;
  FormFields form;
  FaultDecision faults;
  WallTime now{};  ///< the service's time, skewed if a rule says so
  SteadyTime steady{};
};

Result<std::unique_ptr<Service>> Service::Create(const SimOptions& options, const Clock& clock) {
  if (options.opportunities > 10'000'000 || options.sandbox_opportunities > 10'000'000) {
    return Error(ErrorCode::kConfig, "the simulator holds at most 10,000,000 opportunities");
  }
  if (options.leads > kMaxHeld || options.solutions > kMaxHeld || options.profiles > kMaxHeld) {
    return Error(ErrorCode::kConfig,
                 "the simulator holds at most 100,000 leads, solutions and profiles each");
  }
  if (options.limits.reads_per_second <= 0 || options.limits.writes_per_second <= 0 ||
      options.ledger_capacity == 0) {
    return Error(ErrorCode::kConfig, "rates and the ledger's capacity must be above zero");
  }
  PCW_TRY(Facts facts, Facts::Load());
  return std::unique_ptr<Service>(new Service(options, clock, std::move(facts)));
}

Service::Service(const SimOptions& options, const Clock& clock, Facts facts)
    : clock_(clock),
      facts_(std::move(facts)),
      seed_(options.seed),
      latency_(options.latency),
      keys_(options.seed, account_),
      verifier_(keys_, std::string(kRegion)),
      quota_(options.limits, options.quota),
      ledger_(options.ledger_capacity),
      faults_(options.faults),
      mint_(options.token_style, options.seed, options.token_life),
      events_(options.events),
      aws_(ContentOf(options, Catalog::kAws, clock.Now()), Catalog::kAws, mint_, events_),
      sandbox_(ContentOf(options, Catalog::kSandbox, clock.Now()), Catalog::kSandbox, mint_,
               events_),
      selling_({aws_.opportunities(), sandbox_.opportunities()}, mint_, options.filter_granularity),
      sts_(keys_, account_, options.external_id, options.max_session) {}

void Service::Identify(const Request& request, Call& call) const {
  const std::string_view type = request.Header("Content-Type").value_or("");
  if (request.method != "POST" || request.target != "/") {
    call.unusable = FrontError("UnknownOperationException", "", 404);
    return;
  }
  const auto target = request.Header("X-Amz-Target");
  if (!target && type.starts_with("application/x-www-form-urlencoded")) {
    call.dialect = Dialect::kQuery;
    auto form = ParseForm(request.body);
    if (!form) {
      call.unusable = QueryError("MalformedQueryString", form.error().message());
      return;
    }
    call.form = std::move(*form);
    const Operation operation = OperationNamed(call.form["Action"]);
    const OperationFacts* facts = facts_.Find(operation);
    if (facts == nullptr || !facts->target.empty() || call.form["Version"] != "2011-06-15") {
      call.unusable =
          QueryError("InvalidAction", fmt::format("Could not find operation {} for version {}",
                                                  call.form["Action"], call.form["Version"]));
      return;
    }
    call.record.operation = operation;
    return;
  }
  // AWS's front end knows an operation only by protocol and target together.
  if (!IsJsonType(type)) {
    call.unusable = FrontError("UnknownOperationException", "", 404);
    return;
  }
  const OperationFacts* facts = facts_.FindTarget(target.value_or(""));
  if (facts == nullptr) {
    call.unusable = FrontError("UnknownOperationException", "");
    return;
  }
  call.record.operation = facts->operation;
  auto parsed = ParseJson(request.body);
  call.body_is_json = parsed.has_value();
  if (!parsed) return;
  call.body = std::move(*parsed);
  call.record.catalog = CatalogNamed(LooseText(call.body, "Catalog"));
  BookIdentifier(IdentifierOf(call.body), call.record);
  const std::string token = LooseText(call.body, "NextToken");
  if (!token.empty()) call.record.token_hash = MixText(token);
}

/// Throttling, by rule or by quota. Runs after authentication, as on AWS.
std::optional<Answer> Service::Admit(const OperationFacts& facts, Call& call) {
  const auto throttled = [&] {
    return ServiceError(facts.service, "ThrottlingException", "Rate exceeded");
  };
  if (const FaultRule* rule = call.faults.Find(FaultKind::kThrottle)) {
    call.record.outcome = Outcome::kRefusedFault;
    Answer refusal = throttled();
    const auto header = [&](const char* name, std::int64_t value) {
      if (value >= 0) refusal.headers.emplace_back(name, std::to_string(value));
    };
    header("x-amz-retry-after", rule->Number("retry_after_ms"));
    header("Retry-After", rule->Number("retry_after_s"));
    return refusal;
  }
  if (SpecOf(facts.service).quota == ReadQuota::kNone) return std::nullopt;
  const CallClass kind = IsSellingWrite(facts.operation) ? CallClass::kWrite : CallClass::kRead;
  switch (quota_.Take(kind, call.steady)) {
    case QuotaVerdict::kAccepted:
      return std::nullopt;
    case QuotaVerdict::kOverSecond:
      call.record.outcome = Outcome::kRefusedSecond;
      break;
    case QuotaVerdict::kOverDay:
      call.record.outcome = Outcome::kRefusedDay;
      break;
  }
  return throttled();
}

/// Why the account may not do this: a rule, no link to Partner Central, or the caller's policies.
std::optional<Answer> Service::Deny(const OperationFacts& facts, const Key& caller,
                                    const Call& call) const {
  const auto account = account_.state();
  if (call.faults.Find(FaultKind::kAccessDenied) != nullptr || !account->is_linked) {
    return AccessDenied(facts.service, "Unable to handle request due to access denied");
  }
  if (!account->denied_actions.contains(facts.action)) return std::nullopt;
  return AccessDenied(
      facts.service,
      fmt::format("User: {} is not authorized to perform: {} on resource: * because no "
                  "identity-based policy allows the {} action",
                  caller.arn, facts.action, facts.action));
}

Answer Service::ListOpportunities(Call& call) {
  if (const auto filter = call.body.find("LastModifiedDate");
      filter != call.body.end() && filter->is_object()) {
    const auto after = ParseRfc3339(LooseText(*filter, "AfterLastModifiedDate"));
    if (after) call.record.after_us = after->time_since_epoch().count();
  }
  return selling_.List(call.body, *call.record.catalog, call.faults, call.now);
}

Answer Service::ExecuteJson(const OperationFacts& facts, const Key& caller, Call& call) {
  if (auto refused = Admit(facts, call)) return std::move(*refused);
  if (!call.body_is_json)
    return FrontError("SerializationException", "The body is not valid JSON.");
  const Findings findings = CheckRequest(facts.request, call.body);
  call.record.unknown_members =
      static_cast<std::uint16_t>(std::min<std::uint64_t>(findings.unknown_members, 0xffff));
  if (findings.wrong_type) return FrontError("SerializationException", *findings.wrong_type);
  if (!findings.violations.empty()) return ValidationError(facts.service, findings.violations);
  if (!call.record.catalog) {
    return ValidationError(facts.service,
                           {{"Catalog", "The catalog does not exist.", "INVALID_ENUM_VALUE"}});
  }
  if (auto denied = Deny(facts, caller, call)) return std::move(*denied);
  BookPageSize(call.body, call.record);
  if (facts.operation == Operation::kListOpportunities) return ListOpportunities(call);
  if (facts.operation == Operation::kGetOpportunity) {
    return selling_.Get(call.body, *call.record.catalog, call.faults);
  }
  auto answer =
      content(*call.record.catalog).Execute(facts.operation, {call.body, call.faults, call.now});
  return answer ? std::move(*answer) : FrontError("UnknownOperationException", "");
}

Answer Service::ExecuteSts(const OperationFacts& facts, const Key& caller, const Call& call) const {
  if (!facts.action.empty() && call.faults.Find(FaultKind::kAccessDenied) != nullptr) {
    return QueryError("AccessDenied", fmt::format("Not authorized to perform {}", facts.action),
                      403);
  }
  switch (facts.operation) {
    case Operation::kGetCallerIdentity:
      return sts_.GetCallerIdentity(caller);
    case Operation::kAssumeRole:
      return sts_.AssumeRole(facts, call.form, caller, call.now);
    case Operation::kAssumeRoleWithWebIdentity:
      return sts_.AssumeRoleWithWebIdentity(facts, call.form, call.now);
    default:
      return QueryError("InvalidAction", fmt::format("{} is not an action of STS", facts.name));
  }
}

Answer Service::Execute(const Request& request, Call& call) {
  if (call.unusable) return *call.unusable;
  const OperationFacts& facts = *facts_.Find(call.record.operation);
  Key caller;
  if (facts.is_signed) {
    auto verified = verifier_.Verify(request, facts.signing_name, call.dialect, call.now);
    if (Answer* refused = std::get_if<Answer>(&verified)) {
      call.record.outcome = Outcome::kUnauthenticated;
      return std::move(*refused);
    }
    caller = std::move(std::get<Key>(verified));
    const std::string name = NameInArn(caller.arn);
    name.copy(call.record.caller.data(), call.record.caller.size());
  }
  if (call.faults.Find(FaultKind::kExpiredToken) != nullptr) {
    call.record.outcome = Outcome::kUnauthenticated;
    constexpr auto kText = "The security token included in the request is expired";
    if (!facts.is_signed) return ExpiredWebIdentity();
    return call.dialect == Dialect::kJson ? FrontError("ExpiredTokenException", kText)
                                          : QueryError("ExpiredToken", kText, 403);
  }
  return call.dialect == Dialect::kQuery ? ExecuteSts(facts, caller, call)
                                         : ExecuteJson(facts, caller, call);
}

Response Service::Render(const Answer& answer, const Call& call, std::uint64_t seq) const {
  const std::string request_id = RequestId(seed_, seq);
  Response response;
  response.status = answer.status;
  response.body = answer.body;
  const bool json = answer.dialect == Dialect::kJson;
  if (const auto at = response.body.find("@REQUEST_ID@"); !json && at != std::string::npos) {
    response.body.replace(at, 12, request_id);
  }
  response.headers = {{"x-amzn-RequestId", request_id},
                      {"Content-Type", json ? "application/x-amz-json-1.0" : "text/xml"},
                      {"Date", FormatHttpDate(call.now)}};
  for (const auto& header : answer.headers) response.headers.push_back(header);
  return response;
}

Reply Service::Handle(const Request& request) {
  if (request.method == "GET" && request.target == "/") {
    return Response{200, {{"Content-Type", "text/plain"}}, "healthy\n"};
  }
  Call call;
  call.now = clock_.Now();
  call.steady = clock_.Steady();
  call.record.arrival_us = call.now.time_since_epoch().count();
  Identify(request, call);
  call.faults =
      faults_.Decide({call.record.operation, call.record.catalog, IdentifierOf(call.body)});
  call.record.faults = call.faults.mask();
  call.record.seq = ledger_.Arrive(call.record, call.steady);
  if (const FaultRule* rule = call.faults.Find(FaultKind::kSkew);
      rule != nullptr && rule->Word("of") == "service") {
    call.now += std::chrono::minutes(rule->Number("minutes"));
  }

  const Answer answer = Execute(request, call);
  Response response = Render(answer, call, call.record.seq);
  SpoilDate(response, call.now, call.faults);
  if (answer.status == 200) {
    SpoilResponse(response, *facts_.Find(call.record.operation), call.faults);
  }
  // What a broken proxy makes of a request id: a byte that is not UTF-8, and a quote.
  if (call.faults.Find(FaultKind::kOddHeader) != nullptr)
    response.headers.front().second = "r\xff\"";
  if (call.record.outcome == Outcome::kPending) {
    call.record.outcome =
        answer.status == 200 && response.status >= 500 ? Outcome::kFailed : OutcomeOf(answer);
  }
  call.record.status = static_cast<std::uint16_t>(response.status);
  ledger_.Finish(call.record);
  return SpoilTransport(std::move(response), call.faults, latency_);
}

}  // namespace pcw::sim
