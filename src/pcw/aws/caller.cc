#include "pcw/aws/caller.h"

#include <algorithm>

#include <fmt/format.h>

#include "pcw/aws/error_response.h"
#include "pcw/aws/sigv4.h"
#include "pcw/aws/xml.h"
#include "pcw/base/digest.h"
#include "pcw/base/json_form.h"
#include "pcw/base/log.h"
#include "pcw/base/time.h"
#include "pcw/base/uuid.h"
#include "pcw/net/url.h"

namespace pcw::aws {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

// A clock that differs by less is not why a signature was refused (docs/aws-facts.md 21).
constexpr std::chrono::minutes kSkewWorthCorrecting{4};
constexpr double kLatencyWeight = 0.1;

std::string_view ContentType(Protocol protocol) {
  switch (protocol) {
    case Protocol::kJson10:
      return "application/x-amz-json-1.0";
    case Protocol::kJson11:
      return "application/x-amz-json-1.1";
    case Protocol::kQuery:
      return "application/x-www-form-urlencoded; charset=utf-8";
    case Protocol::kRestXml:
      return "";  // of each object its own
  }
  return "";
}

// A 200 that was cut or is not what the operation answers must not pass for data (T13).
// `is_well_formed` becomes true if that was seen by the way.
Status CheckBody(const Operation& operation, const net::HttpResponse& response,
                 bool& is_well_formed) {
  if (operation.required_member.empty()) return Ok{};
  const Protocol protocol = operation.service->protocol;
  if (protocol == Protocol::kQuery || protocol == Protocol::kRestXml) {
    const std::string close = fmt::format("</{}>", operation.required_member);
    if (response.body.find(close) != std::string::npos) return Ok{};
    return Error(ErrorCode::kUnavailable,
                 fmt::format("AWS answered 200 without {}", operation.required_member))
        .At(NetStep::kMalformed);
  }
  // By structure alone: bytes that no parser reads are data that is kept, and asking again gives
  // the same ones. Only what was cut off is an outage (I10).
  const auto malformed = [](std::string what) {
    return Error(ErrorCode::kUnavailable, std::move(what)).At(NetStep::kMalformed);
  };
  if (const auto has = ObjectHas(response.body, operation.required_member); has == true) {
    is_well_formed = true;
    return Ok{};
  }
  RawMembers members(response.body);
  if (!members.is_object()) return malformed("AWS answered 200 with a body that is not JSON");
  bool has_member = false;
  for (RawMember member; members.Next(member);)
    has_member = has_member || member.name == operation.required_member;
  if (!members.is_whole()) {
    return malformed(fmt::format("AWS answered 200 with a body that is not complete JSON: {} bytes",
                                 response.body.size()));
  }
  if (has_member) return Ok{};
  return malformed(fmt::format("AWS answered 200 without {}", operation.required_member));
}

// Nothing reached AWS, so even a call that must not be repeated may be sent.
bool WasNotSent(const Error& error) {
  const auto step = error.net_step();
  return step == NetStep::kDns || step == NetStep::kConnect || step == NetStep::kTls;
}

// An answer 200 that says later that it failed: S3 begins it before it knows (T12).
bool HoldsXmlError(const Operation& operation, const net::HttpResponse& response) {
  if (operation.service->protocol != Protocol::kRestXml || operation.required_member.empty() ||
      response.body.find("<Error>") == std::string::npos)
    return false;
  const Result<XmlElement> root = ParseXml(response.body);
  return root && root->name == "Error";
}

bool MayRepeat(const Operation& operation, const Error& error) {
  if (error.Is(ErrorMark::kPermanent)) return false;
  if (error.code() == ErrorCode::kThrottled)
    return !error.Is(Reason::kQuotaSpent);  // not executed; but an exhausted daily quota stays so
  if (ReactionOf(error.code()).call != CallReaction::kRetryIfIdempotent) return false;
  return operation.idempotency != Idempotency::kNonIdempotent || WasNotSent(error);
}

// The status that AWS means, whatever number it sent, in the words that people search logs for.
struct Refusal {
  int status = 0;
  std::string_view words = "call failed";
};

Refusal RefusalOf(ErrorCode code) {
  switch (code) {
    case ErrorCode::kUnauthenticated:
      return {401, "401 Unauthorized"};
    case ErrorCode::kPermissionDenied:
      return {403, "403 Forbidden"};
    case ErrorCode::kThrottled:
      return {429, "429 Too Many Requests"};
    default:
      return {};
  }
}

// One attempt's answer, with what the retry decision needs.
struct Attempt {
  std::optional<Error> error;
  net::HttpResponse response;
  bool is_well_formed = false;  ///< its body (CallResult)
  CredentialsPtr credentials;
  bool says_expired = false;
  bool is_expired = false;
  bool is_skew = false;
  bool was_sent = false;  ///< counted as a call, whatever became of it
  bool is_from_aws =
      false;  ///< AWS answered, as opposed to a failure on the way or in our own house
};

}  // namespace

