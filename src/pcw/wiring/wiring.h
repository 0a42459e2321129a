// The composition root: the only place where a real implementation is chosen.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>

#include "pcw/aws/caller.h"
#include "pcw/aws/credentials.h"
#include "pcw/aws/credentials/credentials_reference.h"
#include "pcw/aws/quota_gate.h"
#include "pcw/aws/sqs.h"
#include "pcw/base/clock.h"
#include "pcw/base/rng.h"
#include "pcw/config/config.h"
#include "pcw/config/home.h"
#include "pcw/config/mapping_book.h"
#include "pcw/config/payload_log.h"
#include "pcw/connector/entity_def.h"
#include "pcw/events/change_recorder.h"
#include "pcw/events/inbox.h"
#include "pcw/lake/bronze_store.h"
#include "pcw/net/http.h"
#include "pcw/pg/connection.h"
#include "pcw/pg/embedded/cluster.h"
#include "pcw/quota/pg_quota.h"

namespace pcw::wiring {

/// What AWS sees as User-Agent.
inline constexpr const char* kUserAgent = "pcw/" PCW_VERSION;

/// The machine's clocks and randomness, one set a process, the one switch that shows payloads, and
/// the mappings in force.
struct Machine {
  SystemClock clock;
  SystemSleeper sleeper;
  SystemRng rng;
  config::PayloadLog payloads{clock};
  config::MappingBook mappings;
};

/// What opening the embedded database does with an older schema.
enum class OpenMigration { kApply, kLeave };

/// The database of a configuration: a server given by URL, or the embedded one, started here and
/// stopped with the last user. Thread-safe after Open.
class DatabaseAccess {
 public:
  /// Embedded: starts the cluster and migrates it, unless told to leave it. By URL: connects only
  /// when asked.
  static Result<std::unique_ptr<DatabaseAccess>> Open(
      const config::Config& config, const std::filesystem::path& home, std::stop_token stop,
      OpenMigration migration = OpenMigration::kApply);

  /// A session of the service role for `tenant`. Restarts an embedded server that has died.
  Result<pg::Connection> OpenService(const std::string& tenant, std::stop_token stop);
  /// The same for the tenant of the configuration.
  Result<pg::Connection> OpenService(std::stop_token stop) { return OpenService(tenant_id_, stop); }
  /// A session as the login itself, for migrations.
  Result<pg::Connection> OpenAdmin(std::stop_token stop);

  /// After a migration by another login: lets the service login become pcw_service and
  /// pcw_operator.
  Status GrantServiceLogin(pg::Connection& admin, std::stop_token stop);

  /// How the lease and the quota open sessions of their own.
  pg::ConnectOptions ServiceConnect() const;

  const std::string& tenant_id() const { return tenant_id_; }
  const std::string& url() const { return url_; }
  const std::string& admin_url() const { return admin_url_; }
  bool is_embedded() const { return cluster_ != nullptr; }

