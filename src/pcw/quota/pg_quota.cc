#include "pcw/quota/pg_quota.h"

#include <algorithm>
#include <map>
#include <mutex>

#include <fmt/format.h>

#include "pcw/base/log.h"
#include "pcw/base/time.h"
#include "pcw/pg/session.h"
#include "pcw/quota/slot_bucket.h"

namespace pcw::quota {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr milliseconds kDatabasePatience{10'000};
constexpr std::chrono::seconds kBetweenWrites{1};

std::string_view NameOf(aws::QuotaClass quota_class) {
  return quota_class == aws::QuotaClass::kWrite ? "write" : "read";
}

}  // namespace

struct PgQuota::State {
  pg::ConnectOptions connect;
  std::string tenant_id;
  PgQuotaOptions options;
  Clock& clock;
  Sleeper& sleeper;
  std::mutex mutex;
  std::optional<pg::Connection> connection;                               // guarded by mutex
  std::map<std::pair<std::string, aws::QuotaClass>, SlotBucket> buckets;  // guarded by mutex
  std::map<const aws::Operation*, EndedCalls> unwritten;                  // guarded by mutex
  SteadyTime next_write{};                                                // guarded by mutex

  State(pg::ConnectOptions c, PgQuotaOptions o, Clock& k, Sleeper& s)
      : connect(std::move(c)), options(std::move(o)), clock(k), sleeper(s) {}

  SlotBucket& BucketOf(const aws::Operation& operation) {
    SlotBucket& bucket = buckets[{std::string(operation.service->id), operation.quota_class}];
    const bool is_write = operation.quota_class == aws::QuotaClass::kWrite;
    bucket.rate = is_write ? options.limits.writes_per_second : options.limits.reads_per_second;
    bucket.day_limit = is_write ? options.limits.writes_per_day : options.limits.reads_per_day;
    bucket.kept = KeptOfDay(options.limits, is_write, options.purpose);
    return bucket;
  }

  // What ended since it was last written down. Losing it on a failure loses only history.
  void WriteEnded() {
    next_write = clock.Steady() + kBetweenWrites;
    for (const auto& [operation, ended] : std::exchange(unwritten, {})) {
      const auto written = connection->Exec(
          {"calls_note",
           "SELECT calls_note($1, $2, $3, $4, $5, $6::bigint, $7::bigint, $8::bigint, $9::bigint, "
           "$10, $11)"},
          {options.aws_account_id, std::string(operation->service->id),
           std::string(NameOf(operation->quota_class)), std::string(operation->name),
           options.spender, std::to_string(ended.ok), std::to_string(ended.throttled),
           std::to_string(ended.refused), std::to_string(ended.failed), ended.error_code,
           ended.aws_error});
      if (!written) {
        LogError("the ledger of calls could not be written", written.error());
        return;
      }
    }
  }

  Status Connect(std::stop_token stop) {
    if (connection && connection->is_usable()) return Ok{};
    connection.reset();
    const SteadyTime give_up = clock.Steady() + kDatabasePatience;
    for (;;) {
      // The ledger is not a tenant's; the session is the service's all the same (I28).
      Result<pg::ServiceSession> opened =
          pg::OpenService(connect, tenant_id, pg::SuperuserLogin::kWarn, stop);
      if (opened) {
        connection.emplace(std::move(opened->connection));
        return Ok{};
      }
      if (opened.error().code() != ErrorCode::kUnavailable || clock.Steady() >= give_up)
        return std::move(opened).error();
      if (!sleeper.SleepFor(milliseconds(100), stop))
        return Error(ErrorCode::kCancelled, "stopped while waiting for the quota ledger");
    }
  }