struct Caller::State {
  const ServiceDef& service;
  CallerDeps deps;
  CallerOptions options;
  std::string host, path, content_type, integrator;
  Signer signer;
  RetryBudget budget;
  CallCounters counters;
  std::atomic<std::int64_t> clock_offset_us{0};
  std::atomic<std::int64_t> latency_us{0};

  State(const ServiceDef& s, CallerDeps d, CallerOptions o)
      : service(s),
        deps(d),
        options(std::move(o)),
        content_type(ContentType(s.protocol)),
        signer(options.region, std::string(s.signing_name)) {
    // ResolveEndpoint has checked it; a bad URL here is refused again at the first call.
    if (const Result<net::Url> url = net::ParseUrl(options.endpoint)) host = url->authority;
    if (s.id.starts_with("partnercentral")) integrator = "pcw|pcw-connector";
  }

  net::HttpRequest MakeRequest(const RestRequest& call, const Credentials& credentials, int attempt,
                               std::string_view invocation) {
    const bool is_rest = service.protocol == Protocol::kRestXml;
    SigningRequest signing;
    signing.method = call.method;
    signing.path = call.path;
    signing.query = call.query;
    signing.body = call.body;
    signing.payload_sha256 = call.payload_sha256;
    if (is_rest) {
      signing.path_form = PathForm::kAsIs;
      signing.payload_header = PayloadHeader::kAdd;
    }
    signing.headers.reserve(12 + call.headers.size());
    signing.headers.emplace_back("Host", host);
    for (const auto& header : call.headers) signing.headers.push_back(header);
    if (!integrator.empty()) signing.headers.emplace_back("X-Amzn-User-Agent", integrator);
    signing.headers.emplace_back("amz-sdk-invocation-id", invocation);
    signing.headers.emplace_back(
        "amz-sdk-request", fmt::format("attempt={}; max={}", attempt, options.retry.max_attempts));
    signing.headers.emplace_back("User-Agent", options.user_agent);
    const WallTime now =
        deps.clock.Now() + microseconds(clock_offset_us.load(std::memory_order_relaxed));
    net::HttpRequest request;
    request.method = call.method;
    request.url = options.endpoint;
    request.url.append(call.path);
    if (!call.query.empty()) request.url.append("?").append(call.query);
    // Credentials without a key: an operation that AWS takes unsigned.
    request.headers = credentials.access_key_id.empty()
                          ? std::move(signing.headers)
                          : signer.Sign(std::move(signing), credentials, now);
    request.borrowed_body = call.body;
    return request;
  }

  Attempt Try(const Operation& operation, const RestRequest& call, int attempt,
              std::string_view invocation, std::stop_token stop) {
    Attempt out;
    if (operation.quota_class != QuotaClass::kNone) {
      if (Status allowed = deps.quota.Acquire(operation, stop); !allowed) {
        out.error = std::move(allowed).error();
        return out;
      }
    }
    // Credentials are read anew for each attempt, so that a refreshed token heals the next one.
    Result<CredentialsPtr> credentials = deps.credentials.Get(stop);
    if (!credentials) {
      out.error = std::move(credentials).error();
      return out;
    }
    out.credentials = *credentials;
    counters.calls.fetch_add(1, std::memory_order_relaxed);
    Result<net::HttpResponse> answer = deps.http.Send(
        MakeRequest(call, *out.credentials, attempt, invocation), options.limits, stop);
    if (!answer) {
      out.error = std::move(answer).error();
      out.was_sent = !WasNotSent(*out.error);
      return out;
    }
    out.was_sent = true;
    out.is_from_aws = true;
    out.response = std::move(*answer);
    counters.bytes.fetch_add(out.response.body.size(), std::memory_order_relaxed);
    if (out.response.status / 100 != 2 || HoldsXmlError(operation, out.response)) {
      ErrorResponse said = ClassifyResponse(out.response, service.protocol, options.region);
      out.says_expired = said.says_expired;
      out.is_expired = said.is_expired;
      out.is_skew = said.is_skew;
      out.error = std::move(said.error);
    } else if (Status whole = CheckBody(operation, out.response, out.is_well_formed); !whole) {
      out.error = std::move(whole).error();
      if (std::string id = RequestIdOf(out.response); !id.empty())
        out.error->With("request_id", std::move(id));
    }
    return out;
  }

