// The kinds of faults, and what each may be told: the one table that parsing, the ledger and docs
// follow.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace pcw::sim {

enum class FaultKind : std::uint8_t {
  kThrottle,
  kError,
  kReset,
  kSlow,
  kStall,
  kDelay,
  kTruncate,
  kMalformed,
  kLostAnswer,
  kExpiredToken,
  kAccessDenied,
  kNotFound,
  kEmptyPageWithToken,
  kRepeatedToken,
  kModifyBetweenPages,
  kInsertBetweenPages,
  kRemoveBetweenPages,
  kDuplicateInPage,
  kListLag,
  kSkew,
  kBadRecord,
  kUnknownMember,
  kUnknownEnum,
  kS3Conflict,
  kS3CompleteError,
  kSqsDuplicate,
  kSqsReorder,
  kSqsBatchFailure,
  kSqsEmptyReceive,
  kBusEntryFailure,
  kOddToken,
  kOddHeader
};
inline constexpr std::size_t kFaultKinds = 32;

/// A bit for each FaultKind.
using FaultMask = std::uint64_t;
constexpr FaultMask MaskOf(FaultKind kind) { return FaultMask{1} << static_cast<unsigned>(kind); }

/// One parameter of a kind: a number with bounds, or a word out of a list.
struct FaultParameter {
  std::string_view name;
  std::int64_t min = 0;
  std::int64_t max = 0;
  std::int64_t fallback = 0;
  std::span<const std::string_view> words{};  ///< not empty: a word; the first is the default
};

struct FaultSpec {
  FaultKind kind;
  std::string_view name;
  std::span<const FaultParameter> parameters;
};

/// The row of each kind, in the order of the enumeration.
std::span<const FaultSpec> FaultSpecs();

inline std::string_view NameOf(FaultKind kind) {
  return FaultSpecs()[static_cast<std::size_t>(kind)].name;
}

}  // namespace pcw::sim
