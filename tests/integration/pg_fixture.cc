#include "pg_fixture.h"

#include <atomic>
#include <chrono>
#include <filesystem>
#include <memory>
#include <system_error>
#include <thread>

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
    // A server with many databases may still be writing its last checkpoint, and then removes
    // files.
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (std::filesystem::exists(home / "pg/postmaster.pid") &&
           std::chrono::steady_clock::now() < give_up) {
      std::this_thread::yield();
    }
    std::error_code problem;
    std::filesystem::remove_all(home, problem);
    EXPECT_FALSE(problem) << problem.message();
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

namespace {

// Its name is ours, so it may stand in the statement.
std::string MakeDatabase(const std::string& name, const std::string& like) {
  PCW_ASSERT(is_registered);
  const std::string& shared = SharedCluster::Get().Url();
  pg::Connection superuser = OpenSuperuser(shared);
  PCW_ASSERT(superuser.ExecScript("create", "CREATE DATABASE " + name + like).has_value());
  return shared.substr(0, shared.rfind("dbname=")) + "dbname=" + name;
}

std::string NextName() {
  static std::atomic<int> serial{0};
  return fmt::format("it_{}_{}", ::getpid(), ++serial);
}

// Migrated once a program; the databases of tests are copies.
const std::string& MigratedTemplate() {
  static const std::string name = [] {
    std::string made = NextName();
    pg::Connection superuser = OpenSuperuser(MakeDatabase(made, ""));
    auto applied = pg::Migrate(superuser);
    if (!applied) std::fprintf(stderr, "%s\n", applied.error().ToString().c_str());
    PCW_ASSERT(applied.has_value());
    return made;
  }();
  return name;
}

}  // namespace

std::string NewDatabase() { return MakeDatabase(NextName(), ""); }

DatabaseTest::DatabaseTest() : url(MakeDatabase(NextName(), " TEMPLATE " + MigratedTemplate())) {}

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