  // True if AWS's clock is far from the one we signed with; ours is corrected then.
  bool CorrectClock(const net::HttpResponse& response) {
    const auto date = response.Header("date");
    const Result<WallTime> server = ParseHttpDate(date.value_or(""));
    if (!server) return false;
    const microseconds offset = *server - deps.clock.Now();
    const microseconds change = offset - microseconds(clock_offset_us.load());
    if (change < kSkewWorthCorrecting && change > -kSkewWorthCorrecting) return false;
    clock_offset_us = offset.count();
    return true;
  }

  // One line an attempt: what AWS refused at WARN, everything at DEBUG (docs/runbook.md 3.1).
  void LogAttempt(const Operation& operation, int number, const Attempt& attempt) const {
    const Refusal refusal = attempt.error ? RefusalOf(attempt.error->code()) : Refusal{};
    const LogLevel level = refusal.status != 0 ? LogLevel::kWarn : LogLevel::kDebug;
    if (!attempt.was_sent || !LogEnabled(level)) return;
    LogFields fields{{"operation", std::string(operation.name)},
                     {"service", std::string(service.id)},
                     {"request_id", attempt.is_from_aws ? RequestIdOf(attempt.response) : ""},
                     {"status", std::to_string(attempt.response.status)},
                     {"attempt", std::to_string(number)},
                     {"ms", std::to_string(attempt.response.elapsed.count() / 1000)}};
    if (attempt.error) {
      fields.emplace_back("code", std::string(NameOf(attempt.error->code())));
      fields.emplace_back("error", attempt.error->message());
    }
    if (refusal.status != 0)
      fields.emplace_back("normalized_status", std::to_string(refusal.status));
    Log(level, attempt.error ? refusal.words : "call", fields);
  }

  bool ShowsPayloads() const {
    return options.payloads != nullptr && service.protocol != Protocol::kRestXml &&
           options.payloads->is_open();
  }

  void NoteLatency(microseconds elapsed) {
    const std::int64_t before = latency_us.load(std::memory_order_relaxed);
    const auto after =
        before == 0
            ? elapsed.count()
            : static_cast<std::int64_t>(static_cast<double>(before) * (1 - kLatencyWeight) +
                                        static_cast<double>(elapsed.count()) * kLatencyWeight);
    latency_us.store(after, std::memory_order_relaxed);
  }

  CallResult Succeed(Attempt attempt, int attempts, int last_cost) {
    budget.GiveBack(last_cost);
    NoteLatency(attempt.response.elapsed);
    CallResult result;
    result.is_well_formed = attempt.is_well_formed;
    result.request_id = RequestIdOf(attempt.response);
    if (const auto date = attempt.response.Header("date")) {
      if (Result<WallTime> parsed = ParseHttpDate(*date)) result.server_date = *parsed;
    }
    result.body = std::move(attempt.response.body);
    result.headers = std::move(attempt.response.headers);
    result.received_at = deps.clock.Now();
    result.attempts = attempts;
    result.elapsed = attempt.response.elapsed;
    return result;
  }
};

Caller::Caller(const ServiceDef& service, CallerDeps deps, CallerOptions options)
    : state_(std::make_unique<State>(service, deps, std::move(options))) {}
Caller::~Caller() = default;

const CallCounters& Caller::counters() const { return state_->counters; }
microseconds Caller::latency() const {
  return microseconds(state_->latency_us.load(std::memory_order_relaxed));
}

