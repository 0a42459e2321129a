// The private PostgreSQL cluster that pcw runs when database.url is empty.
#pragma once

#include <filesystem>
#include <memory>
#include <stop_token>
#include <string>

#include "pcw/base/result.h"

namespace pcw::pg {

struct ClusterOptions {
  std::filesystem::path home;  ///< $PCW_HOME; the data directory is home/pg
};

/// A running cluster this process uses, shared with other pcw processes.
///
/// Start makes it (initdb --locale=C.UTF-8 -E UTF8) if absent, adopts a running or orphaned server,
/// or starts it; unix socket only, in a short private directory. Holds a shared lock on
/// pg/users.lock; the destructor stops the server if it can get the lock exclusively. As root the
/// cluster belongs to `postgres` or `nobody`. Survives kill -9 of any pcw and of the server. Errors
/// are kConfig (no server package, unwritable home; says what to do) or kUnavailable (server does
/// not start; quotes the end of its log).
class EmbeddedCluster {
 public:
  static Result<std::unique_ptr<EmbeddedCluster>> Start(const ClusterOptions& options,
                                                        std::stop_token stop = {});
  ~EmbeddedCluster();
  EmbeddedCluster(const EmbeddedCluster&) = delete;
  EmbeddedCluster& operator=(const EmbeddedCluster&) = delete;

  /// Starts the server again if it has died. For callers whose connection was refused. Thread-safe.
  Status EnsureRunning(std::stop_token stop = {});

  /// libpq conninfo of database `pcw` as the cluster's superuser (peer or socket-directory trust).
  const std::string& url() const;

 private:
  struct State;
  explicit EmbeddedCluster(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace pcw::pg
