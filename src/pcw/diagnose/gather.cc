#include "pcw/diagnose/gather.h"

#include <algorithm>
#include <array>
#include <condition_variable>
#include <mutex>
#include <set>
#include <thread>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "pcw/aws/partner_central_account.h"
#include "pcw/aws/partner_central_selling.h"
#include "pcw/aws/sts.h"
#include "pcw/base/json.h"
#include "pcw/base/time.h"
#include "pcw/connector/raw_record.h"
#include "pcw/connector/request.h"
#include "pcw/diagnose/rules.h"
#include "pcw/diagnose/run_gather.h"
#include "pcw/diagnose/schema_gather.h"

namespace pcw::diagnose {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kStep{2'000};
constexpr std::int64_t kReadsOfADiagnosis = 10;
// A credential_process starts programs of its own; an embedded server has to start.
constexpr milliseconds kSlowStep{5'000};

/// A stop token that ends with its parent's or after a time.
class Deadline {
 public:
  Deadline(std::stop_token parent, milliseconds after)
      : forward_(parent, [this] { source_.request_stop(); }),
        timer_([this, after](std::stop_token stop) {
          std::unique_lock lock(mutex_);
          ended_.wait_for(lock, stop, after, [] { return false; });
          if (!stop.stop_requested()) source_.request_stop();
        }) {}
  std::stop_token token() const { return source_.get_token(); }

 private:
  std::stop_source source_;
  std::stop_callback<std::function<void()>> forward_;
  std::mutex mutex_;
  std::condition_variable_any ended_;
  std::jthread timer_;
};

// The IAM action behind a configured write.
std::string ActionOfWrite(std::string_view write) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kActions{
      {{"create", "CreateOpportunity"},
       {"associate", "AssociateOpportunity"},
       {"start_engagement", "StartEngagementFromOpportunityTask"},
       {"update", "UpdateOpportunity"}}};
  for (const auto& [name, operation] : kActions) {
    if (name == write) return std::string(operation);
  }
  return std::string(write);
}

std::string LastExecution(const Facts& facts, std::string_view operation) {
  if (facts.ledger) {
    for (const quota::OperationOutcome& outcome : facts.ledger->operations) {
      if (outcome.operation != operation) continue;
      if (outcome.last_error_at > outcome.last_ok_at)
        return fmt::format("last executed {}: {} {}", outcome.last_error_at,
                           outcome.last_error_code, outcome.last_aws_error);
      return fmt::format("last executed {}: ok", outcome.last_ok_at);
    }
  }
  return "not probed (would write)";
}

Result<LedgerFacts> LoadLedger(pg::Connection& connection, const std::string& account,
                               const quota::QuotaLimits& limits, std::stop_token stop) {
  const std::string_view service = aws::partner_central_selling::kService.id;
  LedgerFacts ledger;
  PCW_TRY(ledger.quota,
          quota::ShowQuota(connection, {.aws_account_id = account, .limits = limits}, stop));
  PCW_TRY(ledger.last_quarter_hour,
          quota::LoadSpentCalls(connection, account, service, std::chrono::minutes(15), stop));
  PCW_TRY(ledger.last_hour,
          quota::LoadSpentCalls(connection, account, service, std::chrono::hours(1), stop));
  PCW_TRY(ledger.last_day,
          quota::LoadSpentCalls(connection, account, service, std::chrono::hours(24), stop));
  PCW_TRY(ledger.operations, quota::LoadOperationOutcomes(connection, account, service, stop));
  return ledger;
}

class Gathering {
 public:
  Gathering(DoctorDeps& deps, std::stop_token stop) : deps_(deps), stop_(std::move(stop)) {
    facts_.settings = deps.settings;
    facts_.endpoints = deps.endpoints;
    facts_.database = deps.database;
    facts_.now = deps.clock.Now();
  }

