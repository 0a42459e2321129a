// A session of a verb that reads or changes the database.
#pragma once

#include <memory>

#include "pcw/config/config.h"
#include "pcw/pg/connection.h"
#include "pcw/wiring/invocation.h"
#include "pcw/wiring/wiring.h"

namespace pcw::cli {

/// The configuration, its database and a service session of its tenant.
struct Session {
  config::LoadedConfig loaded;
  std::unique_ptr<wiring::DatabaseAccess> database;
  pg::Connection connection;
};

/// Opens what the invocation's configuration names. Errors as Invocation::Load and DatabaseAccess.
Result<Session> OpenSession(const wiring::Invocation& invocation);

}  // namespace pcw::cli
