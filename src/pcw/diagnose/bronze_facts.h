// Looking at the lake (runbook 3.2): a few requests, whatever the lake's size.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "pcw/base/clock.h"
#include "pcw/base/error.h"
#include "pcw/connector/entity_def.h"
#include "pcw/lake/bronze_store.h"
#include "pcw/pg/connection.h"

namespace pcw::diagnose {

/// The newest object of an entity.
struct NewestObject {
  std::string entity, key, modified_at;
};

/// What a diagnosis saw of the lake.
struct BronzeFacts {
  bool was_looked_at = false;
  std::string lake;                  ///< "s3://pcw-lake-dev", for people
  std::optional<Error> error;        ///< it cannot be reached, found or listed
  std::vector<NewestObject> newest;  ///< of the entities that have run
  std::vector<std::string> missing;  ///< objects of the newest parts that are not there
  std::vector<std::string> orphans;  ///< run folders of the last two days unknown to the database
  std::optional<std::string> refused_write;  ///< why the newest run that failed could not store
};

/// Probes the lake and compares it with what the database says of the newest parts and of the runs
/// of the last two days. Without a database only the probe. Reads only.
BronzeFacts LookAtBronze(lake::BronzeStore& store, pg::Connection* connection,
                         std::span<const connector::EntityDef* const> entities, WallTime now,
                         std::stop_token stop);

}  // namespace pcw::diagnose