  Facts Look() {
    {
      std::vector<std::jthread> threads;
      for (EndpointFacts& endpoint : facts_.endpoints)
        threads.emplace_back([this, &endpoint] { Probe(endpoint); });
      threads.emplace_back([this] { OpenDatabase(); });
      GetCredentials();
    }
    if (facts_.credentials && !IsBlocked(facts_, "sts")) AskIdentity();
    const std::string account =
        facts_.identity ? facts_.identity->account : facts_.settings.expected_account;
    if (connection_ && !account.empty()) ReadLedger(account);
    if (connection_) ReadSchema();
    if (connection_ && !facts_.database_error) ReadDeadLetters();
    if (connection_ && !facts_.database_error) ReadEvents();
    if (connection_ && !facts_.database_error) ReadRuns();
    {
      // Beside each other: they touch different facts.
      std::jthread link;
      if (WhyNothingIsTried().empty()) link = std::jthread([this] { AskForLink(); });
      const std::jthread bronze([this] { LookAtLake(); });
      TryActions(account);
    }
    return std::move(facts_);
  }

 private:
  void Probe(EndpointFacts& endpoint) {
    Result<net::EndpointProbe> probe =
        net::ProbeEndpoint(endpoint.url, deps_.probe, deps_.clock, stop_);
    if (probe) endpoint.probe = std::move(*probe);
  }

  void OpenDatabase() {
    const Deadline deadline(stop_, kSlowStep);
    Result<pg::Connection> opened = deps_.open_database(deadline.token());
    if (opened) {
      connection_.emplace(std::move(*opened));
    } else if (opened.error().code() == ErrorCode::kCancelled && !stop_.stop_requested()) {
      facts_.database_error = Error(ErrorCode::kTimeout, "the database did not answer in time");
    } else if (opened.error().code() != ErrorCode::kNotFound) {
      facts_.database_error = std::move(opened).error();
    }
  }

  void GetCredentials() {
    const Deadline deadline(stop_, kSlowStep);
    Result<aws::CredentialsPtr> got = deps_.credentials.Get(deadline.token());
    if (got) {
      facts_.credentials = *got;
    } else if (got.error().code() == ErrorCode::kCancelled && !stop_.stop_requested()) {
      facts_.credentials_error =
          Error(
              ErrorCode::kTimeout,
              fmt::format("the credentials took longer than the {} s that a diagnosis waits; a run "
                          "waits a minute",
                          kSlowStep.count() / 1000))
              .As(ErrorMark::kUnreachable)
              .With("unreachable", "in time");
    } else {
      facts_.credentials_error = std::move(got).error();
    }
  }

  void AskIdentity() {
    const Deadline deadline(stop_, kStep);
    aws::OpenQuotaGate open;
    auto caller = deps_.open_caller(aws::sts::kService, open);
    if (!caller) {
      facts_.identity_error = std::move(caller).error();
      return;
    }
    Result<aws::sts::CallerIdentity> identity =
        aws::sts::GetCallerIdentity(**caller, deadline.token());
    if (identity) {
      facts_.identity = std::move(*identity);
    } else {
      facts_.identity_error = InTime(std::move(identity).error());
    }
  }

  // Our own deadline is the other side's slowness.
  Error InTime(Error error) const {
    if (error.code() != ErrorCode::kCancelled || stop_.stop_requested()) return error;
    return Error(ErrorCode::kTimeout, fmt::format("no answer within {} s", kStep.count() / 1000));
  }

  void ReadLedger(const std::string& account) {
    const Deadline deadline(stop_, kStep);
    Result<LedgerFacts> ledger =
        LoadLedger(*connection_, account, facts_.settings.limits, deadline.token());
    if (ledger) {
      facts_.ledger = std::move(*ledger);
    } else {
      facts_.database_error = std::move(ledger).error();
    }
  }

  void ReadSchema() {
    const Deadline deadline(stop_, kStep);
    Result<SchemaFacts> schema =
        LoadSchemaFacts(*connection_, deps_.entities, deps_.mappings, deadline.token());
    if (schema) {
      facts_.schema = std::move(*schema);
    } else if (!facts_.database_error) {
      facts_.database_error = std::move(schema).error();
    }
  }

  void ReadRuns() {
    const Deadline deadline(stop_, kStep);
    Result<RunFacts> runs =
        LoadRunFacts(*connection_, deps_.entities, deps_.clock, deadline.token());
    if (runs) {
      facts_.runs = std::move(*runs);
    } else {
      facts_.database_error = std::move(runs).error();
    }
  }

