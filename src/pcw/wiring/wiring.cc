#include "pcw/wiring/wiring.h"

#include <array>
#include <atomic>
#include <cstdio>

#include <fmt/format.h>
#include <unistd.h>

#include "pcw/aws/credentials/credentials_chain.h"
#include "pcw/aws/credentials/metadata_credentials.h"
#include "pcw/aws/credentials/refreshing_credentials.h"
#include "pcw/aws/endpoint.h"
#include "pcw/aws/partner_central_account.h"
#include "pcw/aws/partner_central_selling.h"
#include "pcw/aws/sts.h"
#include "pcw/config/mapping_choice.h"
#include "pcw/net/curl_http_client.h"
#include "pcw/pg/migrate.h"
#include "pcw/pg/session.h"
#include "pcw/wiring/mapped_columns.h"

namespace pcw::wiring {
namespace {

// Says once a process that the login can do more than pcw needs.
void WarnSuperuserLogin(bool is_embedded) {
  static std::atomic<bool> has_warned = false;
  if (is_embedded || has_warned.exchange(true)) return;
  std::fprintf(stderr,
               "pcw: warning: the database login is a superuser; pcw becomes pcw_service, but a "
               "login with only GRANT pcw_service is safer\n");
}

std::string HostName() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return "this host";
  return name.data();
}

}  // namespace

Result<std::unique_ptr<DatabaseAccess>> DatabaseAccess::Open(const config::Config& config,
                                                             const std::filesystem::path& home,
                                                             std::stop_token stop,
                                                             OpenMigration migration) {
  std::unique_ptr<DatabaseAccess> access(new DatabaseAccess());
  access->tenant_id_ = config.tenant_id;
  access->strict_roles_ = config.database.strict_roles;
  if (!config.database.url.empty()) {
    access->url_ = config.database.url;
    access->admin_url_ =
        config.database.admin_url.empty() ? config.database.url : config.database.admin_url;
    return access;
  }
  PCW_TRY_OK(config::MakeHome(home));
  PCW_TRY(access->cluster_, pg::EmbeddedCluster::Start({.home = home}, stop));
  access->url_ = access->cluster_->url();
  access->admin_url_ = access->url_;
  if (migration == OpenMigration::kLeave) return access;
  // A private server has nobody else to migrate it.
  PCW_TRY(pg::Connection admin, access->OpenAdmin(stop));
  PCW_TRY_OK(pg::Migrate(admin, stop));
  PCW_TRY_OK(AddMappedColumns(config, admin, stop));
  return access;
}

pg::ConnectOptions DatabaseAccess::ServiceConnect() const {
  pg::ConnectOptions options;
  options.url = url_;
  return options;
}

Result<pg::Connection> DatabaseAccess::OpenService(const std::string& tenant,
                                                   std::stop_token stop) {
  // The embedded server is our own, so its login is a superuser by nature and never strict.
  const auto policy =
      strict_roles_ && !is_embedded() ? pg::SuperuserLogin::kRefuse : pg::SuperuserLogin::kWarn;
  Result<pg::ServiceSession> session = pg::OpenService(ServiceConnect(), tenant, policy, stop);
  if (!session && is_embedded() && session.error().code() == ErrorCode::kUnavailable) {
    const std::lock_guard lock(restart_mutex_);
    PCW_TRY_OK(cluster_->EnsureRunning(stop));
    session = pg::OpenService(ServiceConnect(), tenant, policy, stop);
  }
  if (!session) return std::move(session).error();
  if (session->is_superuser_login) WarnSuperuserLogin(is_embedded());
  return std::move(session->connection);
}

Result<pg::Connection> DatabaseAccess::OpenAdmin(std::stop_token stop) {
  pg::ConnectOptions options;
  options.url = admin_url_;
  return pg::Connection::Open(options, stop);
}

Status DatabaseAccess::GrantServiceLogin(pg::Connection& admin, std::stop_token stop) {
  if (url_ == admin_url_) return Ok{};
  pg::ConnectOptions options;
  options.url = url_;
  PCW_TRY(pg::Connection service, pg::Connection::Open(options, stop));
  PCW_TRY(const pg::Rows login,
          service.Exec({"service_login", "SELECT quote_ident(session_user)"}, {}, stop));
  // The name comes quoted from the server itself; GRANT takes no parameters.
  return admin.ExecScript("grant_service",
                          fmt::format("GRANT pcw_service, pcw_operator TO {}", login.Text(0, 0)),
                          stop);
}

quota::QuotaLimits LimitsOf(const config::Config& config) {
  return {.reads_per_second = config.quota.reads_per_second,
          .reads_per_day = config.quota.reads_per_day,
          .writes_per_second = config.quota.writes_per_second,
          .writes_per_day = config.quota.writes_per_day,
          .burst = config.quota.burst,
          .reserve_percent = config.quota.reserve_percent};
}

std::string CaBundleOf(const AwsIdentity& identity) {
  return aws::AwsSetting(identity.environment, identity.profiles, identity.profile, "AWS_CA_BUNDLE",
                         "ca_bundle")
      .value_or("");
}