  Status LeaseSlots(const aws::Operation& operation, SlotBucket& bucket, std::stop_token stop) {
    PCW_TRY_OK(Connect(stop));
    // First: what lay unused must not be missing from the day that is now asked for more.
    Return({std::string(operation.service->id), operation.quota_class}, bucket);
    auto rows = connection->Exec(
        {"quota_lease",
         "SELECT granted, delay_us, day_left, to_char(free_at AT TIME ZONE 'UTC', "
         "'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), clock_timestamp(), slots_end FROM quota_lease($1, $2, "
         "$3, $4::integer, $5::bigint, $6::integer, $7::bigint)"},
        {options.aws_account_id, std::string(operation.service->id),
         std::string(NameOf(operation.quota_class)), std::to_string(bucket.chunk()),
         std::to_string(bucket.interval().count()), std::to_string(options.limits.burst),
         std::to_string(bucket.day_limit - bucket.kept)},
        stop);
    if (!rows) return std::move(rows).error();
    const SteadyTime now = clock.Steady();
    const auto granted = rows->Int(0, 0);
    if (!unwritten.empty() && clock.Steady() >= next_write) WriteEnded();
    if (granted == 0) {
      return Error(ErrorCode::kThrottled,
                   fmt::format("daily quota exhausted: the {} {} calls of the rolling 24 hours are "
                               "spent{}; the next are "
                               "free at {}",
                               bucket.day_limit - bucket.kept, NameOf(operation.quota_class),
                               bucket.kept == 0 ? ""
                                                : fmt::format(" ({} more are kept for writes and "
                                                              "diagnosis)",
                                                              bucket.kept),
                               rows->Text(0, 3)))
          .Because(Reason::kQuotaSpent)
          .With("free_at", std::string(rows->Text(0, 3)));
    }
    bucket.leased_at = rows->Text(0, 4);
    bucket.lease_end = rows->Text(0, 5);
    bucket.Add(now + microseconds(rows->Int(0, 1)), granted);
    return Ok{};
  }

  // `lease_end` absent: the slots have passed, only the day gets them back.
  void GiveBack(const std::pair<std::string, aws::QuotaClass>& key, const SlotBucket& bucket,
                std::size_t slots, const pg::Param& lease_end) {
    if (slots == 0 || !connection || !connection->is_usable())
      return;  // then they count as used, which is safe
    auto returned = connection->Exec(
        {"quota_return",
         "SELECT quota_return($1, $2, $3, $4::integer, $5::timestamptz, $6::bigint, "
         "$7::timestamptz)"},
        {options.aws_account_id, key.first, std::string(NameOf(key.second)), std::to_string(slots),
         bucket.leased_at, std::to_string(bucket.interval().count()), lease_end});
    if (!returned)
      LogError("unused quota could not be given back; it counts as used", returned.error());
  }

