// Events of a configuration: whose they are, and who is told what runs change.
#include "pcw/events/coverage.h"
#include "pcw/events/outbox.h"
#include "pcw/runs/run_store.h"
#include "pcw/wiring/sync_command.h"
#include "pcw/wiring/wiring.h"

namespace pcw::wiring {

Result<events::InboxScope> InboxScopeOf(const config::Config& config, pg::Connection& connection,
                                        std::stop_token stop) {
  events::InboxScope scope;
  scope.tenant_id = config.tenant_id;
  scope.catalog = config.partner_central.catalog;
  scope.queue_url = config.events.url;
  for (const connector::EntityDef* entity : connector::AllEntities())
    if (IsConfigured(*entity, config)) scope.entities.push_back(entity);
  PCW_TRY(scope.connector_id, runs::UpsertConnector(connection, connector::PartnerCentral(),
                                                    config.partner_central.is_enabled,
                                                    ConnectorConfigJson(config), stop));
  return scope;
}

std::unique_ptr<tables::ChangeListener> MakeChangeRecorder(const config::Config& config,
                                                           std::string_view entity) {
  events::ChangeRecorderOptions options;
  options.is_measuring = !config.events.url.empty() && events::IsMeasured(entity);
  options.is_publishing = !config.events.out.url.empty() && events::IsPublished(entity);
  options.teller = {.tenant_id = config.tenant_id, .tenant_name = config.tenant_name};
  if (!options.is_measuring && !options.is_publishing) return nullptr;
  return std::make_unique<events::ChangeRecorder>(std::move(options));
}

}  // namespace pcw::wiring