Result<std::unique_ptr<AwsIdentity>> OpenIdentity(
    const config::Config& config, const std::map<std::string, std::string>& environment,
    Machine& machine, const IdentityChoice& choice) {
  auto identity = std::make_unique<AwsIdentity>();
  identity->environment = environment;
  identity->region = config.aws.region;
  PCW_TRY(identity->profiles, aws::LoadProfiles(environment));
  identity->profile = aws::ProfileName(environment, config.aws.profile);
  identity->http = std::make_unique<net::CurlHttpClient>(net::CurlOptions{
      .ca_bundle = CaBundleOf(*identity), .proxy = config.aws.proxy, .plain_http_hosts = {}});
  identity->metadata = std::make_unique<net::CurlHttpClient>(net::CurlOptions{
      .ca_bundle = "",
      .proxy = "",
      .plain_http_hosts = {std::begin(aws::kMetadataHosts), std::end(aws::kMetadataHosts)}});
  // What `credentials rotate` chose for one tenant is nothing to another.
  std::filesystem::path home = config::HomeDirectory(environment);
  if (config.tenant_id != config::kDefaultTenant)
    home /= std::filesystem::path("tenants") / config.tenant_name;
  identity->reference_file = home / "credentials.json";
  const aws::ProfileDeps access{.sts = {.http = *identity->http,
                                        .clock = machine.clock,
                                        .sleeper = machine.sleeper,
                                        .rng = machine.rng,
                                        .environment = environment,
                                        .region = identity->region,
                                        .profile = identity->profile},
                                .metadata = *identity->metadata};
  identity->credentials = std::make_unique<aws::RefreshingCredentials>(
      aws::MakeCredentialsChain(
          access, {.profile = config.aws.profile,
                   .role_arn = config.aws.role_arn,
                   .external_id = config.aws.external_id,
                   .reference_file = choice.ignores_reference ? "" : identity->reference_file,
                   .candidate = choice.candidate}),
      machine.clock);
  return identity;
}

Result<std::unique_ptr<aws::Caller>> OpenCaller(const aws::ServiceDef& service,
                                                const AwsIdentity& identity, aws::QuotaGate& quota,
                                                Machine& machine, aws::CallerOptions tuning) {
  PCW_TRY(const aws::Endpoint endpoint,
          aws::ResolveEndpoint(service, identity.region, identity.environment, identity.profiles,
                               identity.profile));
  tuning.region = endpoint.region;
  tuning.endpoint = endpoint.url;
  tuning.user_agent = kUserAgent;
  tuning.payloads = &machine.payloads;
  return std::make_unique<aws::Caller>(service,
                                       aws::CallerDeps{*identity.http, *identity.credentials, quota,
                                                       machine.clock, machine.sleeper, machine.rng},
                                       std::move(tuning));
}

Result<std::string> ConfirmAccount(const config::Config& config, const AwsIdentity& identity,
                                   Machine& machine, std::stop_token stop) {
  const std::string& expected = config.aws.account_id;
  aws::OpenQuotaGate open;
  PCW_TRY(const auto sts, OpenCaller(aws::sts::kService, identity, open, machine));
  const Result<aws::sts::CallerIdentity> asked = aws::sts::GetCallerIdentity(*sts, stop);
  if (asked && (expected.empty() || asked->account == expected)) return asked->account;
  if (asked) {
    return Error(ErrorCode::kPermissionDenied,
                 fmt::format("these credentials belong to account {}, and aws.account_id expects "
                             "{}; nothing was called",
                             asked->account, expected));
  }
  const bool is_out_of_reach = asked.error().code() == ErrorCode::kUnavailable ||
                               asked.error().code() == ErrorCode::kTimeout;
  if (!is_out_of_reach) return asked.error();
  // With a configured account STS is only a second opinion.
  if (!expected.empty()) return expected;
  return Error(asked.error())
      .With("hint", "the account is asked of STS; set aws.account_id to do without");
}

Result<std::unique_ptr<aws::QuotaGate>> OpenQuota(const config::Config& config,
                                                  const DatabaseAccess& database,
                                                  const std::string& account_id,
                                                  quota::Purpose purpose, const std::string& task,
                                                  Machine& machine, std::stop_token stop) {
  if (config.quota.reads_per_second == 0 && config.quota.writes_per_second == 0)
    return std::unique_ptr<aws::QuotaGate>(std::make_unique<aws::OpenQuotaGate>());
  PCW_TRY(auto quota, quota::PgQuota::Create(database.ServiceConnect(), config::kDefaultTenant,
                                             {.aws_account_id = account_id,
                                              .limits = LimitsOf(config),
                                              .purpose = purpose,
                                              .spender = fmt::format("{} on {}, pid {}", task,
                                                                     HostName(), ::getpid())},
                                             machine.clock, machine.sleeper, stop));
  return std::unique_ptr<aws::QuotaGate>(std::move(quota));
}

Result<std::unique_ptr<AwsAccess>> OpenAws(const config::Config& config,
                                           const std::map<std::string, std::string>& environment,
                                           DatabaseAccess& database, quota::Purpose purpose,
                                           const std::string& task, Machine& machine,
                                           std::stop_token stop) {
  auto access = std::make_unique<AwsAccess>();
  PCW_TRY(access->identity, OpenIdentity(config, environment, machine));
  PCW_TRY_OK(access->identity->credentials->Get(stop));
  PCW_TRY(access->account_id, ConfirmAccount(config, *access->identity, machine, stop));
  PCW_TRY(access->quota,
          OpenQuota(config, database, access->account_id, purpose, task, machine, stop));
  PCW_TRY(access->selling, OpenCaller(aws::partner_central_selling::kService, *access->identity,
                                      *access->quota, machine));
  PCW_TRY(access->account, OpenCaller(aws::partner_central_account::kService, *access->identity,
                                      *access->quota, machine));
  return access;
}

aws::Caller& AwsAccess::CallerOf(const connector::EntityDef& entity) const {
  return entity.sources.front().list->service == &aws::partner_central_account::kService ? *account
                                                                                         : *selling;
}

}  // namespace pcw::wiring