 private:
  DatabaseAccess() = default;
  std::string tenant_id_;
  std::string url_;
  std::string admin_url_;
  bool strict_roles_ = false;
  std::unique_ptr<pg::EmbeddedCluster> cluster_;
  std::mutex restart_mutex_;  ///< of the embedded server
};

/// Who signs, and through what: all that a call takes but the quota. Nothing is asked of anybody
/// before the first call.
struct AwsIdentity {
  std::map<std::string, std::string> environment;
  std::string region;
  aws::ProfileFiles profiles;
  std::string profile;  ///< in force
  std::unique_ptr<net::HttpClient> http;
  std::unique_ptr<net::HttpClient>
      metadata;                ///< plain http to the metadata addresses, nothing else
  std::string reference_file;  ///< of `credentials rotate`
  std::unique_ptr<aws::CredentialsProvider> credentials;
};

/// The authorities that AWS is checked against: AWS_CA_BUNDLE, else ca_bundle of the profile; empty
/// = the system's.
std::string CaBundleOf(const AwsIdentity& identity);

/// Which credentials an identity is made of.
struct IdentityChoice {
  /// Instead of those in force: a candidate that is to be tried.
  std::optional<aws::CredentialsReference> candidate;
  /// The configured ones although a reference may say otherwise.
  bool ignores_reference = false;
};

/// kConfig for profile files that cannot be read.
Result<std::unique_ptr<AwsIdentity>> OpenIdentity(
    const config::Config& config, const std::map<std::string, std::string>& environment,
    Machine& machine, const IdentityChoice& choice = {});

/// A caller of one service, at the endpoint that is in force for it. `tuning` gives limits and
/// retries; the rest of it is filled in here. kConfig for a bad endpoint.
Result<std::unique_ptr<aws::Caller>> OpenCaller(const aws::ServiceDef& service,
                                                const AwsIdentity& identity, aws::QuotaGate& quota,
                                                Machine& machine, aws::CallerOptions tuning = {});

/// The account of an identity, asked of STS and compared with aws.account_id. kPermissionDenied if
/// they differ; STS out of reach is not an error when the account is configured.
Result<std::string> ConfirmAccount(const config::Config& config, const AwsIdentity& identity,
                                   Machine& machine, std::stop_token stop);

/// The budget of an account for one purpose; an open gate when the limits are lifted.
/// `task` is who spends, for the ledger of calls: "sync opportunities full".
Result<std::unique_ptr<aws::QuotaGate>> OpenQuota(const config::Config& config,
                                                  const DatabaseAccess& database,
                                                  const std::string& account_id,
                                                  quota::Purpose purpose, const std::string& task,
                                                  Machine& machine, std::stop_token stop);

/// Everything that talks to Partner Central for one account.
struct AwsAccess {
  std::unique_ptr<AwsIdentity> identity;
  std::string account_id;
  std::unique_ptr<aws::QuotaGate> quota;
  std::unique_ptr<aws::Caller> selling;
  std::unique_ptr<aws::Caller> account;  ///< of partnercentral-account

  /// The caller of the service that an entity's records come from.
  aws::Caller& CallerOf(const connector::EntityDef& entity) const;
};

/// Credentials, account, quota and caller, for `task`.
Result<std::unique_ptr<AwsAccess>> OpenAws(const config::Config& config,
                                           const std::map<std::string, std::string>& environment,
                                           DatabaseAccess& database, quota::Purpose purpose,
                                           const std::string& task, Machine& machine,
                                           std::stop_token stop);

/// The lake of a configuration: a directory, or a bucket reached with an identity of its own.
/// Nothing is asked of S3 yet. `machine` outlives the store.
Result<std::unique_ptr<lake::BronzeStore>> OpenLake(
    const config::Config& config, const std::map<std::string, std::string>& environment,
    Machine& machine);

/// An SQS queue, of dead letters or of events, with all that it stands on.
class QueueAccess {
 public:
  /// Nothing is asked of SQS yet. kConfig for a URL that is not a queue's. `machine` outlives it.
  static Result<std::unique_ptr<QueueAccess>> Open(
      const std::string& url, const config::Config& config,
      const std::map<std::string, std::string>& environment, Machine& machine);
  aws::sqs::Queue& queue() { return *queue_; }

 private:
  QueueAccess() = default;
  std::unique_ptr<AwsIdentity> identity_;
  aws::OpenQuotaGate gate_;  // SQS is outside Partner Central's quota
  std::unique_ptr<aws::Caller> caller_;
  std::unique_ptr<aws::sqs::Queue> queue_;
};

/// Whose events a configuration receives, with its connector written to the database.
Result<events::InboxScope> InboxScopeOf(const config::Config& config, pg::Connection& connection,
                                        std::stop_token stop);

/// Who is told what a run of that entity changes; nullptr if nobody wants to know, which then costs
/// nothing.
std::unique_ptr<tables::ChangeListener> MakeChangeRecorder(const config::Config& config,
                                                           std::string_view entity);

/// The quota's limits as configured.
quota::QuotaLimits LimitsOf(const config::Config& config);

}  // namespace pcw::wiring
