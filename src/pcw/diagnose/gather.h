// Looking: every probe of a diagnosis, side by side, each bounded in time. Changes nothing
// anywhere.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "pcw/aws/caller.h"
#include "pcw/aws/credentials.h"
#include "pcw/connector/entity_def.h"
#include "pcw/diagnose/facts.h"
#include "pcw/net/endpoint_probe.h"
#include "pcw/pg/connection.h"

namespace pcw::diagnose {

/// What a diagnosis looks at. Functions, because any of it may not exist.
struct DoctorDeps {
  SettingFacts settings;
  std::vector<EndpointFacts> endpoints;  ///< without probes
  net::ProbeOptions probe;
  std::vector<const connector::EntityDef*> entities;  ///< configured ones
  /// By entity: the one in force, or what is wrong with its file.
  std::map<std::string, Result<connector::Mapping>> mappings;
  std::vector<std::string> write_actions;  ///< configured ones: "create"
  std::string database;                    ///< for people
  Clock& clock;
  aws::CredentialsProvider& credentials;
  /// A caller that does not retry and gives up after two seconds.
  std::function<Result<std::unique_ptr<aws::Caller>>(const aws::ServiceDef&, aws::QuotaGate&)>
      open_caller;
  std::function<Result<std::unique_ptr<lake::BronzeStore>>()> open_lake;
  std::string tenant_id;
  std::string queue_url;      ///< of dead letters; empty = none
  std::string events_url;     ///< of the queue of events; empty = none
  std::string events_target;  ///< where events go; empty = nowhere
  /// Attributes of the queue of that URL, without retry.
  std::function<Result<aws::sqs::QueueAttributes>(const std::string& url, std::stop_token)>
      look_at_queue;
  /// kNotFound: there is no database yet, which is not a fault.
  std::function<Result<pg::Connection>(std::stop_token)> open_database;
  std::function<Result<std::unique_ptr<aws::QuotaGate>>(const std::string& account,
                                                        std::stop_token)>
      open_quota;
};

/// Looks at everything; about ten seconds at the very most, well under one when all is well. Reads
/// only: one record of each list, one detail, inside the quota's reserve.
Facts Gather(DoctorDeps& deps, std::stop_token stop);

}  // namespace pcw::diagnose
