#include "pcw/serve/serve.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <thread>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "pcw/base/backoff.h"
#include "pcw/base/log.h"
#include "pcw/config/interrupt.h"
#include "pcw/config/log_settings.h"
#include "pcw/wiring/lake_identity.h"

namespace pcw::serve {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kFirstPause{400};
constexpr milliseconds kLongestPause{5'000};
constexpr seconds kBetweenTenantLooks{5};
constexpr seconds kBetweenMetrics{60};
constexpr milliseconds kLongestDrain{9'000};
constexpr milliseconds kBetweenHangupLooks{500};

constexpr std::array<RoleDef, 5> kRoles{{
    {"api", StartApi},
    {"scheduler", StartScheduler},
    {"ingest", StartIngest},
    {"replay", StartReplay},
    {"events", StartEvents},
}};

std::string HolderName() {
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) != 0) return fmt::format("pid {}", ::getpid());
  return fmt::format("{}:{}", host.data(), ::getpid());
}

// CloudWatch takes metrics out of log lines of this form; `AWS/` namespaces are AWS's alone.
void EmitThrottles(ServeDeps& deps) {
  const std::int64_t count = deps.throttles.exchange(0);
  if (::isatty(STDOUT_FILENO) != 0) return;
  OrderedJson line;
  line["_aws"] = {
      {"Timestamp",
       std::chrono::duration_cast<milliseconds>(deps.machine.clock.Now().time_since_epoch())
           .count()},
      {"CloudWatchMetrics",
       OrderedJson::array({{{"Namespace", "PCW/PartnerCentral"},
                            {"Dimensions", OrderedJson::array({OrderedJson::array({"Connector"})})},
                            {"Metrics", OrderedJson::array({{{"Name", "ThrottledRequests"},
                                                             {"Unit", "Count"}}})}}})}};
  line["Connector"] = "partner-central";
  line["ThrottledRequests"] = count;
  LogVerbatim(DumpJson(line));
}

// Follows the tenants, and tells the metrics.
class Housekeeper {
 public:
  explicit Housekeeper(ServeDeps& deps) : deps_(deps) {
    thread_ = std::jthread([this](std::stop_token stop) { Keep(std::move(stop)); });
  }

 private:
  void Keep(std::stop_token stop) {
    const LogScope scope(LogFields{{"role", "housekeeper"}});
    RoleSession session(deps_, "housekeeper");
    SteadyTime next_metrics = deps_.machine.clock.Steady() + kBetweenMetrics;
    do {
      if (pg::Connection* connection = session.Get(stop)) {
        const Status read = deps_.tenants.Refresh(*connection, stop);
        read ? session.Worked() : session.Failed("reading the tenants", read.error());
      }
      if (deps_.machine.clock.Steady() < next_metrics) continue;
      next_metrics += kBetweenMetrics;
      EmitThrottles(deps_);
    } while (deps_.machine.sleeper.SleepFor(kBetweenTenantLooks, stop));
    EmitThrottles(deps_);
  }

