#include "pcw/quota/call_ledger.h"

#include "pcw/base/time.h"

namespace pcw::quota {

Result<std::vector<SpentCalls>> LoadSpentCalls(pg::Connection& connection,
                                               std::string_view aws_account_id,
                                               std::string_view service,
                                               std::chrono::minutes minutes, std::stop_token stop) {
  PCW_TRY(const pg::Rows rows,
          connection.Exec(
              {"calls_read",
               "SELECT class, operation, spender, calls, throttled, refused, failed FROM "
               "calls_read($1, $2, $3::bigint * interval '1 minute')"},
              {std::string(aws_account_id), std::string(service), std::to_string(minutes.count())},
              stop));
  std::vector<SpentCalls> spent;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    spent.push_back({.quota_class = std::string(rows.Text(i, 0)),
                     .operation = std::string(rows.Text(i, 1)),
                     .spender = std::string(rows.Text(i, 2)),
                     .calls = rows.Int(i, 3),
                     .throttled = rows.Int(i, 4),
                     .refused = rows.Int(i, 5),
                     .failed = rows.Int(i, 6)});
  }
  return spent;
}

Result<std::vector<CallTotals>> LoadCallTotals(pg::Connection& connection,
                                               std::string_view aws_account_id,
                                               std::stop_token stop) {
  PCW_TRY(const pg::Rows rows,
          connection.Exec({"calls_totals",
                           "SELECT service, operation, ok, throttled, refused, failed FROM "
                           "calls_totals($1)"},
                          {std::string(aws_account_id)}, stop));
  std::vector<CallTotals> totals;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    totals.push_back({.service = std::string(rows.Text(i, 0)),
                      .operation = std::string(rows.Text(i, 1)),
                      .ok = rows.Int(i, 2),
                      .throttled = rows.Int(i, 3),
                      .refused = rows.Int(i, 4),
                      .failed = rows.Int(i, 5)});
  }
  return totals;
}

Result<std::vector<OperationOutcome>> LoadOperationOutcomes(pg::Connection& connection,
                                                            std::string_view aws_account_id,
                                                            std::string_view service,
                                                            std::stop_token stop) {
  PCW_TRY(const pg::Rows rows,
          connection.Exec(
              {"operations_read",
               "SELECT operation, to_char(last_ok_at AT TIME ZONE 'UTC', "
               "'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), to_char(last_error_at AT TIME ZONE 'UTC', "
               "'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), last_error_code, last_aws_error FROM "
               "operations_read($1, $2)"},
              {std::string(aws_account_id), std::string(service)}, stop));
  std::vector<OperationOutcome> outcomes;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    outcomes.push_back({.operation = std::string(rows.Text(i, 0)),
                        .last_ok_at = std::string(rows.Text(i, 1)),
                        .last_error_at = std::string(rows.Text(i, 2)),
                        .last_error_code = std::string(rows.Text(i, 3)),
                        .last_aws_error = std::string(rows.Text(i, 4))});
  }
  return outcomes;
}

Result<std::vector<MinuteUse>> LoadMinuteUse(pg::Connection& connection,
                                             std::string_view aws_account_id,
                                             std::string_view service, std::string_view quota_class,
                                             std::stop_token stop) {
  PCW_TRY(const pg::Rows rows,
          connection.Exec(
              {"quota_buckets",
               "SELECT (extract(epoch FROM bucket))::bigint, calls FROM "
               "quota_buckets($1, $2, $3)"},
              {std::string(aws_account_id), std::string(service), std::string(quota_class)}, stop));
  std::vector<MinuteUse> used;
  for (std::size_t i = 0; i < rows.size(); ++i)
    used.push_back({WallTime(std::chrono::seconds(rows.Int(i, 0))), rows.Int(i, 1)});
  return used;
}

}  // namespace pcw::quota
