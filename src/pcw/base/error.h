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
enum class CallReaction : std::uint8_t { kFail, kRefreshOnce, kRetry, kRetryIfIdempotent, kStop };
/// What becomes of the record whose call or mapping failed.
enum class RecordReaction : std::uint8_t { kNone, kDeadLetter, kDeferThenDeadLetter };
/// What becomes of the run.
enum class RunReaction : std::uint8_t { kStop, kPause, kStopResumable, kGoOn, kNeverStarts };

/// One row of the error table (docs/errors.md): the single place that maps a code to every surface.
struct Reaction {
  ErrorCode code;
  std::string_view name;  ///< stable spelling in logs, JSON and docs/errors.md
  CallReaction call;
  RecordReaction record;
  RunReaction run;
  int rest_own_fault;                ///< HTTP status when our caller is at fault
  int rest_aws_fault;                ///< HTTP status when AWS answered us so
  int exit_code;                     ///< process exit code (docs/cli.md)
  std::string_view runbook_section;  ///< section of the operators' runbook, "-" if none
};

inline constexpr std::array<Reaction, 12> kReactions{{
    {ErrorCode::kUnauthenticated, "unauthenticated", CallReaction::kRefreshOnce,
     RecordReaction::kNone, RunReaction::kStop, 401, 502, 4, "1.1"},
    {ErrorCode::kPermissionDenied, "permission_denied", CallReaction::kFail, RecordReaction::kNone,
     RunReaction::kStop, 403, 502, 4, "1.1"},
    {ErrorCode::kThrottled, "throttled", CallReaction::kRetry, RecordReaction::kNone,
     RunReaction::kPause, 503, 503, 5, "1.2"},
    {ErrorCode::kUnavailable, "unavailable", CallReaction::kRetryIfIdempotent,
     RecordReaction::kDeferThenDeadLetter, RunReaction::kStopResumable, 502, 502, 69, "1.4"},
    {ErrorCode::kTimeout, "timeout", CallReaction::kRetryIfIdempotent,
     RecordReaction::kDeferThenDeadLetter, RunReaction::kStopResumable, 504, 504, 69, "1.4"},
    {ErrorCode::kInvalidRequest, "invalid_request", CallReaction::kFail,
     RecordReaction::kDeadLetter, RunReaction::kGoOn, 400, 502, 1, "2"},
    {ErrorCode::kNotFound, "not_found", CallReaction::kFail, RecordReaction::kDeadLetter,
     RunReaction::kGoOn, 404, 502, 1, "2"},
    {ErrorCode::kConflict, "conflict", CallReaction::kFail, RecordReaction::kDeadLetter,
     RunReaction::kGoOn, 409, 502, 1, "2"},
    {ErrorCode::kSchemaMismatch, "schema_mismatch", CallReaction::kFail,
     RecordReaction::kDeadLetter, RunReaction::kGoOn, 500, 500, 3, "1.3"},
    {ErrorCode::kConfig, "config", CallReaction::kFail, RecordReaction::kNone,
     RunReaction::kNeverStarts, 500, 500, 78, "-"},
    {ErrorCode::kCancelled, "cancelled", CallReaction::kStop, RecordReaction::kNone,
     RunReaction::kStopResumable, 503, 503, 130, "-"},
    {ErrorCode::kInternal, "internal", CallReaction::kFail, RecordReaction::kDeadLetter,
     RunReaction::kStop, 500, 500, 70, "-"},
}};

/// The row of `code`. Total: every enumerator has one (tested).
constexpr const Reaction& ReactionOf(ErrorCode code) {
  return kReactions[static_cast<std::size_t>(code)];
}

/// The stable lower-case name of `code`, as logs, JSON and docs/errors.md spell it.
constexpr std::string_view NameOf(ErrorCode code) { return ReactionOf(code).name; }

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

  /// The value of a context key, if present.
  std::optional<std::string_view> Find(std::string_view key) const;

  /// "message (key=value, key=value)": the form that people read.
  std::string ToString() const;

 private:
  ErrorCode code_;
  std::string message_;
  Context context_;
  std::source_location place_;
};

}  // namespace pcw
