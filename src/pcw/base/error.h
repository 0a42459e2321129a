// Errors as values: one code enum that decides every reaction, and the Error that carries it.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <source_location>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pcw {

/// What went wrong, in the only terms that anything reacts to. Each code has one row in kReactions.
enum class ErrorCode : std::uint8_t {
  kUnauthenticated,   ///< AWS or a caller does not know who we are (401, expired or unknown token)
  kPermissionDenied,  ///< known, but not allowed (403, AccessDenied)
  kThrottled,    ///< over a quota or a rate (429, Throttling*, SlowDown); the call was not executed
  kUnavailable,  ///< 5xx, reset, DNS, truncated or malformed answer
  kTimeout,      ///< connect, first byte or total deadline
  kInvalidRequest,  ///< the request itself is wrong (ValidationException, 400)
  kNotFound,        ///< ResourceNotFound, 404
  kConflict,        ///< 409, serialization failure, held lease, duplicate
  kSchemaMismatch,  ///< a record lacks or mistypes what its mapping requires
  kConfig,          ///< bad configuration or environment
  kCancelled,       ///< stop was requested
  kInternal,        ///< our own bug
};

/// What a failed call does next.
enum class CallReaction : std::uint8_t {
  kFail,               ///< asking again gives the same answer
  kRefreshOnce,        ///< once more with fresh credentials
  kRetry,              ///< it was not executed, so even a write is repeated
  kRetryIfIdempotent,  ///< it may have been executed
  kRetryTransaction,   ///< two at once: one of them begins anew
  kStop
};
/// What becomes of the record whose call or mapping failed.
enum class RecordReaction : std::uint8_t {
  kNone,                ///< it is not a matter of this record: the run's reaction holds
  kAskAgain,            ///< only delayed, the whole account waits
  kDeadLetter,          ///< asking again gives the same answer
  kWeighDenial,         ///< a dead letter if others succeed, else the run's reaction holds
  kDeferThenDeadLetter  ///< asked once more at the end of the scan
};
/// What becomes of a run that such an error ends.
enum class RunReaction : std::uint8_t {
  kGoOn,           ///< only where too many records failed so, or a list call did; can be resumed
  kPause,          ///< goes on by itself when the account may call again
  kStopResumable,  ///< another attempt may do better
  kStop,           ///< a person has to help; can then be resumed
  kNeverStarts,    ///< a person has to help before anything begins
  kStopForGood     ///< a defect: what the run left is not built upon
};

/// One row of the error table (docs/errors.md): the single place that maps a code to every surface.
struct Reaction {
  ErrorCode code;
  std::string_view name;  ///< stable spelling in logs, JSON and docs/errors.md
  CallReaction call;
  RecordReaction record;
  RunReaction run;
  int rest_own_fault;                ///< HTTP status when it arose at our caller's or our own side
  int rest_aws_fault;                ///< HTTP status when AWS answered us so
  int exit_code;                     ///< process exit code (docs/cli.md)
  std::string_view runbook_section;  ///< section of the operators' runbook, "-" if none
};

inline constexpr std::array<Reaction, 12> kReactions{{
    {ErrorCode::kUnauthenticated, "unauthenticated", CallReaction::kRefreshOnce,
     RecordReaction::kNone, RunReaction::kStop, 401, 502, 4, "1.1"},
    {ErrorCode::kPermissionDenied, "permission_denied", CallReaction::kFail,
     RecordReaction::kWeighDenial, RunReaction::kStop, 403, 502, 4, "1.1"},
    {ErrorCode::kThrottled, "throttled", CallReaction::kRetry, RecordReaction::kAskAgain,
     RunReaction::kPause, 503, 503, 5, "1.2"},
    {ErrorCode::kUnavailable, "unavailable", CallReaction::kRetryIfIdempotent,
     RecordReaction::kDeferThenDeadLetter, RunReaction::kStopResumable, 503, 502, 69, "1.4"},
    {ErrorCode::kTimeout, "timeout", CallReaction::kRetryIfIdempotent,
     RecordReaction::kDeferThenDeadLetter, RunReaction::kStopResumable, 503, 504, 69, "1.4"},
    {ErrorCode::kInvalidRequest, "invalid_request", CallReaction::kFail,
     RecordReaction::kDeadLetter, RunReaction::kGoOn, 400, 502, 1, "2"},
    {ErrorCode::kNotFound, "not_found", CallReaction::kFail, RecordReaction::kDeferThenDeadLetter,
     RunReaction::kGoOn, 404, 502, 1, "2"},
    {ErrorCode::kConflict, "conflict", CallReaction::kRetryTransaction, RecordReaction::kDeadLetter,
     RunReaction::kGoOn, 409, 502, 1, "2"},
    {ErrorCode::kSchemaMismatch, "schema_mismatch", CallReaction::kFail,
     RecordReaction::kDeadLetter, RunReaction::kGoOn, 500, 500, 3, "1.3"},
    {ErrorCode::kConfig, "config", CallReaction::kFail, RecordReaction::kNone,
     RunReaction::kNeverStarts, 500, 500, 78, "-"},
    {ErrorCode::kCancelled, "cancelled", CallReaction::kStop, RecordReaction::kNone,
     RunReaction::kStopResumable, 503, 503, 130, "-"},
    {ErrorCode::kInternal, "internal", CallReaction::kFail, RecordReaction::kNone,
     RunReaction::kStopForGood, 500, 500, 70, "-"},
}};

