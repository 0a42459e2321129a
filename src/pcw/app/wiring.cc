#include "pcw/app/wiring.h"

#include <cstdio>

#include <fmt/format.h>
#include <unistd.h>

#include "pcw/aws/credentials_chain.h"
#include "pcw/aws/endpoint.h"
#include "pcw/aws/metadata_credentials.h"
#include "pcw/aws/partner_central_selling.h"
#include "pcw/aws/refreshing_credentials.h"
#include "pcw/aws/sts.h"
#include "pcw/net/curl_http_client.h"
#include "pcw/pg/migrate.h"
#include "pcw/pg/session.h"

namespace pcw::app {
namespace {

// What the AWS parts of the wiring share.
struct ConfigView {
  const Config& config;
  const std::map<std::string, std::string>& environment;
  const aws::ProfileFiles& profiles;
  std::string profile;
};

constexpr const char* kUserAgent = "pcw/" PCW_VERSION;

// Says once a process that the login can do more than pcw needs.
void WarnSuperuserLogin(bool is_embedded) {
  static bool has_warned = false;
  if (is_embedded || std::exchange(has_warned, true)) return;
  std::fprintf(stderr,
               "pcw: warning: the database login is a superuser; pcw becomes pcw_service, but a "
               "login with only GRANT pcw_service is safer\n");
}

Result<std::string> AskAccount(const ConfigView& view, net::HttpClient& http,
                               aws::CredentialsProvider& credentials, Machine& machine,
                               std::stop_token stop) {
  aws::OpenQuotaGate open;
  aws::CallerOptions options;
  options.region = view.config.aws.region;
  options.user_agent = kUserAgent;
  PCW_TRY(const aws::Endpoint endpoint,
          aws::ResolveEndpoint(aws::sts::kService, options.region, view.environment, view.profiles,
                               view.profile));
  options.endpoint = endpoint.url;
  aws::Caller caller(aws::sts::kService,
                     {http, credentials, open, machine.clock, machine.sleeper, machine.rng},
                     options);
  Result<aws::sts::CallerIdentity> identity = aws::sts::GetCallerIdentity(caller, stop);
  if (identity) return identity->account;
  const ErrorCode code = identity.error().code();
  if (code != ErrorCode::kUnavailable && code != ErrorCode::kTimeout)
    return std::move(identity).error();
  return std::move(identity).error().With(
      "hint", fmt::format("the account is asked of STS at {}; set aws.account_id to do without",
                          endpoint.url));
}

}  // namespace

std::filesystem::path HomeDirectory(const std::map<std::string, std::string>& environment) {
  if (const auto home = aws::Lookup(environment, "PCW_HOME")) return *home;
  if (::geteuid() == 0) return "/var/lib/pcw";
  if (const auto state = aws::Lookup(environment, "XDG_STATE_HOME"))
    return std::filesystem::path(*state) / "pcw";
  return std::filesystem::path(aws::Lookup(environment, "HOME").value_or("/tmp")) /
         ".local/state/pcw";
}

Result<std::unique_ptr<DatabaseAccess>> DatabaseAccess::Open(const Config& config,
                                                             const std::filesystem::path& home,
                                                             std::stop_token stop) {
  std::unique_ptr<DatabaseAccess> access(new DatabaseAccess());
  access->strict_roles_ = config.database.strict_roles;
  if (!config.database.url.empty()) {
    access->url_ = config.database.url;
    access->admin_url_ =
        config.database.admin_url.empty() ? config.database.url : config.database.admin_url;
    return access;
  }
  PCW_TRY(access->cluster_, pg::EmbeddedCluster::Start({.home = home}, stop));
  access->url_ = access->cluster_->url();
  access->admin_url_ = access->url_;
  // A private server has nobody else to migrate it.
  PCW_TRY(pg::Connection admin, access->OpenAdmin(stop));
  PCW_TRY_OK(pg::Migrate(admin, stop));
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

quota::QuotaLimits LimitsOf(const Config& config) {
  return {.reads_per_second = config.quota.reads_per_second,
          .reads_per_day = config.quota.reads_per_day,
          .writes_per_second = config.quota.writes_per_second,
          .writes_per_day = config.quota.writes_per_day,
          .burst = config.quota.burst};
}

Result<std::unique_ptr<AwsAccess>> OpenAws(const Config& config,
                                           const std::map<std::string, std::string>& environment,
                                           DatabaseAccess& database, Machine& machine,
                                           std::stop_token stop) {
  auto access = std::make_unique<AwsAccess>();
  PCW_TRY(const aws::ProfileFiles profiles, aws::LoadProfiles(environment));
  const ConfigView view{config, environment, profiles,
                        aws::ProfileName(environment, config.aws.profile)};
  PCW_TRY(const aws::Endpoint endpoint,
          aws::ResolveEndpoint(aws::partner_central_selling::kService, config.aws.region,
                               environment, profiles, view.profile));
  access->http = std::make_unique<net::CurlHttpClient>(
      net::CurlOptions{.ca_bundle = aws::Lookup(environment, "AWS_CA_BUNDLE").value_or(""),
                       .proxy = "",
                       .plain_http_hosts = {}});
  access->metadata = std::make_unique<net::CurlHttpClient>(net::CurlOptions{
      .ca_bundle = "",
      .proxy = "",
      .plain_http_hosts = {std::begin(aws::kMetadataHosts), std::end(aws::kMetadataHosts)}});
  access->credentials = std::make_unique<aws::RefreshingCredentials>(
      aws::MakeCredentialsChain({.sts = {.http = *access->http,
                                         .clock = machine.clock,
                                         .sleeper = machine.sleeper,
                                         .rng = machine.rng,
                                         .environment = environment,
                                         .region = config.aws.region,
                                         .profile = view.profile},
                                 .metadata = *access->metadata},
                                {.profile = config.aws.profile,
                                 .role_arn = config.aws.role_arn,
                                 .external_id = config.aws.external_id}),
      machine.clock);
  PCW_TRY_OK(access->credentials->Get(stop));

  access->account_id = config.aws.account_id;
  Result<std::string> asked = AskAccount(view, *access->http, *access->credentials, machine, stop);
  if (asked && !access->account_id.empty() && *asked != access->account_id) {
    return Error(ErrorCode::kPermissionDenied,
                 fmt::format("these credentials belong to account {}, and aws.account_id expects "
                             "{}; nothing was called",
                             *asked, access->account_id));
  }
  // With a configured account STS is only a second opinion, and may be out of reach.
  if (!asked && (access->account_id.empty() || (asked.error().code() != ErrorCode::kUnavailable &&
                                                asked.error().code() != ErrorCode::kTimeout)))
    return std::move(asked).error();
  if (asked) access->account_id = *asked;

  if (config.quota.reads_per_second == 0 && config.quota.writes_per_second == 0) {
    access->quota = std::make_unique<aws::OpenQuotaGate>();
  } else {
    PCW_TRY(access->quota, quota::PgQuota::Create(
                               database.ServiceConnect(), kDefaultTenant,
                               {.aws_account_id = access->account_id, .limits = LimitsOf(config)},
                               machine.clock, machine.sleeper, stop));
  }
  aws::CallerOptions options;
  options.region = config.aws.region;
  options.endpoint = endpoint.url;
  options.user_agent = kUserAgent;
  access->selling = std::make_unique<aws::Caller>(
      aws::partner_central_selling::kService,
      aws::CallerDeps{*access->http, *access->credentials, *access->quota, machine.clock,
                      machine.sleeper, machine.rng},
      options);
  return access;
}

Result<std::unique_ptr<lake::BronzeStore>> OpenLake(const Config& config,
                                                    const std::filesystem::path& home) {
  const std::string& url = config.lake.url;
  if (url.starts_with("s3://"))
    return Error(
        ErrorCode::kConfig,
        fmt::format(
            "lake.url is {}, and this version keeps the lake in a directory; use file:///directory",
            url));
  std::filesystem::path root =
      url.empty() ? home / "lake"
                  : std::filesystem::path(url.substr(std::string("file://").size()));
  return std::unique_ptr<lake::BronzeStore>(
      std::make_unique<lake::DirectoryBronzeStore>(std::move(root)));
}

}  // namespace pcw::app