  void Return(const std::pair<std::string, aws::QuotaClass>& key, SlotBucket& bucket) {
    // Slots still to come go back to the schedule as well, unless others leased behind them.
    GiveBack(key, bucket, bucket.slots.size(), bucket.lease_end);
    GiveBack(key, bucket, static_cast<std::size_t>(bucket.stale), std::nullopt);
    bucket.slots.clear();
    bucket.stale = 0;
  }
};

PgQuota::PgQuota(std::unique_ptr<State> state) : state_(std::move(state)) {}

PgQuota::~PgQuota() {
  const std::lock_guard lock(state_->mutex);
  for (auto& [key, bucket] : state_->buckets) {
    if (bucket.rate > 0) state_->Return(key, bucket);
  }
  if (!state_->unwritten.empty() && state_->connection && state_->connection->is_usable())
    state_->WriteEnded();
}

Result<std::unique_ptr<PgQuota>> PgQuota::Create(pg::ConnectOptions connect,
                                                 const std::string& tenant_id,
                                                 PgQuotaOptions options, Clock& clock,
                                                 Sleeper& sleeper, std::stop_token stop) {
  auto state = std::make_unique<State>(std::move(connect), std::move(options), clock, sleeper);
  state->tenant_id = tenant_id;
  // Another process that hangs with the account's row must not hang this one for good.
  state->connect.statement_timeout = kDatabasePatience;
  PCW_TRY_OK(state->Connect(stop));
  return std::unique_ptr<PgQuota>(new PgQuota(std::move(state)));
}

Status PgQuota::Acquire(const aws::Operation& operation, std::stop_token stop) {
  for (;;) {
    SteadyTime slot;
    {
      const std::lock_guard lock(state_->mutex);
      SlotBucket& bucket = state_->BucketOf(operation);
      if (bucket.rate == 0) return Ok{};
      bucket.DropStale(state_->clock.Steady(), state_->options.limits.burst);
      if (bucket.slots.empty()) PCW_TRY_OK(state_->LeaseSlots(operation, bucket, stop));
      slot = bucket.slots.front();
      bucket.slots.pop_front();
    }
    const auto wait = std::chrono::duration_cast<microseconds>(slot - state_->clock.Steady());
    if (!state_->sleeper.SleepFor(wait, stop))
      return Error(ErrorCode::kCancelled, "stopped while waiting for the quota");
    const std::lock_guard lock(state_->mutex);
    SlotBucket& bucket = state_->BucketOf(operation);
    // A slot that was not used goes back to the day; the call takes another one.
    if (bucket.Use(slot, state_->clock.Steady(), state_->options.limits.burst) == SlotUse::kSend)
      return Ok{};
  }
}

void PgQuota::OnThrottled(const aws::Operation& operation, milliseconds delay) {
  const std::lock_guard lock(state_->mutex);
  SlotBucket& bucket = state_->BucketOf(operation);
  if (bucket.rate == 0) return;
  const microseconds pause = bucket.Pause(state_->clock.Steady(), delay);
  state_->Return({std::string(operation.service->id), operation.quota_class}, bucket);
  bucket.slots.clear();
  if (!state_->connection || !state_->connection->is_usable()) return;
  auto paused = state_->connection->Exec(
      {"quota_pause", "SELECT quota_pause($1, $2, $3, $4::bigint)"},
      {state_->options.aws_account_id, std::string(operation.service->id),
       std::string(NameOf(operation.quota_class)), std::to_string(pause.count())});
  if (!paused)
    LogError("the pause after a throttle could not be shared with other processes", paused.error());
}

void PgQuota::OnEnded(const aws::Operation& operation, const Error* error) {
  const std::lock_guard lock(state_->mutex);
  state_->unwritten[&operation].Note(error);
}

Result<std::vector<QuotaStatus>> ShowQuota(pg::Connection& connection,
                                           const PgQuotaOptions& options, std::stop_token stop) {
  std::vector<QuotaStatus> statuses;
  for (const aws::QuotaClass quota_class : {aws::QuotaClass::kRead, aws::QuotaClass::kWrite}) {
    const bool is_write = quota_class == aws::QuotaClass::kWrite;
    const int rate = is_write ? options.limits.writes_per_second : options.limits.reads_per_second;
    PCW_TRY(const pg::Rows rows,
            connection.Exec(
                {"quota_read",
                 "SELECT used_last_minute, used_last_hour, used_24h, to_char(paused_until AT TIME "
                 "ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), "
                 "to_char(full_again_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), "
                 "quota_last_second($1, 'partnercentral-selling', $2, $3::bigint) FROM "
                 "quota_read($1, 'partnercentral-selling', $2)"},
                {options.aws_account_id, std::string(NameOf(quota_class)),
                 std::to_string(IntervalOf(rate).count())},
                stop));
    QuotaStatus status;
    status.aws_account_id = options.aws_account_id;
    status.service = "partnercentral-selling";
    status.quota_class = NameOf(quota_class);
    status.per_second = rate;
    status.per_day = is_write ? options.limits.writes_per_day : options.limits.reads_per_day;
    status.bulk_per_day = is_write ? status.per_day : options.limits.bulk_reads_per_day();
    status.used_last_second = rows.Int(0, 5);
    status.used_last_minute = rows.Int(0, 0);
    status.used_last_hour = rows.Int(0, 1);
    status.used_24h = rows.Int(0, 2);
    status.left_24h = std::max<std::int64_t>(0, status.per_day - status.used_24h);
    status.paused_until = rows.Text(0, 3);
    status.full_again_at = rows.Text(0, 4);
    statuses.push_back(std::move(status));
  }
  return statuses;
}

}  // namespace pcw::quota
