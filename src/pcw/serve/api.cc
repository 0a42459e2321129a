#include "pcw/api/api.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "pcw/base/log.h"
#include "pcw/config/listen_address.h"
#include "pcw/config/mapping_choice.h"
#include "pcw/diagnose/report.h"
#include "pcw/identity/token_store.h"
#include "pcw/runs/run_store.h"
#include "pcw/serve/serve.h"
#include "pcw/wiring/doctor_facts.h"
#include "pcw/wiring/escalation_file.h"
#include "pcw/wiring/replay_handlers.h"
#include "pcw/wiring/sync_command.h"

namespace pcw::serve {
namespace {

constexpr std::chrono::minutes kAccountHolds{10};
constexpr std::chrono::seconds kDiagnosisHolds{30};

// The account of the credentials in force, asked of AWS now and then. Thread-safe.
class KeptAccount {
 public:
  KeptAccount(const config::Config& config, const wiring::AwsIdentity& identity,
              wiring::Machine& machine)
      : config_(config),
        identity_(identity),
        machine_(machine),
        kept_(
            [this](std::stop_token stop) {
              return wiring::ConfirmAccount(config_, identity_, machine_, std::move(stop));
            },
            {.fresh = kAccountHolds}, machine.clock) {}

  // A configured account needs nobody's word: that the credentials are of it is the readiness's
  // business and that of each call.
  Result<api::Kept<std::string>> Get() {
    if (!config_.aws.account_id.empty()) return api::Kept<std::string>{config_.aws.account_id};
    return kept_.Get();
  }

  // Whatever is remembered: are the credentials good now?
  Status Confirm(std::stop_token stop) {
    PCW_TRY_OK(identity_.credentials->Get(stop));
    PCW_TRY(std::string account, wiring::ConfirmAccount(config_, identity_, machine_, stop));
    kept_.Put(std::move(account));
    return Ok{};
  }

 private:
  const config::Config& config_;
  const wiring::AwsIdentity& identity_;
  wiring::Machine& machine_;
  api::KeptAnswer<std::string> kept_;
};

/// What the interface knows of one tenant, and the identity that its quota and its diagnosis need.
class WiredTenant {
 public:
  static Result<std::shared_ptr<const WiredTenant>> Open(
      config::LoadedConfig loaded, const std::map<std::string, std::string>& environment,
      wiring::Machine& machine) {
    std::shared_ptr<WiredTenant> wired(new WiredTenant(std::move(loaded), environment, machine));
    const config::Config& config = wired->loaded_.config;
    PCW_TRY(wired->identity_, wiring::OpenIdentity(config, environment, machine));
    wired->account_ = std::make_unique<KeptAccount>(config, *wired->identity_, machine);
    PCW_TRY_OK(wired->Describe());
    return std::shared_ptr<const WiredTenant>(std::move(wired));
  }

  const api::TenantDeps& deps() const { return deps_; }
  KeptAccount& account() const { return *account_; }

 private:
  WiredTenant(config::LoadedConfig loaded, const std::map<std::string, std::string>& environment,
              wiring::Machine& machine)
      : loaded_(std::move(loaded)),
        environment_(environment),
        machine_(machine),
        diagnosis_([this](std::stop_token stop) { return Diagnose(std::move(stop)); },
                   {.fresh = kDiagnosisHolds}, machine.clock) {}

  Status Describe() {
    const config::Config& config = loaded_.config;
    deps_.tenant_id = config.tenant_id;
    deps_.catalog = config.partner_central.catalog;
    deps_.page_size = config.partner_central.batch_size;
    deps_.limits = wiring::LimitsOf(config);
    for (const connector::EntityDef* entity : connector::AllEntities()) {
      if (!wiring::IsConfigured(*entity, config)) continue;
      PCW_TRY(connector::Mapping mapping, config::MappingFor(config, entity->name));
      const bool is_filtered = entity->incremental == connector::Incremental::kByModifiedFilter;
      deps_.entities.push_back({.def = entity,
                                .interval = is_filtered ? config.partner_central.incremental_every
                                                        : config.partner_central.list_every,
                                .mapping = std::move(mapping)});
    }
    deps_.account_id = [this] { return account_->Get(); };
    deps_.diagnosis = [this] { return diagnosis_.Get(); };
    deps_.replay = [this](const dlq::ReplayOptions& options, std::stop_token stop) {
      return Replay(options, std::move(stop));
    };
    return Ok{};
  }