  std::string WhyNothingIsTried() const {
    const std::string& expected = facts_.settings.expected_account;
    if (!facts_.credentials) return "not tried: no credentials";
    if (IsBlocked(facts_, aws::partner_central_selling::kService.id))
      return "not tried: the endpoint cannot be reached";
    if (facts_.identity_error && facts_.identity_error->code() == ErrorCode::kUnauthenticated)
      return "not tried: AWS refuses the credentials";
    if (facts_.identity && !expected.empty() && facts_.identity->account != expected)
      return "not tried: credentials of another account";
    return WhyTheQuotaForbids();
  }

  // A call that would have to wait for longer than a step would look like AWS's silence.
  std::string WhyTheQuotaForbids() const {
    if (!facts_.ledger) return "";
    for (const quota::QuotaStatus& status : facts_.ledger->quota) {
      if (status.quota_class != "read") continue;
      if (status.left_24h < kReadsOfADiagnosis) return "not tried: the daily quota is exhausted";
      const Result<WallTime> until = ParseRfc3339(status.paused_until);
      if (until && *until > deps_.clock.Now() + std::chrono::seconds(1))
        return fmt::format("not tried: the account pauses until {}", status.paused_until);
    }
    return "";
  }

  void TryActions(const std::string& account) {
    const std::string why_not = WhyNothingIsTried();
    std::unique_ptr<aws::QuotaGate> quota;
    if (connection_ && !account.empty() && why_not.empty()) {
      const Deadline deadline(stop_, kStep);
      if (auto opened = deps_.open_quota(account, deadline.token())) quota = std::move(*opened);
    }
    if (!quota) quota = std::make_unique<aws::OpenQuotaGate>();
    for (const connector::EntityDef* entity : deps_.entities) {
      for (const connector::SourceDef& source : entity->sources) TrySource(source, why_not, *quota);
    }
    for (const std::string& write : deps_.write_actions) {
      const std::string operation = ActionOfWrite(write);
      facts_.actions.push_back({.action = "partnercentral:" + operation,
                                .is_write = true,
                                .error = {},
                                .why_not = LastExecution(facts_, operation)});
    }
  }

  void ReadDeadLetters() {
    const Deadline deadline(stop_, kStep);
    Result<DlqFacts> dlq = LookAtDeadLetters(*connection_, deps_.tenant_id, deadline.token());
    // An older schema has none of this; the database's own section tells of a server in trouble.
    if (!dlq) return;
    dlq->queue_url = deps_.queue_url;
    if (!dlq->queue_url.empty()) {
      Result<aws::sqs::QueueAttributes> queue =
          deps_.look_at_queue(dlq->queue_url, deadline.token());
      if (queue) {
        dlq->queue = std::move(*queue);
      } else {
        dlq->queue_error = InTime(queue.error());
      }
    }
    facts_.dlq = std::move(*dlq);
  }

  void ReadEvents() {
    if (deps_.events_url.empty() && deps_.events_target.empty()) return;
    const Deadline deadline(stop_, kStep);
    EventsFacts events;
    events.queue_url = deps_.events_url;
    events.target = deps_.events_target;
    Result<events::InboxStatus> in = events::LoadInboxStatus(*connection_, deadline.token());
    if (!in) return;  // an older schema has none of this
    events.in = std::move(*in);
    Result<events::OutboxStatus> out = events::LoadOutboxStatus(*connection_, deadline.token());
    if (!out) return;
    events.out = std::move(*out);
    facts_.events = events;
    if (events.queue_url.empty()) return;
    Result<aws::sqs::QueueAttributes> queue =
        deps_.look_at_queue(events.queue_url, deadline.token());
    if (queue) {
      events.queue = std::move(*queue);
    } else {
      events.queue_error = InTime(queue.error());
    }
    facts_.events = std::move(events);
  }

  void LookAtLake() {
    const Deadline deadline(stop_, kSlowStep);
    const auto store = deps_.open_lake();
    if (!store) {
      facts_.bronze.was_looked_at = true;
      facts_.bronze.lake = "lake.url";
      facts_.bronze.error = store.error();
      return;
    }
    facts_.bronze = LookAtBronze(**store, connection_ ? &*connection_ : nullptr, deps_.entities,
                                 facts_.now, deadline.token());
    if (facts_.bronze.error) facts_.bronze.error = InTime(*facts_.bronze.error);
  }

