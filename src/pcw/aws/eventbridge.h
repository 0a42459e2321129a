// EventBridge: PutEvents (docs/aws-facts.md 18; JSON 1.1).
#pragma once

#include <cstddef>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "pcw/aws/caller.h"
#include "pcw/aws/operation.h"
#include "pcw/base/clock.h"
#include "pcw/base/result.h"

namespace pcw::aws::eventbridge {

inline constexpr ServiceDef kService{
    .id = "events",
    .signing_name = "events",
    .target_prefix = "AWSEvents",
    .endpoint_env = "EVENTBRIDGE",
    .config_key = "eventbridge",
    .host_pattern = "events.{region}.amazonaws.com",
    .only_region = "",
    .protocol = Protocol::kJson11,
};

/// EventBridge delivers at least once whatever we do, so sending again is safe as far as it goes.
inline constexpr Operation kPutEvents{&kService, "PutEvents", Idempotency::kIdempotent,
                                      QuotaClass::kNone, "Entries"};

/// What one call takes.
inline constexpr std::size_t kMostEntries = 10;
/// All entries of a call together, by AWS's own way of counting; AWS refuses from 256 KiB on.
inline constexpr std::size_t kMostBytes = 250'000;

struct Entry {
  std::string source, detail_type;
  std::string detail;  ///< a JSON object
  WallTime time{};
};

/// How AWS counts an entry: 14 bytes for the time, and every text in UTF-8.
std::size_t SizeOf(const Entry& entry);

/// What became of one entry; `error_code` is empty if the bus has it.
struct EntryOutcome {
  std::string event_id, error_code, error_message;
  /// Another try may succeed: only these two codes say so.
  bool may_pass() const {
    return error_code == "InternalFailure" || error_code == "ThrottlingException";
  }
};

/// Sends at most kMostEntries of at most kMostBytes to a bus, given by name or ARN. One outcome an
/// entry, in their order: a 200 holds failures too (T12). Errors as Caller, and kUnavailable for an
/// answer that does not account for every entry.
Result<std::vector<EntryOutcome>> PutEvents(Caller& caller, std::string_view bus,
                                            const std::vector<Entry>& entries,
                                            std::stop_token stop);

}  // namespace pcw::aws::eventbridge
