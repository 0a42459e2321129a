#include "pg_fixture.h"

#include <atomic>
#include <filesystem>
#include <memory>

#include <fmt/format.h>
#include <unistd.h>

#include "pcw/base/assert.h"
#include "pcw/pg/embedded/cluster.h"
#include "pcw/pg/migrate.h"
#include "pcw/pg/session.h"

namespace pcw {
namespace {

// Lives as long as the program; its directory goes with it.
class SharedCluster : public ::testing::Environment {
 public:
  static SharedCluster& Get() {
    static SharedCluster* shared =
        static_cast<SharedCluster*>(::testing::AddGlobalTestEnvironment(new SharedCluster));
    return *shared;
  }
  void TearDown() override {
    cluster.reset();
    std::filesystem::remove_all(home);
  }
  const std::string& Url() {
    if (!cluster) {
      char name[] = "/tmp/pcw-it-XXXXXX";
      home = ::mkdtemp(name);
      auto started = pg::EmbeddedCluster::Start({.home = home});
      if (!started) std::fprintf(stderr, "%s\n", started.error().ToString().c_str());
      PCW_ASSERT(started.has_value());
      cluster = std::move(*started);
    }
    return cluster->url();
  }

  std::filesystem::path home;
  std::unique_ptr<pg::EmbeddedCluster> cluster;
};

const bool is_registered = (SharedCluster::Get(), true);

}  // namespace

pg::Connection OpenSuperuser(const std::string& url) {
  pg::ConnectOptions options;
  options.url = url;
  auto opened = pg::Connection::Open(options);
  PCW_ASSERT(opened.has_value());
  return std::move(*opened);
}

std::string NewDatabase() {
  static std::atomic<int> serial{0};
  PCW_ASSERT(is_registered);
  const std::string& shared = SharedCluster::Get().Url();
  const std::string name = fmt::format("it_{}_{}", ::getpid(), ++serial);
  pg::Connection superuser = OpenSuperuser(shared);
  PCW_ASSERT(superuser.ExecScript("create", "CREATE DATABASE " + name).has_value());
  return shared.substr(0, shared.rfind("dbname=")) + "dbname=" + name;
}

DatabaseTest::DatabaseTest() : url(NewDatabase()) {
  pg::Connection superuser = OpenSuperuser(url);
  auto applied = pg::Migrate(superuser);
  if (!applied) std::fprintf(stderr, "%s\n", applied.error().ToString().c_str());
  PCW_ASSERT(applied.has_value());
}

pg::Connection DatabaseTest::OpenService(const std::string& tenant) const {
  auto session = pg::OpenService(Connect(), tenant, pg::SuperuserLogin::kWarn);
  PCW_ASSERT(session.has_value());
  return std::move(session->connection);
}

std::string DatabaseTest::Ask(const std::string& sql) const {
  pg::Connection superuser = OpenSuperuser(url);
  const auto rows = superuser.Exec({"ask", sql});
  PCW_ASSERT(rows.has_value());
  return rows->empty() ? "" : std::string(rows->Text(0, 0));
}

}  // namespace pcw
