// What the calls of an account came to, and who made them: pcw's own answer to "who spent the
// quota".
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "pcw/base/clock.h"
#include "pcw/pg/connection.h"

namespace pcw::quota {

/// Calls of one operation by one spender within a time.
struct SpentCalls {
  std::string quota_class;  ///< "read" or "write"
  std::string operation;
  std::string spender;
  std::int64_t calls = 0;
  std::int64_t throttled = 0;
  std::int64_t refused = 0;  ///< authentication and permission
  std::int64_t failed = 0;
};

/// Of the last `minutes`, most calls first.
Result<std::vector<SpentCalls>> LoadSpentCalls(pg::Connection& connection,
                                               std::string_view aws_account_id,
                                               std::string_view service,
                                               std::chrono::minutes minutes, std::stop_token stop);

/// How all calls of one operation ever ended: counters that only grow.
struct CallTotals {
  std::string service;  ///< "partnercentral-selling"
  std::string operation;
  std::int64_t ok = 0;
  std::int64_t throttled = 0;
  std::int64_t refused = 0;  ///< authentication and permission
  std::int64_t failed = 0;
};

/// Of all services of the account.
Result<std::vector<CallTotals>> LoadCallTotals(pg::Connection& connection,
                                               std::string_view aws_account_id,
                                               std::stop_token stop);

/// How the latest calls of one operation ended; times are RFC 3339, empty = never.
struct OperationOutcome {
  std::string operation;
  std::string last_ok_at;
  std::string last_error_at;
  std::string last_error_code;  ///< of ours: "throttled"
  std::string last_aws_error;   ///< AWS's name for it, empty if AWS did not answer
};

Result<std::vector<OperationOutcome>> LoadOperationOutcomes(pg::Connection& connection,
                                                            std::string_view aws_account_id,
                                                            std::string_view service,
                                                            std::stop_token stop);

/// Calls granted within one minute.
struct MinuteUse {
  WallTime minute;
  std::int64_t calls = 0;
};

/// The minutes of the rolling day that are not empty, oldest first.
Result<std::vector<MinuteUse>> LoadMinuteUse(pg::Connection& connection,
                                             std::string_view aws_account_id,
                                             std::string_view service, std::string_view quota_class,
                                             std::stop_token stop);

}  // namespace pcw::quota
