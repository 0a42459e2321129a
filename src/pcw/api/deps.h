// What the REST interface stands on: sessions, clocks, and what only the composition root knows of
// a tenant. Values and functions, filled in by app/.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "pcw/api/kept_answer.h"
#include "pcw/base/clock.h"
#include "pcw/base/json.h"
#include "pcw/base/rng.h"
#include "pcw/connector/entity_def.h"
#include "pcw/connector/mapping.h"
#include "pcw/dlq/replay.h"
#include "pcw/pg/connection.h"
#include "pcw/quota/pg_quota.h"

namespace pcw::api {

/// An entity that a tenant syncs by configuration.
struct SyncedEntity {
  const connector::EntityDef* def = nullptr;
  std::chrono::milliseconds interval{0};  ///< between incremental syncs
  connector::Mapping mapping;
};

/// A tenant as its configuration makes it. Immutable; functions are thread-safe.
struct TenantDeps {
  std::string tenant_id;
  std::string catalog;
  std::vector<SyncedEntity> entities;
  int page_size = 100;
  quota::QuotaLimits limits;
  /// The AWS account whose quota is used, as last heard. Waits for AWS at most two seconds.
  std::function<Result<Kept<std::string>>()> account_id;
  /// A whole diagnosis, as `pcw doctor -o json`, the latest there is. At most two seconds, as well.
  std::function<Result<Kept<OrderedJson>>()> diagnosis;
  /// Replays dead letters from bronze, with this tenant's mapping and lake.
  std::function<Result<dlq::ReplayReport>(const dlq::ReplayOptions&, std::stop_token)> replay;
};

/// What must be usable for the service to be ready (I33): "database", "lake", "credentials".
struct ReadinessCheck {
  std::string component;
  std::function<Status(std::stop_token)> check;
};

struct ApiDeps {
  /// A session of the service role, of any tenant.
  std::function<Result<pg::Connection>(std::stop_token)> open_session;
  /// A tenant by its id, as it is configured now; nullptr when it is not known here (yet).
  std::function<std::shared_ptr<const TenantDeps>(const std::string& tenant_id)> tenant;
  std::string default_tenant;  ///< whom /metrics is about without a token
  std::vector<ReadinessCheck> readiness;
  std::string version;
  Clock& clock;
  Sleeper& sleeper;
  Rng& rng;
};

}  // namespace pcw::api