Result<CallResult> Caller::Call(const Operation& operation, std::string_view body,
                                std::stop_token stop) {
  RestRequest request;
  request.method = "POST";
  request.headers.emplace_back("Content-Type", state_->content_type);
  if (!state_->service.target_prefix.empty())
    request.headers.emplace_back(
        "X-Amz-Target", fmt::format("{}.{}", state_->service.target_prefix, operation.name));
  request.body = body;
  return Call(operation, request, stop);
}

Result<CallResult> Caller::Call(const Operation& operation, const RestRequest& request,
                                std::stop_token stop) {
  State& s = *state_;
  // Once a call, not once an attempt.
  RestRequest call = request;
  std::string payload_sha256;
  if (call.payload_sha256.empty()) call.payload_sha256 = payload_sha256 = Sha256Hex(call.body);
  const std::string invocation = MakeUuidV7(s.deps.clock.Now(), s.deps.rng);
  bool has_refreshed = false;
  bool has_corrected_clock = false;
  int last_cost = 0;
  int retries = 0;
  for (int attempts = 1;; ++attempts) {
    Attempt attempt = s.Try(operation, call, attempts, invocation, stop);
    if (attempt.was_sent && operation.quota_class != QuotaClass::kNone)
      s.deps.quota.OnEnded(operation, attempt.error ? &*attempt.error : nullptr);
    s.LogAttempt(operation, attempts, attempt);
    if (attempt.is_from_aws && s.ShowsPayloads())
      s.options.payloads->OnExchange(operation, call.body, attempt.response);
    if (!attempt.error) return s.Succeed(std::move(attempt), attempts, last_cost);

    Error error = std::move(*attempt.error);
    const bool is_throttle = error.code() == ErrorCode::kThrottled;
    if (is_throttle && attempt.is_from_aws)
      s.counters.throttles.fetch_add(1, std::memory_order_relaxed);
    const auto stopped_by = [&](std::string_view why) {
      return std::move(error)
          .From(Origin::kAws)
          .With("operation", std::string(operation.name))
          .With("attempts", std::to_string(attempts))
          .With("stopped_by", std::string(why));
    };
    if (error.code() == ErrorCode::kCancelled || stop.stop_requested()) {
      if (error.code() == ErrorCode::kCancelled) return stopped_by("cancelled");
      return Error(ErrorCode::kCancelled, "stopped during a call")
          .With("operation", std::string(operation.name));
    }

    // Once each, and at once: a corrected clock, refreshed credentials.
    if (attempt.is_skew && !has_corrected_clock && s.CorrectClock(attempt.response)) {
      has_corrected_clock = true;
      continue;
    }
    if (attempt.is_expired && !has_refreshed) {
      has_refreshed = true;
      s.deps.credentials.Invalidate(attempt.credentials);
      const Result<CredentialsPtr> fresh = s.deps.credentials.Get(stop);
      // Keys that AWS does not know stay unknown until others come. An expired token is tried once
      // more even so: a source hands it out until its end, which AWS's clock may see earlier.
      // A call that nobody signed has no keys that could come later.
      const bool is_signed = !attempt.credentials->access_key_id.empty();
      if (fresh && ((attempt.says_expired && is_signed) || *fresh != attempt.credentials)) continue;
    }

    if (!MayRepeat(operation, error)) {
      const bool is_only_unsafe =
          ReactionOf(error.code()).call == CallReaction::kRetryIfIdempotent &&
          !error.Is(ErrorMark::kPermanent);
      return stopped_by(is_only_unsafe ? "non_idempotent" : "permanent");
    }
    const milliseconds delay = BackoffDelay(s.options.retry, retries, is_throttle, s.deps.rng,
                                            attempt.response.Header("x-amz-retry-after"),
                                            attempt.response.Header("retry-after"));
    if (is_throttle && operation.quota_class != QuotaClass::kNone)
      s.deps.quota.OnThrottled(operation, delay);
    if (attempts >= s.options.retry.max_attempts) return stopped_by("attempts");
    if (!s.budget.Take(is_throttle)) return stopped_by("budget");
    last_cost = is_throttle ? RetryBudget::kThrottleCost : RetryBudget::kTransientCost;
    ++retries;
    s.counters.retries.fetch_add(1, std::memory_order_relaxed);
    if (!s.deps.sleeper.SleepFor(delay, stop))
      return Error(ErrorCode::kCancelled, "stopped while backing off")
          .With("operation", std::string(operation.name));
  }
}

}  // namespace pcw::aws