  ServeDeps& deps_;
  std::jthread thread_;
};

// Ends the process when draining takes too long: leases bring the work to others (commit rule). It
// is told as what it is, a failure: whoever watches exit codes should look at what did not answer.
void EndWhenDrainHangs(wiring::Machine& machine, const std::atomic<const RoleDef*>& ending,
                       std::stop_token drained) {
  if (!machine.sleeper.SleepFor(kLongestDrain, std::move(drained))) return;
  LogError("draining failed",
           Error(ErrorCode::kTimeout,
                 fmt::format("the role {} did not end within {} s; what is held is taken over when "
                             "its lease ends",
                             ending.load()->name, kLongestDrain.count() / 1'000)));
  ::_exit(ReactionOf(ErrorCode::kTimeout).exit_code);
}

Result<std::vector<const RoleDef*>> Chosen(const std::vector<std::string>& names) {
  std::vector<const RoleDef*> chosen;
  for (const RoleDef& role : kRoles) {
    if (names.empty() || std::find(names.begin(), names.end(), role.name) != names.end())
      chosen.push_back(&role);
  }
  for (const std::string& name : names) {
    const bool is_known = std::any_of(kRoles.begin(), kRoles.end(),
                                      [&](const RoleDef& role) { return role.name == name; });
    if (is_known) continue;
    std::vector<std::string_view> known;
    for (const RoleDef& role : kRoles) known.push_back(role.name);
    return wiring::UsageError(
        fmt::format("--roles {}: no such role; this version has {}", name, fmt::join(known, ", ")));
  }
  return chosen;
}

}  // namespace

std::span<const RoleDef> ServeRoles() { return kRoles; }

RoleSession::RoleSession(ServeDeps& deps, std::string_view role) : deps_(deps), role_(role) {}

pg::Connection* RoleSession::Get(std::stop_token stop) {
  if (connection_ && connection_->is_usable()) return &*connection_;
  connection_.reset();
  if (failures_ > 0) {
    const milliseconds pause = PauseBefore({.first = kFirstPause, .most = kLongestPause},
                                           failures_ - 1, deps_.machine.rng);
    if (!deps_.machine.sleeper.SleepFor(pause, stop)) return nullptr;
  }
  Result<pg::Connection> opened = deps_.database.OpenService(config::kDefaultTenant, stop);
  if (!opened) {
    Failed("opening a session", opened.error());
    return nullptr;
  }
  connection_.emplace(std::move(*opened));
  is_new_ = true;
  return &*connection_;
}

void RoleSession::Failed(std::string_view doing, const Error& error) {
  if (error.code() == ErrorCode::kCancelled) return;
  connection_.reset();
  if (failures_++ > 0) return;
  LogError(fmt::format("{}: {} failed; it is tried again until it works", role_, doing), error);
}

void RoleSession::Worked() {
  if (std::exchange(failures_, 0) == 0) return;
  Log(LogLevel::kInfo, "the database works again");
}

Result<int> Serve(const wiring::Invocation& invocation, const std::vector<std::string>& names) {
  config::CountHangups();
  PCW_TRY(const auto roles, Chosen(names));
  PCW_TRY(const config::LoadedConfig loaded, invocation.LoadMain());
  config::LogAsService();
  config::ApplyLogLevel(loaded.config);
  wiring::Machine machine;
  PCW_TRY(const config::ConfigSources sources, invocation.Sources());
  PCW_TRY(const auto database,
          wiring::DatabaseAccess::Open(loaded.config, config::HomeDirectory(invocation.environment),
                                       invocation.stop));
  wiring::TenantDirectory tenants(loaded, invocation.environment);
  const config::LogFollower follower(
      sources, loaded, machine.payloads, machine.clock, machine.sleeper,
      [&tenants](const config::LoadedConfig& changed) { tenants.AdoptMain(changed); });
  {
    // Refuses to start where tenants would not be separated, or the schema is not there (I28).
    PCW_TRY(pg::Connection connection, database->OpenService(invocation.stop));
    PCW_TRY_OK(tenants.Refresh(connection, invocation.stop));
    PCW_TRY_OK(wiring::ConfirmLake(connection, loaded.config, invocation.environment,
                                   wiring::OtherLake::kRefuse, machine, invocation.stop));
  }
  WorkerPulse workers(machine.clock, loaded.config.service.stall_after);
  ServeDeps deps{.invocation = invocation,
                 .machine = machine,
                 .database = *database,
                 .tenants = tenants,
                 .loaded = loaded,
                 .config = loaded.config,
                 .holder = HolderName(),
                 .workers = workers,
                 .has_workers = std::any_of(roles.begin(), roles.end(), [](const RoleDef* role) {
                   return role->start == StartIngest;
                 })};
  const Housekeeper housekeeper(deps);
  std::vector<std::unique_ptr<ServeRole>> running;
  std::string started;
  for (const RoleDef* role : roles) {
    PCW_TRY(auto one, role->start(deps, invocation.stop));
    running.push_back(std::move(one));
    started += (started.empty() ? "" : ",") + std::string(role->name);
  }
  Log(LogLevel::kInfo, "ready",
      {{"roles", started}, {"holder", deps.holder}, {"version", PCW_VERSION}});
  std::uint64_t hangups = 0;
  while (machine.sleeper.SleepFor(kBetweenHangupLooks, invocation.stop)) {
    const std::uint64_t asked = config::HangupCount();
    if (std::exchange(hangups, asked) == asked) continue;
    Log(LogLevel::kInfo, "SIGHUP: files are read again");
    for (const auto& role : running) role->Reload();
  }
  Log(LogLevel::kInfo, "draining: no new work is taken");
  {
    std::atomic<const RoleDef*> ending{roles.back()};
    const std::jthread watch(
        [&](std::stop_token drained) { EndWhenDrainHangs(machine, ending, std::move(drained)); });
    while (!running.empty()) {  // the last started ends first
      ending = roles[running.size() - 1];
      running.pop_back();
    }
  }
  Log(LogLevel::kInfo, "drained");
  return 0;
}

}  // namespace pcw::serve
