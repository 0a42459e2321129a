#include "pcw/wiring/doctor_facts.h"

#include <filesystem>
#include <memory>

#include <fmt/format.h>

#include "pcw/aws/credentials/unused_settings.h"
#include "pcw/aws/endpoint.h"
#include "pcw/aws/partner_central_selling.h"
#include "pcw/aws/sts.h"
#include "pcw/config/mapping_choice.h"
#include "pcw/diagnose/gather.h"
#include "pcw/wiring/config_subject.h"
#include "pcw/wiring/sync_command.h"
#include "pcw/wiring/wiring.h"

namespace pcw::wiring {
namespace {

constexpr std::chrono::milliseconds kDoctorsPatience{2'000};

std::vector<diagnose::EndpointFacts> EndpointsOf(const AwsIdentity& identity) {
  std::vector<diagnose::EndpointFacts> endpoints;
  for (const aws::ServiceDef* service :
       {&aws::partner_central_selling::kService, &aws::sts::kService}) {
    const Result<aws::Endpoint> endpoint = aws::ResolveEndpoint(
        *service, identity.region, identity.environment, identity.profiles, identity.profile);
    if (!endpoint) continue;  // a mistake in the configuration, which was named already
    endpoints.push_back({.service = std::string(service->id),
                         .url = endpoint->url,
                         .origin = endpoint->origin,
                         .is_override = endpoint->origin != "AWS's rule",
                         .probe = std::nullopt});
  }
  return endpoints;
}

// What `serve` alone would stumble over; the rest has findings of its own.
std::vector<std::string> ServeProblems(const config::LoadedConfig& loaded,
                                       const std::map<std::string, std::string>& environment) {
  diagnose::ConfigSubject subject = MakeConfigSubject(loaded, environment);
  std::erase_if(subject.more, [](const diagnose::ConfigProbe& probe) {
    return !probe.setting.starts_with("server.") && !probe.setting.starts_with("connectors.");
  });
  return diagnose::RunProbes(subject.more);
}

// Never makes a cluster: looking changes nothing.
Result<pg::Connection> OpenDoctorsDatabase(const config::Config& config,
                                           const std::filesystem::path& home,
                                           std::unique_ptr<DatabaseAccess>& database,
                                           std::stop_token stop) {
  if (config.database.url.empty() && !std::filesystem::exists(home / "pg"))
    return Error(ErrorCode::kNotFound, "nothing was synced here yet");
  PCW_TRY(database, DatabaseAccess::Open(config, home, stop, OpenMigration::kLeave));
  return database->OpenService(stop);
}

std::string RotatedTo(const AwsIdentity& identity) {
  const auto reference = aws::LoadReference(identity.reference_file);
  if (!reference) return identity.reference_file;  // a damaged one is in force all the same
  return *reference ? (*reference)->ToString() : "";
}

std::optional<Error> HomeTrouble(const config::Config& config, const std::filesystem::path& home) {
  std::vector<std::filesystem::path> directories{home};
  if (config.lake.url.starts_with("file://"))
    directories.emplace_back(config.lake.url.substr(std::string_view("file://").size()));
  for (const std::filesystem::path& directory : directories) {
    if (Status status = diagnose::ProbeWritable(directory); !status)
      return std::move(status).error();
  }
  return std::nullopt;
}

std::vector<const connector::EntityDef*> ConfiguredEntities(const config::Config& config) {
  std::vector<const connector::EntityDef*> entities;
  for (const connector::EntityDef* entity : connector::AllEntities())
    if (IsConfigured(*entity, config)) entities.push_back(entity);
  return entities;
}

std::map<std::string, Result<connector::Mapping>> MappingsInForce(const config::Config& config) {
  std::map<std::string, Result<connector::Mapping>> mappings;
  for (const connector::EntityDef* entity : ConfiguredEntities(config)) {
    mappings.emplace(entity->name, config::MappingFor(config, entity->name));
  }
  return mappings;
}

}  // namespace

Result<diagnose::Facts> GatherFacts(const Invocation& invocation,
                                    const config::LoadedConfig& loaded) {
  const config::Config& config = loaded.config;
  const std::filesystem::path home = config::HomeDirectory(invocation.environment);
  Machine machine;
  PCW_TRY(const auto identity, OpenIdentity(config, invocation.environment, machine));
  std::unique_ptr<DatabaseAccess> database;
  diagnose::DoctorDeps deps{
      .settings = {.catalog = config.partner_central.catalog,
                   .expected_account = config.aws.account_id,
                   .rotated_to = RotatedTo(*identity),
                   .proxy = config.aws.proxy,
                   .batch_size = config.partner_central.batch_size,
                   .incremental_every = config.partner_central.incremental_every,
                   .limits = LimitsOf(config),
                   .environment = invocation.environment},
      .endpoints = EndpointsOf(*identity),
      .probe = {.ca_bundle = CaBundleOf(*identity),
                .proxy = config.aws.proxy,
                .step = kDoctorsPatience},
      .entities = ConfiguredEntities(config),
      .mappings = MappingsInForce(config),
      .write_actions = config.partner_central.write_actions,
      .database = config.database.url.empty()
                      ? fmt::format("embedded, in {}", (home / "pg").string())
                      : "database.url",
      .clock = machine.clock,
      .credentials = *identity->credentials,
      .open_caller =
          [&](const aws::ServiceDef& service, aws::QuotaGate& quota) {
            aws::CallerOptions once;
            once.retry.max_attempts = 1;
            once.limits.connect = once.limits.first_byte = once.limits.total = kDoctorsPatience;
            return OpenCaller(service, *identity, quota, machine, once);
          },
      .open_lake = [&] { return OpenLake(config, invocation.environment, machine); },
      .tenant_id = config::kDefaultTenant,
      .queue_url = config.dlq.url,
      .events_url = config.partner_central.is_enabled ? config.events.url : "",
      .events_target =
          config.partner_central.is_enabled ? config::ShownTarget(config.events.out.url) : "",
      .look_at_queue = [&](const std::string& url,
                           std::stop_token stop) -> Result<aws::sqs::QueueAttributes> {
        PCW_TRY(const auto queue, QueueAccess::Open(url, config, invocation.environment, machine));
        return queue->queue().Attributes(stop);
      },
      .open_database =
          [&](std::stop_token stop) { return OpenDoctorsDatabase(config, home, database, stop); },
      .open_quota =
          [&](const std::string& account, std::stop_token stop) {
            return OpenQuota(config, *database, account, quota::Purpose::kReserved, "doctor",
                             machine, stop);
          }};
  diagnose::Facts facts = diagnose::Gather(deps, invocation.stop);
  facts.config_problems = ServeProblems(loaded, invocation.environment);
  facts.home_error = HomeTrouble(config, home);
  facts.unused_settings =
      aws::FindUnusedSettings(invocation.environment, identity->profiles, identity->profile);
  return facts;
}

void CompleteCommands(diagnose::Report& report, const config::CommandGlobals& globals) {
  report.verdict = config::WithGlobals(report.verdict, globals);
  for (diagnose::Finding& finding : report.findings) {
    finding.message = config::WithGlobals(finding.message, globals);
    for (std::string& step : finding.next_steps) step = config::WithGlobals(step, globals);
  }
}

}  // namespace pcw::wiring