  void AskForLink() {
    const Deadline deadline(stop_, kStep);
    aws::OpenQuotaGate open;
    auto caller = deps_.open_caller(aws::partner_central_account::kService, open);
    if (!caller) return;
    facts_.link.was_asked = true;
    const auto listed =
        (*caller)->Call(aws::partner_central_account::kListPartners,
                        DumpJson(Json{{"Catalog", facts_.settings.catalog}}), deadline.token());
    if (!listed) {
      facts_.link.error = listed.error();
    } else if (facts_.identity) {
      // The account stands in the partner's ARN.
      facts_.link.has_partner =
          listed->body.find(fmt::format(":{}:", facts_.identity->account)) != std::string::npos;
    }
  }

  static std::string ActionOf(const aws::Operation& operation) {
    return fmt::format("partnercentral:{}", operation.name);
  }

  // The read actions of one source, each tried once.
  void TrySource(const connector::SourceDef& source, const std::string& why_not,
                 aws::QuotaGate& quota) {
    const auto facts_of = [&](const aws::Operation& operation) {
      ActionFacts facts;
      facts.action = ActionOf(operation);
      facts.why_not = !why_not.empty() ? why_not : WhySilent(*operation.service);
      return facts;
    };
    ActionFacts list = facts_of(*source.list);
    auto caller = deps_.open_caller(*source.list->service, quota);
    std::string body;
    if (list.why_not.empty() && caller) body = TryList(**caller, source, list);
    facts_.actions.push_back(list);
    for (const aws::Operation* operation : {source.detail, source.companion}) {
      if (operation == nullptr) continue;
      ActionFacts detail = facts_of(*operation);
      if (list.was_tried && detail.why_not.empty())
        TryDetail(**caller, source, *operation, list, body, detail);
      facts_.actions.push_back(std::move(detail));
    }
  }

  // One silence of a service is enough to know about it; the next call would only take time.
  std::string WhySilent(const aws::ServiceDef& service) const {
    return silent_.contains(service.id) ? fmt::format("not tried: {} does not answer", service.id)
                                        : "";
  }

  void NoteSilence(const aws::ServiceDef& service, const std::optional<Error>& error) {
    if (error && error->code() == ErrorCode::kTimeout) silent_.insert(service.id);
  }

  // The answer's body; empty if there is none.
  std::string TryList(aws::Caller& caller, const connector::SourceDef& source, ActionFacts& list) {
    const Deadline deadline(stop_, kStep);
    auto listed = caller.Call(*source.list,
                              connector::ListRequest(source, {.catalog = facts_.settings.catalog,
                                                              .page_size = 1,
                                                              .next_token = {},
                                                              .sort_by = source.full_sort,
                                                              .modified_after = {}}),
                              deadline.token());
    list.was_tried = true;
    if (!listed) {
      list.error = InTime(listed.error());
      NoteSilence(*source.list->service, list.error);
      return "";
    }
    if (listed->server_date) facts_.clock_ahead = listed->received_at - *listed->server_date;
    return std::move(listed->body);
  }

  void TryDetail(aws::Caller& caller, const connector::SourceDef& source,
                 const aws::Operation& operation, const ActionFacts& list, const std::string& body,
                 ActionFacts& detail) {
    std::string key(source.no_record);
    if (list.error) {
      // Denied too? Rights are told by the operation, whatever the record.
      if (list.error->code() != ErrorCode::kPermissionDenied) {
        detail.why_not = "not tried: there is no list to take a record from";
        return;
      }
    } else {
      const Result<connector::Page> page = connector::ReadListPage(body, source);
      if (!page || page->items.empty()) {
        detail.why_not = "not tried: there is no record to get";
        return;
      }
      key = page->items.front().key;
    }
    const Deadline deadline(stop_, kStep);
    const auto got =
        caller.Call(operation, connector::DetailRequest(source, facts_.settings.catalog, key),
                    deadline.token());
    detail.was_tried = true;
    if (!got && got.error().code() != ErrorCode::kNotFound) detail.error = InTime(got.error());
    NoteSilence(*operation.service, detail.error);
  }

  DoctorDeps& deps_;
  const std::stop_token stop_;
  Facts facts_;
  std::set<std::string_view> silent_;  ///< services that let a call run out of time
  std::optional<pg::Connection> connection_;
};

}  // namespace

Facts Gather(DoctorDeps& deps, std::stop_token stop) { return Gathering(deps, stop).Look(); }

}  // namespace pcw::diagnose
