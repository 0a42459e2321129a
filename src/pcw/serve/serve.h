// pcw serve: roles as threads of one process, which start together and drain together.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "pcw/serve/worker_pulse.h"
#include "pcw/wiring/invocation.h"
#include "pcw/wiring/tenants.h"
#include "pcw/wiring/wiring.h"

namespace pcw::serve {

/// What roles share; outlives them. Everything in it is thread-safe or constant.
struct ServeDeps {
  const wiring::Invocation& invocation;
  wiring::Machine& machine;
  wiring::DatabaseAccess& database;
  wiring::TenantDirectory& tenants;
  const config::LoadedConfig& loaded;  ///< the main configuration
  const config::Config& config;        ///< the same, without where it came from
  std::string holder;    ///< this process, for people who look at jobs and leases: "host:pid"
  WorkerPulse& workers;  ///< of the role ingest, when this process has it
  bool has_workers = false;
  std::atomic<std::int64_t> throttles{0};  ///< calls that AWS refused for their rate, not yet told
};

/// A running role. Its destructor waits until its threads have ended, which a stop request makes
/// soon.
class ServeRole {
 public:
  virtual ~ServeRole() = default;
  /// Reads again what it took from files at its start. On Serve's thread; a failure is logged, and
  /// what was in force stays.
  virtual void Reload() {}
};

struct RoleDef {
  std::string_view name;
  Result<std::unique_ptr<ServeRole>> (*start)(ServeDeps& deps, std::stop_token stop);
};

/// The roles of this version, in the order they start. A new role is a line here.
std::span<const RoleDef> ServeRoles();

/// The REST interface, for every tenant. kConfig for a bad address or certificate. On a database
/// that never had a token it writes one admin token, for a day, to a file of the home.
Result<std::unique_ptr<ServeRole>> StartApi(ServeDeps& deps, std::stop_token stop);
Result<std::unique_ptr<ServeRole>> StartScheduler(ServeDeps& deps, std::stop_token stop);
/// Follows the tenants' queues of Partner Central events, and delivers their own.
Result<std::unique_ptr<ServeRole>> StartEvents(ServeDeps& deps, std::stop_token stop);
Result<std::unique_ptr<ServeRole>> StartIngest(ServeDeps& deps, std::stop_token stop);
/// Delivers dead letters to the tenants' SQS queues, takes in what others put there, replays groups
/// of dead letters whose mapping has changed.
Result<std::unique_ptr<ServeRole>> StartReplay(ServeDeps& deps, std::stop_token stop);

/// Runs the named roles until a stop is requested, then drains them. SIGHUP makes it read its files
/// again: logging, tenants, certificate. A process that cannot drain
/// within ten seconds ends all the same, with 69: what it held is taken over when its leases end.
Result<int> Serve(const wiring::Invocation& invocation, const std::vector<std::string>& roles);

/// A session that a role's thread works with, opened again after a failure with growing pauses.
/// Trouble is logged when it begins and when it ends, and not in between. Not thread-safe.
class RoleSession {
 public:
  RoleSession(ServeDeps& deps, std::string_view role);

  /// The session, opened for the default tenant; nullptr after a pause when it cannot be had.
  pg::Connection* Get(std::stop_token stop);
  /// To be told how the work with the session went: a failure closes it.
  void Failed(std::string_view doing, const Error& error);
  void Worked();
  /// True once after each new session: LISTEN and the like are to be done again.
  bool TakeIsNew() { return std::exchange(is_new_, false); }

 private:
  ServeDeps& deps_;
  const std::string role_;
  std::optional<pg::Connection> connection_;
  bool is_new_ = false;
  int failures_ = 0;  ///< in a row
};

}  // namespace pcw::serve
