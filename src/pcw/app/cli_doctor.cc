// pcw doctor
#include <cstdio>
#include <filesystem>
#include <memory>

#include <fmt/format.h>
#include <unistd.h>

#include "pcw/app/cli.h"
#include "pcw/app/config_subject.h"
#include "pcw/app/doctor_facts.h"
#include "pcw/app/escalation_file.h"
#include "pcw/app/mapping_choice.h"
#include "pcw/app/suggest.h"
#include "pcw/app/sync_command.h"
#include "pcw/app/wiring.h"
#include "pcw/aws/endpoint.h"
#include "pcw/aws/partner_central_selling.h"
#include "pcw/aws/sts.h"
#include "pcw/aws/unused_settings.h"
#include "pcw/base/log.h"
#include "pcw/diagnose/catalogue.h"
#include "pcw/diagnose/gather.h"
#include "pcw/diagnose/report.h"

namespace pcw::app {
namespace {

using diagnose::Facts;

constexpr std::chrono::milliseconds kDoctorsPatience{2'000};

struct DoctorWish {
  std::vector<std::string> sections, more_sections;
  std::string fail_on = "error";
  std::string explained;
  bool is_listing = false;
};

Result<std::vector<diagnose::Section>> SectionsNamed(const std::vector<std::string>& names) {
  std::vector<diagnose::Section> sections;
  for (const std::string& name : names) {
    const diagnose::SectionDef* def = diagnose::FindSection(name);
    if (def == nullptr) {
      return Error(
                 ErrorCode::kInvalidRequest,
                 fmt::format("\"{}\" is no section of the diagnosis; this version has auth (1.1), "
                             "rate-limits (1.2), schema (1.3), connectivity (1.4), bronze (3.2), "
                             "dlq (3.3) and events (3.4)",
                             name))
          .With("usage", "true");
    }
    sections.push_back(def->section);
  }
  return sections;
}

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

// The configuration, and whether AWS's own settings make sense beside it.
Result<LoadedConfig> LoadAll(const Invocation& invocation) {
  PCW_TRY(LoadedConfig loaded, invocation.Load());
  const std::vector<std::string> problems =
      diagnose::FindEndpointProblems(MakeConfigSubject(loaded, invocation.environment));
  if (!problems.empty()) return diagnose::ConfigError(problems);
  return loaded;
}

// What `serve` alone would stumble over; the rest has findings of its own.
std::vector<std::string> ServeProblems(const LoadedConfig& loaded,
                                       const std::map<std::string, std::string>& environment) {
  diagnose::ConfigSubject subject = MakeConfigSubject(loaded, environment);
  std::erase_if(subject.more, [](const diagnose::ConfigProbe& probe) {
    return !probe.setting.starts_with("server.") && !probe.setting.starts_with("connectors.");
  });
  return diagnose::RunProbes(subject.more);
}

// Never makes a cluster: looking changes nothing.
Result<pg::Connection> OpenDoctorsDatabase(const Config& config, const std::filesystem::path& home,
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

std::optional<Error> HomeTrouble(const Config& config, const std::filesystem::path& home) {
  std::vector<std::filesystem::path> directories{home};
  if (config.lake.url.starts_with("file://"))
    directories.emplace_back(config.lake.url.substr(std::string_view("file://").size()));
  for (const std::filesystem::path& directory : directories) {
    if (Status status = diagnose::ProbeWritable(directory); !status)
      return std::move(status).error();
  }
  return std::nullopt;
}

std::vector<const connector::EntityDef*> ConfiguredEntities(const Config& config) {
  std::vector<const connector::EntityDef*> entities;
  for (const connector::EntityDef* entity : connector::AllEntities())
    if (IsConfigured(*entity, config)) entities.push_back(entity);
  return entities;
}

std::map<std::string, Result<connector::Mapping>> MappingsInForce(const Config& config) {
  std::map<std::string, Result<connector::Mapping>> mappings;
  for (const connector::EntityDef* entity : ConfiguredEntities(config)) {
    mappings.emplace(entity->name, MappingFor(config, entity->name));
  }
  return mappings;
}

Result<Facts> LookAt(const Invocation& invocation, const LoadedConfig& loaded) {
  const Config& config = loaded.config;
  const std::filesystem::path home = HomeDirectory(invocation.environment);
  Machine machine;
  PCW_TRY(const auto identity, OpenIdentity(config, invocation.environment, machine));
  std::unique_ptr<DatabaseAccess> database;
  diagnose::DoctorSite site{
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
      .tenant_id = kDefaultTenant,
      .queue_url = config.dlq.url,
      .events_url = config.partner_central.is_enabled ? config.events.url : "",
      .events_target = config.partner_central.is_enabled ? ShownTarget(config.events.out.url) : "",
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
  Facts facts = diagnose::Gather(site, invocation.stop);
  facts.config_problems = ServeProblems(loaded, invocation.environment);
  facts.home_error = HomeTrouble(config, home);
  facts.unused_settings =
      aws::FindUnusedSettings(invocation.environment, identity->profiles, identity->profile);
  return facts;
}

Result<int> Explain(const DoctorWish& wish) {
  for (const diagnose::FindingDef& def : diagnose::Catalogue()) {
    if (def.code != wish.explained) continue;
    std::printf("%s\n", fmt::format("{} ({}, {} {}): {}\n  cause: {}\n  fix: {}", def.code,
                                    NameOf(def.level), DefOf(def.section).number,
                                    DefOf(def.section).name, def.title, def.cause, def.fix)
                            .c_str());
    return kExitOk;
  }
  return Error(ErrorCode::kInvalidRequest,
               fmt::format("there is no finding {}; pcw doctor --codes lists them", wish.explained))
      .With("usage", "true");
}

Result<int> RunDoctor(const Invocation& invocation, const DoctorWish& wish) {
  if (wish.is_listing) {
    std::fputs(diagnose::FormatCatalogue().c_str(), stdout);
    return kExitOk;
  }
  if (!wish.explained.empty()) return Explain(wish);
  std::vector<std::string> names = wish.sections;
  names.insert(names.end(), wish.more_sections.begin(), wish.more_sections.end());
  PCW_TRY(const auto sections, SectionsNamed(names));

  Facts facts;
  diagnose::EscalationMatrix matrix = diagnose::DefaultEscalation();
  const Result<LoadedConfig> loaded = LoadAll(invocation);
  // What is refused becomes a finding; the line that says so as well would only be in the way.
  if (loaded && loaded->config.logging.level != "DEBUG")
    ConfigureLog(LogLevel::kError, LogFormat::kText);
  if (loaded) {
    PCW_TRY(facts, LookAt(invocation, *loaded));
    if (invocation.stop.stop_requested())
      return Error(ErrorCode::kCancelled, "stopped before the diagnosis was complete");
    if (Result<diagnose::EscalationMatrix> own = LoadEscalation(loaded->file)) {
      matrix = std::move(*own);
    } else {
      facts.escalation_error = std::move(own).error();
    }
  } else if (loaded.error().Find("usage")) {
    return loaded.error();
  } else {
    facts.config_error = loaded.error();
    facts.config_check = "pcw config check";
  }
  diagnose::Report report = diagnose::MakeReport(facts, sections, matrix);
  CompleteCommands(report, ProcessGlobals());
  if (invocation.output == OutputFormat::kTable) {
    std::fputs(diagnose::FormatReport(report, matrix).c_str(), stdout);
  } else {
    PrintObject(invocation.output, diagnose::ReportToJson(report, matrix));
  }
  const diagnose::Level threshold =
      wish.fail_on == "warn" ? diagnose::Level::kWarn : diagnose::Level::kError;
  return report.worst >= threshold ? kExitFindings : kExitOk;
}

}  // namespace

Result<diagnose::Facts> GatherFacts(const Invocation& invocation, const LoadedConfig& loaded) {
  return LookAt(invocation, loaded);
}

void CompleteCommands(diagnose::Report& report, const CommandGlobals& globals) {
  report.verdict = WithGlobals(report.verdict, globals);
  for (diagnose::Finding& finding : report.findings) {
    finding.message = WithGlobals(finding.message, globals);
    for (std::string& step : finding.next_steps) step = WithGlobals(step, globals);
  }
}

void AddDoctor(CLI::App& root, Invocation& invocation) {
  CLI::App* doctor = AddVerb(
      root, "doctor", "What is wrong, why, what to do next and whom to call",
      "  pcw doctor                              # everything, in about a second\n"
      "  pcw doctor auth                         # or --section 1.1, as in the runbook\n"
      "  pcw doctor connectivity rate-limits\n"
      "  pcw doctor -o json | jq -r '.verdict.text'\n"
      "  pcw doctor --fail-on warn || page-somebody\n"
      "  pcw doctor --explain PCW1110\n\n"
      "Reads only: an unsigned request to each endpoint, GetCallerIdentity, one record of each "
      "list, one detail;\ninside the quota kept for diagnosis. Exit codes: 0 nothing at or above "
      "--fail-on, 1 findings.");
  auto wish = std::make_shared<DoctorWish>();
  doctor
      ->add_option("sections", wish->sections,
                   "auth, rate-limits, schema, connectivity, partner-central, bronze, dlq, events; "
                   "all without one")
      ->check(KnownValues({"auth", "rate-limits", "schema", "connectivity", "partner-central",
                           "bronze", "dlq", "events"}));
  doctor
      ->add_option("--section", wish->more_sections,
                   "the same by name or number: 1.1, 1.2, 1.3, 1.4, 2.1, 3.2, 3.3, 3.4")
      ->allow_extra_args(false);
  doctor->add_option("--fail-on", wish->fail_on, "which findings make the exit code 1")
      ->check(CLI::IsMember({"warn", "error"}))
      ->capture_default_str();
  doctor->add_option("--explain", wish->explained, "what a code means, instead of looking");
  doctor->add_flag("--codes", wish->is_listing, "every code there is, as a page of Markdown");
  AddOutputOption(*doctor, invocation);
  doctor->callback([&invocation, wish] {
    invocation.verb = [&invocation, wish] { return RunDoctor(invocation, *wish); };
  });
}

}  // namespace pcw::app
