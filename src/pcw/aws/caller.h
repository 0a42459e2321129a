// One AWS call: credentials, quota, signature, transport, classification, retry. The only retry
// loop in the project.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "pcw/aws/credentials.h"
#include "pcw/aws/operation.h"
#include "pcw/aws/quota_gate.h"
#include "pcw/aws/retry.h"
#include "pcw/base/clock.h"
#include "pcw/base/result.h"
#include "pcw/base/rng.h"
#include "pcw/net/http.h"

namespace pcw::aws {

/// A successful answer.
struct CallResult {
  std::string body;
  bool is_well_formed = false;  ///< the body is known to be it (WhyMalformed); false: not known
  net::Headers headers;
  std::string request_id;               ///< x-amzn-requestid, empty if AWS sent none
  std::optional<WallTime> server_date;  ///< the Date header
  WallTime received_at;                 ///< local clock, for bronze meta only
  int attempts = 1;
  std::chrono::microseconds elapsed{0};  ///< of the last attempt

  /// The first header of that name, case-insensitively.
  std::optional<std::string_view> Header(std::string_view name) const {
    return net::FindHeader(headers, name);
  }
};

/// What one call of a REST service (S3) sends. Views live until the call returns.
struct RestRequest {
  std::string_view method = "GET";
  std::string_view path = "/";  ///< as on the wire: encoded once, sent and signed as it is
  std::string_view query{};     ///< encoded, without "?"
  net::Headers headers{};       ///< signed; without Host
  std::string_view body{};
  std::string_view payload_sha256{};  ///< hex, of `body`; empty = computed here, once a call
};

/// What all calls of one process did so far. Thread-safe counters.
struct CallCounters {
  std::atomic<std::uint64_t> calls{0};  ///< HTTP attempts sent
  std::atomic<std::uint64_t> retries{0};
  std::atomic<std::uint64_t> throttles{0};  ///< answers that said throttled
  std::atomic<std::uint64_t> bytes{0};      ///< response body bytes
};

/// Everything a Caller needs; all outlive it.
struct CallerDeps {
  net::HttpClient& http;
  CredentialsProvider& credentials;
  QuotaGate& quota;
  Clock& clock;
  Sleeper& sleeper;
  Rng& rng;
};

/// Sees the bodies of calls, for logs that somebody asked for. Thread-safe.
class PayloadSink {
 public:
  virtual ~PayloadSink() = default;
  /// False most of the time: then nothing is copied.
  virtual bool is_open() const = 0;
  virtual void OnExchange(const Operation& operation, std::string_view request,
                          const net::HttpResponse& response) = 0;
};

struct CallerOptions {
  std::string region = "us-east-1";
  std::string endpoint;    ///< base URL of the service, from ResolveEndpoint
  std::string user_agent;  ///< "pcw/0.1.0"; Partner Central also gets X-Amzn-User-Agent
  RetryPolicy retry;
  net::HttpLimits limits;
  PayloadSink* payloads = nullptr;  ///< outlives the caller; nullptr = none
};

/// Calls the operations of one service of one account. Thread-safe; the retry budget and the clock
/// offset are shared by all its threads. Whatever the protocol, there is one loop: same
/// credentials, clock, backoff, budget, classification and log lines.
///
/// Errors are classified by AWS error type first, HTTP status second, and carry operation,
/// request_id, aws_error, status, attempts and stopped_by (permanent, attempts, budget,
/// non_idempotent, cancelled). A 200 whose body is cut, not JSON, or lacks
/// Operation::required_member is kUnavailable and retried. Expired credentials are refreshed once;
/// clock skew is corrected once from Date. Refusals are logged with the words that operators search
/// for ("429 Too Many Requests"), though AWS sends most of them as 400.
class Caller {
 public:
  Caller(const ServiceDef& service, CallerDeps deps, CallerOptions options);
  ~Caller();

  /// Sends `body` (JSON text, or form text for query services) to "/".
  Result<CallResult> Call(const Operation& operation, std::string_view body, std::stop_token stop);
  /// Sends a request of a REST service. An answer 200 that holds an error (CompleteMultipartUpload,
  /// T12) is that error. Bodies go to no PayloadSink: they are objects of the lake.
  Result<CallResult> Call(const Operation& operation, const RestRequest& request,
                          std::stop_token stop);

  const CallCounters& counters() const;
  /// Smoothed time from sending to the complete answer, over recent successes; zero before the
  /// first.
  std::chrono::microseconds latency() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace pcw::aws
