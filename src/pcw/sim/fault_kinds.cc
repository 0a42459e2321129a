#include "pcw/sim/fault_kinds.h"

#include <array>

namespace pcw::sim {
namespace {

using namespace std::literals;

constexpr std::array kErrorBodies{"json"sv, "html"sv, "empty"sv, "foreign"sv};
constexpr std::array kTruncations{"cut"sv, "matched"sv};
constexpr std::array kMalformations{"html"sv, "invalid_json"sv, "missing_member"sv, "empty"sv,
                                    "depth_bomb"sv};
constexpr std::array kBadRecords{
    "missing_modified"sv, "missing_id"sv,    "wrong_type"sv,      "nul_in_string"sv,
    "lone_surrogate"sv,   "invalid_utf8"sv,  "huge_field"sv,      "bad_date"sv,
    "other_id"sv,         "big_integer"sv,   "long_integer"sv,    "big_exponent"sv,
    "byte_order_mark"sv,  "deep"sv,          "not_json"sv,        "number_id"sv,
    "nul_in_id"sv,        "long_id"sv,       "invalid_utf8_id"sv, "duplicate_text"sv,
    "future_date"sv,      "whole_seconds"sv, "amount_number"sv,   "amount_beyond_64_bits"sv,
    "amount_exponent"sv,  "amount_empty"sv,  "amount_words"sv};
constexpr std::array kOddTokens{"number"sv, "object"sv, "lone_surrogate"sv};
constexpr std::array kOddTokenParameters{FaultParameter{"variant", 0, 0, 0, kOddTokens}};

constexpr std::array kThrottleParameters{
    FaultParameter{"retry_after_ms", 0, 3'600'000, -1},  // header x-amz-retry-after
    FaultParameter{"retry_after_s", 0, 3'600, -1}};      // header Retry-After
constexpr std::array kErrorParameters{FaultParameter{"status", 400, 599, 500},
                                      FaultParameter{"body", 0, 0, 0, kErrorBodies}};
constexpr std::array kResetParameters{FaultParameter{"after_bytes", 0, 100'000'000, 0}};
constexpr std::array kStallParameters{FaultParameter{"after_bytes", 0, 100'000'000, 0}};
constexpr std::array kSlowParameters{FaultParameter{"bytes_per_second", 1, 100'000'000, 1'000}};
constexpr std::array kDelayParameters{FaultParameter{"ms", 1, 3'600'000, 1'000}};
constexpr std::array kTruncateParameters{FaultParameter{"length", 0, 0, 0, kTruncations},
                                         FaultParameter{"keep_percent", 0, 99, 50}};
constexpr std::array kMalformedParameters{FaultParameter{"body", 0, 0, 0, kMalformations}};
constexpr std::array kCountParameters{FaultParameter{"n", 1, 100'000, 1}};
constexpr std::array kBusCodes{"InternalFailure"sv, "ThrottlingException"sv, "InvalidArgument"sv};
constexpr std::array kBusParameters{FaultParameter{"n", 1, 10, 1},
                                    FaultParameter{"code", 0, 0, 0, kBusCodes}};
constexpr std::array kLagParameters{FaultParameter{"seconds", 1, 86'400, 600}};
constexpr std::array kSkewOf{"service"sv, "date"sv, "no_date"sv};
constexpr std::array kSkewParameters{FaultParameter{"minutes", -100'000, 100'000, 10},
                                     FaultParameter{"of", 0, 0, 0, kSkewOf}};
constexpr std::array kUnknownMemberParameters{FaultParameter{"random", 0, 100'000, 0}};
constexpr std::array kBadRecordParameters{FaultParameter{"variant", 0, 0, 0, kBadRecords},
                                          FaultParameter{"bytes", 1, 64'000'000, 10'000'000},
                                          FaultParameter{"item", 0, 1'000, 0}};

constexpr std::array<FaultSpec, kFaultKinds> kSpecs{{
    {FaultKind::kThrottle, "throttle", kThrottleParameters},
    {FaultKind::kError, "error", kErrorParameters},
    {FaultKind::kReset, "reset", kResetParameters},
    {FaultKind::kSlow, "slow", kSlowParameters},
    {FaultKind::kStall, "stall", kStallParameters},
    {FaultKind::kDelay, "delay", kDelayParameters},
    {FaultKind::kTruncate, "truncate", kTruncateParameters},
    {FaultKind::kMalformed, "malformed", kMalformedParameters},
    {FaultKind::kLostAnswer, "lost_answer", {}},
    {FaultKind::kExpiredToken, "expired_token", {}},
    {FaultKind::kAccessDenied, "access_denied", {}},
    {FaultKind::kNotFound, "not_found", {}},
    {FaultKind::kEmptyPageWithToken, "empty_page_with_token", {}},
    {FaultKind::kRepeatedToken, "repeated_token", {}},
    {FaultKind::kModifyBetweenPages, "modify_between_pages", kCountParameters},
    {FaultKind::kInsertBetweenPages, "insert_between_pages", kCountParameters},
    {FaultKind::kRemoveBetweenPages, "remove_between_pages", kCountParameters},
    {FaultKind::kDuplicateInPage, "duplicate_in_page", {}},
    {FaultKind::kListLag, "list_lag", kLagParameters},
    {FaultKind::kSkew, "skew", kSkewParameters},
    {FaultKind::kBadRecord, "bad_record", kBadRecordParameters},
    {FaultKind::kUnknownMember, "unknown_member", kUnknownMemberParameters},
    {FaultKind::kUnknownEnum, "unknown_enum", {}},
    {FaultKind::kS3Conflict, "s3_conflict", {}},
    {FaultKind::kS3CompleteError, "s3_complete_error", {}},
    {FaultKind::kSqsDuplicate, "sqs_duplicate", {}},
    {FaultKind::kSqsReorder, "sqs_reorder", {}},
    {FaultKind::kSqsBatchFailure, "sqs_batch_failure", kCountParameters},
    {FaultKind::kSqsEmptyReceive, "sqs_empty_receive", {}},
    {FaultKind::kBusEntryFailure, "bus_entry_failure", kBusParameters},
    {FaultKind::kOddToken, "odd_token", kOddTokenParameters},
    {FaultKind::kOddHeader, "odd_header", {}},
}};

}  // namespace

std::span<const FaultSpec> FaultSpecs() { return kSpecs; }

}  // namespace pcw::sim
