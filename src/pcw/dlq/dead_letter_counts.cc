#include "pcw/dlq/dead_letter_counts.h"

namespace pcw::dlq {
namespace {

constexpr std::string_view kOpenTotals =
    "SELECT count(*), count(*) FILTER (WHERE first_seen_at > now() - interval '24 hours'), "
    "count(*) "
    "FILTER (WHERE delivered_at IS NULL), count(*) FILTER (WHERE "
    "failed_replays >= $1::integer), count(*) FILTER (WHERE stage = 'event'), "
    "coalesce(to_char(min(first_seen_at) FILTER (WHERE delivered_at IS NULL) AT TIME ZONE 'UTC', "
    "'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), ''), coalesce(max(delivery_error), ''), "
    "coalesce(to_char(min(expires_at) FILTER (WHERE removed_at IS NULL) AT TIME ZONE 'UTC', "
    "'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), ''), count(*) FILTER (WHERE removed_at IS NULL AND now() > "
    "sent_at + (expires_at - sent_at) / 2) FROM dead_letters WHERE tenant_id = pcw_tenant() AND "
    "state = 'open'";

}  // namespace

Result<std::vector<OpenDeadLetters>> CountOpenByCause(pg::Connection& connection,
                                                      std::stop_token stop) {
  PCW_TRY(const pg::Rows rows,
          connection.Exec({"metrics_dead_letters",
                           "SELECT entity, stage, error_code, count(*) FROM dead_letters WHERE "
                           "tenant_id = pcw_tenant() AND state = 'open' GROUP BY 1, 2, 3 ORDER BY "
                           "1, stage || '/' || error_code"},
                          {}, stop));
  std::vector<OpenDeadLetters> counts;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    counts.push_back({.entity = std::string(rows.Text(row, 0)),
                      .stage = std::string(rows.Text(row, 1)),
                      .error_code = std::string(rows.Text(row, 2)),
                      .letters = rows.Int(row, 3)});
  }
  return counts;
}

Result<std::vector<std::pair<std::string, std::int64_t>>> CountOpenByEntity(
    pg::Connection& connection, Stage stage, std::stop_token stop) {
  PCW_TRY(const pg::Rows rows,
          connection.Exec({"open_letters_by_entity",
                           "SELECT entity, count(*) FROM dead_letters WHERE tenant_id = "
                           "pcw_tenant() AND state = 'open' AND stage = $1 GROUP BY 1 ORDER BY 1"},
                          {std::string(NameOf(stage))}, stop));
  std::vector<std::pair<std::string, std::int64_t>> counts;
  for (std::size_t row = 0; row < rows.size(); ++row)
    counts.emplace_back(rows.Text(row, 0), rows.Int(row, 1));
  return counts;
}

Result<OpenTotals> LoadOpenTotals(pg::Connection& connection, int loop_guard,
                                  std::stop_token stop) {
  PCW_TRY(const pg::Rows rows,
          connection.Exec({"doctor_dlq", kOpenTotals}, {std::to_string(loop_guard)}, stop));
  return OpenTotals{.open = rows.Int(0, 0),
                    .last_day = rows.Int(0, 1),
                    .undelivered = rows.Int(0, 2),
                    .guarded = rows.Int(0, 3),
                    .foreign = rows.Int(0, 4),
                    .oldest_undelivered_at = std::string(rows.Text(0, 5)),
                    .delivery_error = std::string(rows.Text(0, 6)),
                    .nearest_expiry_at = std::string(rows.Text(0, 7)),
                    .past_half_life = rows.Int(0, 8)};
}

}  // namespace pcw::dlq