  Result<dlq::ReplayReport> Replay(const dlq::ReplayOptions& options, std::stop_token stop) const {
    wiring::Invocation invocation;
    invocation.environment = environment_;
    invocation.stop = stop;
    PCW_TRY(const auto replay, wiring::ReplayHandlers::Open(loaded_.config, invocation, machine_,
                                                            wiring::ReplayHandlers::Refetch::kNo));
    PCW_TRY(pg::Connection connection, replay->database().OpenService(stop));
    return dlq::ReplayDeadLetters(connection, loaded_.config.tenant_id, options, replay->handlers(),
                                  machine_.rng, stop);
  }

  Result<OrderedJson> Diagnose(std::stop_token stop) const {
    wiring::Invocation invocation;
    invocation.environment = environment_;
    invocation.stop = std::move(stop);
    PCW_TRY(diagnose::Facts facts, wiring::GatherFacts(invocation, loaded_));
    diagnose::EscalationMatrix matrix = diagnose::DefaultEscalation();
    if (Result<diagnose::EscalationMatrix> own = wiring::LoadEscalation(loaded_.file)) {
      matrix = std::move(*own);
    } else {
      facts.escalation_error = std::move(own).error();
    }
    diagnose::Report report = diagnose::MakeReport(facts, {}, matrix);
    config::CommandGlobals globals = config::ProcessGlobals();
    // What the operator typed is not for those who ask over REST.
    globals.settings.clear();
    if (loaded_.config.tenant_id != config::kDefaultTenant) globals.config_file.clear();
    globals.tenant = loaded_.config.tenant_name;
    wiring::CompleteCommands(report, globals);
    return diagnose::ReportToJson(report, matrix);
  }

  const config::LoadedConfig loaded_;
  const std::map<std::string, std::string>& environment_;
  wiring::Machine& machine_;
  std::unique_ptr<wiring::AwsIdentity> identity_;
  std::unique_ptr<KeptAccount> account_;
  api::TenantDeps deps_;
  api::KeptAnswer<OrderedJson> diagnosis_;  ///< last: its thread uses everything above
};

/// Everything the interface stands on, in the order of its making.
class ApiRole final : public ServeRole {
 public:
  explicit ApiRole(ServeDeps& deps) : deps_(deps) {}
  ~ApiRole() override {
    if (api_) api_->Stop(kGrace);
  }

  Status Open(std::stop_token stop) {
    const config::Config& config = deps_.config;
    const auto& environment = deps_.invocation.environment;
    PCW_TRY(const config::ListenAddress listen, config::ListenAddressOf(config));
    is_tls_ = listen.is_tls;
    address_ = listen.address;
    PCW_TRY(own_, WiredTenant::Open(deps_.loaded, environment, deps_.machine));
    PCW_TRY(lake_, wiring::OpenLake(config, environment, deps_.machine));
    PCW_TRY_OK(SaveConnector(stop));
    PCW_TRY(api_, api::Api::Start(
                      MakeDeps(),
                      {.address = listen.address,
                       .port = listen.port,
                       .tls_cert = config.server.tls_cert,
                       .tls_key = config.server.tls_key,
                       .max_connections_per_address = config.server.max_connections_per_address,
                       .requests_per_second = config.server.requests_per_second,
                       .trusted_proxies = config.server.trusted_proxies}));
    return Ok{};
  }

  void Reload() override {
    if (!is_tls_) return;
    if (const Status reloaded = api_->ReloadTls(); !reloaded) {
      LogError("the certificate is not read again; the one in force stays", reloaded.error());
    } else {
      Log(LogLevel::kInfo, "the certificate is read again");
    }
  }

  std::string url() const {
    const bool is_six = address_.find(':') != std::string::npos;
    return fmt::format("{}://{}{}{}:{}", is_tls_ ? "https" : "http", is_six ? "[" : "", address_,
                       is_six ? "]" : "", api_->port());
  }

 private:
  static constexpr std::chrono::seconds kGrace{5};

  Status SaveConnector(std::stop_token stop) {
    PCW_TRY(pg::Connection connection, deps_.database.OpenService(config::kDefaultTenant, stop));
    PCW_TRY_OK(runs::UpsertConnector(connection, connector::PartnerCentral(),
                                     deps_.config.partner_central.is_enabled,
                                     wiring::ConnectorConfigJson(deps_.config), stop));
    return Ok{};
  }

