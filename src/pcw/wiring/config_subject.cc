#include "pcw/wiring/config_subject.h"

#include "pcw/aws/endpoint.h"
#include "pcw/aws/eventbridge.h"
#include "pcw/aws/partner_central_account.h"
#include "pcw/aws/partner_central_selling.h"
#include "pcw/aws/s3.h"
#include "pcw/aws/sqs.h"
#include "pcw/aws/sts.h"
#include "pcw/config/home.h"
#include "pcw/config/listen_address.h"
#include "pcw/config/mapping_choice.h"
#include "pcw/lake/s3_store.h"
#include "pcw/net/server/tls.h"
#include "pcw/wiring/sync_command.h"
#include "pcw/wiring/wiring.h"

namespace pcw::wiring {
namespace {

// Where a queue would be reached, asked of nobody.
Status CheckQueue(const std::string& url, const config::Config& config,
                  const std::map<std::string, std::string>& environment) {
  PCW_TRY(const aws::ProfileFiles files, aws::LoadProfiles(environment));
  PCW_TRY(const aws::Endpoint endpoint,
          aws::ResolveEndpoint(aws::sqs::kService, config.aws.region, environment, files,
                               aws::ProfileName(environment, config.aws.profile)));
  PCW_TRY_OK(
      aws::sqs::AddressQueue(url, endpoint, endpoint.origin != "AWS's rule", config.aws.region));
  return Ok{};
}

Status CheckMappings(const config::Config& config) {
  for (const connector::EntityDef* entity : connector::AllEntities()) {
    if (IsConfigured(*entity, config)) PCW_TRY_OK(config::MappingFor(config, entity->name));
  }
  return Ok{};
}

Status CheckTls(const config::Config& config) {
  if (config.server.tls_cert.empty()) return Ok{};
  PCW_TRY_OK(net::server::MakeTlsContext(config.server.tls_cert, config.server.tls_key));
  return Ok{};
}

}  // namespace

diagnose::ConfigSubject MakeConfigSubject(const config::LoadedConfig& loaded,
                                          const std::map<std::string, std::string>& environment) {
  const config::Config& config = loaded.config;
  diagnose::ConfigSubject subject;
  subject.environment = environment;
  subject.profile = config.aws.profile;
  subject.region = config.aws.region;
  subject.services = {&aws::partner_central_selling::kService,
                      &aws::partner_central_account::kService, &aws::sts::kService};
  const std::filesystem::path home = config::HomeDirectory(environment);
  constexpr std::string_view kDirectory = "file://";
  const std::string& lake = config.lake.url;
  if (lake.starts_with("s3://")) {
    subject.services.push_back(&aws::s3::kService);
  } else {
    subject.writable.emplace_back(
        "lake.url",
        lake.empty() ? home / "lake" : std::filesystem::path(lake.substr(kDirectory.size())));
  }
  if (config.database.url.empty()) subject.writable.emplace_back("PCW_HOME", home);
  if (config.events.out.url.starts_with("eventbridge:"))
    subject.services.push_back(&aws::eventbridge::kService);
  for (const auto& [setting, url] :
       {std::pair("dlq.url", &config.dlq.url), std::pair("events.url", &config.events.url)}) {
    if (url->empty()) continue;
    subject.more.push_back({setting, [&config, &environment, url = url] {
                              return CheckQueue(*url, config, environment);
                            }});
  }
  subject.more.push_back({"server.listen", [&config]() -> Status {
                            PCW_TRY_OK(config::ListenAddressOf(config));
                            return Ok{};
                          }});
  subject.more.push_back({"server.tls_cert", [&config] { return CheckTls(config); }});
  subject.more.push_back(
      {"connectors.partner_central.mappings", [&config] { return CheckMappings(config); }});
  return subject;
}

Status CheckConfigSubject(const config::LoadedConfig& loaded,
                          const std::map<std::string, std::string>& environment) {
  const std::vector<std::string> problems =
      diagnose::FindConfigProblems(MakeConfigSubject(loaded, environment));
  if (problems.empty()) return Ok{};
  return diagnose::ConfigError(problems);
}

}  // namespace pcw::wiring