/// The row of `code`. Total: every enumerator has one (tested).
constexpr const Reaction& ReactionOf(ErrorCode code) {
  return kReactions[static_cast<std::size_t>(code)];
}

/// The stable lower-case name of `code`, as logs, JSON and docs/errors.md spell it.
constexpr std::string_view NameOf(ErrorCode code) { return ReactionOf(code).name; }
/// The code with that name; nullopt for any other text.
std::optional<ErrorCode> ErrorCodeNamed(std::string_view name);

/// Why, where the code does not tell enough to decide what to do.
enum class Reason : std::uint8_t {
  kQuotaSpent,            ///< kThrottled: no waiting of seconds helps
  kDrained,               ///< kCancelled: the service ends and another goes on
  kOlderMapping,          ///< kConfig: this process has an older mapping than the rows
  kSchemaFrozen,          ///< kSchemaMismatch: the mapping stops the run there
  kSchemaQuarantined,     ///< kSchemaMismatch: the mapping keeps the record out
  kUnreadablePageToken,   ///< kSchemaMismatch: the pages behind it cannot be asked for
  kTooManyMismatches,     ///< the run was stopped (sync.stop_at_mismatch_percent)
  kTooManyFetchFailures,  ///< the run was stopped (sync.stop_at_fetch_failure_percent)
  kEndlessEmptyPages      ///< kUnavailable: the list goes on and lists nothing
};
/// The stable lower-case name, as `reason` in logs, JSON and stats_json spells it.
std::string_view NameOf(Reason reason);
std::optional<Reason> ReasonNamed(std::string_view name);

/// How far an exchange over the network came, or what was wrong with its answer.
enum class NetStep : std::uint8_t {
  kDns,
  kConnect,
  kTls,
  kSend,
  kReceive,
  kTimeout,
  kTruncated,
  kTooLarge,
  kMalformed,
  kRefused  ///< an address that we do not connect to
};
std::string_view NameOf(NetStep step);

/// Whose answer an error is. It decides whose fault a REST caller is told of.
enum class Origin : std::uint8_t { kHere, kAws, kDatabase };

/// What else is known of an error.
enum class ErrorMark : std::uint8_t {
  kUsage = 1,        ///< the command line is wrong
  kPermanent = 2,    ///< repeating does not help, whatever the code says
  kStoppedRun = 4,   ///< it ended a run early
  kUnreachable = 8,  ///< a source of credentials did not answer at all
  kOfOneObject =
      16  ///< a file of which the machine cannot read a part: its neighbours are readable
};

/// A failure: code, one sentence for a person, ordered context, and the location where it arose
/// (for logs only).
///
/// The message is lower case, holds no secret and says what to do where a person can do something.
/// Context is added outward by the level that knows it; an inner value is not overwritten. Copyable
/// value; not thread-safe to mutate.
class [[nodiscard]] Error {
 public:
  using Context = std::vector<std::pair<std::string, std::string>>;

  Error(ErrorCode code, std::string message,
        std::source_location place = std::source_location::current())
      : code_(code), message_(std::move(message)), place_(place) {}

  ErrorCode code() const { return code_; }
  const std::string& message() const { return message_; }
  const Context& context() const { return context_; }
  const std::source_location& place() const { return place_; }

  /// Adds a context pair unless the key is present already (the inner value knows better).
  Error& With(std::string key, std::string value) &;
  Error With(std::string key, std::string value) &&;

  /// What code decides by. Reason, step and most marks stand in the context too, for people. An
  /// inner reason, step or origin is not overwritten.
  Error& Because(Reason reason) &;
  Error Because(Reason reason) && { return std::move(Because(reason)); }
  Error& At(NetStep step) &;
  Error At(NetStep step) && { return std::move(At(step)); }
  Error& From(Origin origin) &;
  Error From(Origin origin) && { return std::move(From(origin)); }
  Error& As(ErrorMark mark) &;
  Error As(ErrorMark mark) && { return std::move(As(mark)); }

  std::optional<Reason> reason() const { return reason_; }
  bool Is(Reason reason) const { return reason_ == reason; }
  std::optional<NetStep> net_step() const { return net_step_; }
  Origin origin() const { return origin_; }
  bool Is(ErrorMark mark) const { return (marks_ & static_cast<std::uint8_t>(mark)) != 0; }

  /// The same error told otherwise: all but its code and message stays.
  Error Retold(ErrorCode code, std::string message) const;

  /// The value of a context key, if present.
  std::optional<std::string_view> Find(std::string_view key) const;

  /// "message (key=value, key=value)": the form that people read.
  std::string ToString() const;

 private:
  ErrorCode code_;
  std::optional<Reason> reason_;
  std::optional<NetStep> net_step_;
  Origin origin_ = Origin::kHere;
  std::uint8_t marks_ = 0;
  std::string message_;
  Context context_;
  std::source_location place_;
};

}  // namespace pcw