  // A tenant's configuration may change while the service runs: what was made of the old one lives
  // as long as a request uses it.
  std::shared_ptr<const api::TenantDeps> TenantOf(const std::string& id) {
    const std::shared_ptr<const config::Config> config = deps_.tenants.ConfigOf(id);
    // The main configuration as it was at the start is wired already.
    if (id == config::kDefaultTenant && config == first_config_) return {own_, &own_->deps()};
    if (!config) return nullptr;
    const std::lock_guard lock(mutex_);
    Held& held = tenants_[id];
    if (held.config != config) {
      held.config = config;
      config::LoadedConfig loaded = deps_.loaded;
      loaded.config = *config;
      auto opened =
          WiredTenant::Open(std::move(loaded), deps_.invocation.environment, deps_.machine);
      if (!opened)
        LogError("a tenant's configuration is not used by the REST interface", opened.error());
      held.tenant = opened ? std::move(*opened) : nullptr;
    }
    if (!held.tenant) return nullptr;
    return {held.tenant, &held.tenant->deps()};
  }

  // A server that is read only, after a failover or because its disk is full, takes sessions.
  Status ConfirmWritable(std::stop_token stop) {
    PCW_TRY(pg::Connection connection, deps_.database.OpenService(config::kDefaultTenant, stop));
    PCW_TRY(const pg::Rows rows,
            connection.Exec(
                {"is_read_only", "SELECT current_setting('transaction_read_only')::boolean"}, {},
                stop));
    if (!rows.Bool(0, 0)) return Ok{};
    return Error(ErrorCode::kUnavailable,
                 "the database is read only: a standby, or default_transaction_read_only is set");
  }

  std::vector<api::ReadinessCheck> ReadinessChecks() {
    std::vector<api::ReadinessCheck> checks{
        {"database", [this](std::stop_token stop) { return ConfirmWritable(std::move(stop)); }},
        {"lake", [this](std::stop_token stop) { return lake_->Probe(std::move(stop)); }},
        {"credentials",
         [this](std::stop_token stop) { return own_->account().Confirm(std::move(stop)); }}};
    if (deps_.has_workers)
      checks.push_back({"workers", [this](std::stop_token) { return deps_.workers.Check(); }});
    return checks;
  }

  api::ApiDeps MakeDeps() {
    return {.open_session =
                [this](std::stop_token stop) {
                  return deps_.database.OpenService(config::kDefaultTenant, std::move(stop));
                },
            .tenant = [this](const std::string& id) { return TenantOf(id); },
            .default_tenant = config::kDefaultTenant,
            .readiness = ReadinessChecks(),
            .version = PCW_VERSION,
            .clock = deps_.machine.clock,
            .sleeper = deps_.machine.sleeper,
            .rng = deps_.machine.rng};
  }

  struct Held {
    std::shared_ptr<const config::Config> config;
    std::shared_ptr<const WiredTenant> tenant;  ///< nullptr: its configuration has a mistake
  };

  ServeDeps& deps_;
  std::shared_ptr<const WiredTenant> own_;  ///< of the main configuration as it was at the start
  const std::shared_ptr<const config::Config> first_config_ =
      deps_.tenants.ConfigOf(config::kDefaultTenant);
  std::unique_ptr<lake::BronzeStore> lake_;
  std::string address_;
  bool is_tls_ = false;
  std::mutex mutex_;
  std::map<std::string, Held> tenants_;  ///< guarded by mutex_
  std::unique_ptr<api::Api> api_;        ///< last: it uses everything above
};

// Its only appearance is in a file of the home: logs are read by many, and kept.
Status MakeFirstToken(ServeDeps& deps, std::stop_token stop) {
  const std::filesystem::path home = config::HomeDirectory(deps.invocation.environment);
  const std::filesystem::path file = home / "first-admin-token";
  const auto keep = [&](const Secret& text) -> Status {
    PCW_TRY_OK(config::MakeHome(home));
    return config::WriteSecretFile(file, std::string(text.Reveal()) + "\n");
  };
  PCW_TRY(pg::Connection connection, deps.database.OpenService(config::kDefaultTenant, stop));
  PCW_TRY(const auto first,
          identity::CreateFirstToken(connection, deps.machine.rng, keep, std::move(stop)));
  if (!first) return Ok{};
  Log(LogLevel::kWarn,
      "first start: an admin token is in this file; take it, remove the file, and make tokens for "
      "people with pcw token create",
      {{"first_token_file", file.string()}, {"expires_at", first->expires_at}});
  return Ok{};
}

}  // namespace

Result<std::unique_ptr<ServeRole>> StartApi(ServeDeps& deps, std::stop_token stop) {
  auto api = std::make_unique<ApiRole>(deps);
  PCW_TRY_OK(api->Open(stop));
  PCW_TRY_OK(MakeFirstToken(deps, stop));
  Log(LogLevel::kInfo, "serving", {{"url", api->url()}});
  return std::unique_ptr<ServeRole>(std::move(api));
}

}  // namespace pcw::serve
