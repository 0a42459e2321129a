#include "pcw/cli/session.h"

#include <utility>

#include "pcw/config/home.h"

namespace pcw::cli {

Result<Session> OpenSession(const wiring::Invocation& invocation) {
  PCW_TRY(config::LoadedConfig loaded, invocation.Load());
  PCW_TRY(auto database,
          wiring::DatabaseAccess::Open(loaded.config, config::HomeDirectory(invocation.environment),
                                       invocation.stop));
  PCW_TRY(pg::Connection connection, database->OpenService(invocation.stop));
  return Session{std::move(loaded), std::move(database), std::move(connection)};
}

}  // namespace pcw::cli
