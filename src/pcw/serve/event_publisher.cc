#include "pcw/serve/event_publisher.h"

#include <algorithm>

#include "pcw/aws/endpoint.h"
#include "pcw/aws/eventbridge.h"
#include "pcw/base/backoff.h"
#include "pcw/base/log.h"
#include "pcw/net/curl_http_client.h"
#include "pcw/pg/session.h"

namespace pcw::serve {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kBetweenOutboxLooks{500};
constexpr milliseconds kLongestTrouble{60'000};
constexpr milliseconds kBusTotal{20'000};
constexpr std::string_view kBusPrefix = "eventbridge:";

}  // namespace

Result<std::unique_ptr<TargetAccess>> TargetAccess::Open(
    const config::Config& config, const std::map<std::string, std::string>& environment,
    wiring::Machine& machine) {
  std::unique_ptr<TargetAccess> access(new TargetAccess());
  const auto& out = config.events.out;
  if (!out.url.starts_with(kBusPrefix)) {
    access->http_ = std::make_unique<net::CurlHttpClient>(net::CurlOptions{
        .ca_bundle = aws::Lookup(environment, "AWS_CA_BUNDLE").value_or(""),
        .proxy = "",
        .plain_http_hosts = {},
        .addresses = out.is_private ? net::AddressRule::kNoMetadata : net::AddressRule::kPublic});
    access->target_ = std::make_unique<events::WebhookTarget>(
        events::WebhookOptions{.url = out.url, .secret = out.secret}, *access->http_,
        machine.clock);
    return access;
  }
  PCW_TRY(access->identity_, wiring::OpenIdentity(config, environment, machine));
  aws::CallerOptions tuning;
  tuning.limits.first_byte = tuning.limits.total = kBusTotal;
  PCW_TRY(access->caller_, wiring::OpenCaller(aws::eventbridge::kService, *access->identity_,
                                              access->gate_, machine, tuning));
  access->target_ =
      std::make_unique<events::BusTarget>(out.url.substr(kBusPrefix.size()), *access->caller_);
  return access;
}

EventPublisher::EventPublisher(ServeDeps& deps, wiring::TenantDirectory::Tenant tenant)
    : deps_(deps), tenant_(std::move(tenant)), session_(deps, "events") {
  thread_ = std::jthread([this](std::stop_token stop) { Publish(stop); });
}

void EventPublisher::Publish(const std::stop_token& stop) {
  const LogScope scope({{"role", "events"}, {"tenant", tenant_.name}});
  while (!stop.stop_requested()) {
    pg::Connection* connection = session_.Get(stop);
    if (connection == nullptr) continue;
    const Result<events::PublishReport> report = PublishSome(*connection, stop);
    if (!report && !connection->is_usable()) {
      session_.Failed("delivering changes", report.error());
      continue;
    }
    session_.Worked();
    milliseconds pause = kLongestTrouble;
    if (report) {
      pause = PauseAfter(*report);
    } else if (report.error().code() != ErrorCode::kCancelled && troubles_++ == 0) {
      LogError("changes are kept, but cannot be delivered; it is tried again", report.error());
    }
    if (pause > milliseconds(0)) deps_.machine.sleeper.SleepFor(pause, stop);
  }
}

Result<events::PublishReport> EventPublisher::PublishSome(pg::Connection& connection,
                                                          const std::stop_token& stop) {
  if (session_.TakeIsNew()) PCW_TRY_OK(pg::ChangeTenant(connection, tenant_.id, stop));
  const config::Config& config = *tenant_.config;
  if (!access_) {
    PCW_TRY(access_, TargetAccess::Open(config, deps_.invocation.environment, deps_.machine));
  }
  return events::PublishOnce(connection, access_->target(),
                             {.give_up_after = config.events.out.give_up_after}, deps_.machine.rng,
                             stop);
}

milliseconds EventPublisher::PauseAfter(const events::PublishReport& report) {
  if (report.failed > 0) {
    Log(LogLevel::kWarn, "changes were given up; `pcw events redeliver` tries them again",
        {{"count", std::to_string(report.failed)}, {"error", report.error}});
  }
  const bool is_trouble = report.is_target_trouble || report.rest.has_value();
  if (is_trouble) {
    if (troubles_ == 0) {
      Log(LogLevel::kWarn, "the target of changes is in trouble; they are kept and tried again",
          {{"error", report.error}});
    }
    const milliseconds backoff = PauseBefore({.first = milliseconds(500), .most = kLongestTrouble},
                                             troubles_++, deps_.machine.rng);
    return std::max(backoff, report.rest.value_or(milliseconds(0)));
  }
  if (report.delivered > 0 && std::exchange(troubles_, 0) > 0)
    Log(LogLevel::kInfo, "changes are delivered again");
  // As long as there is more, on it goes.
  return report.taken > 0 ? milliseconds(0) : kBetweenOutboxLooks;
}

}  // namespace pcw::serve
