// One throw-away PostgreSQL cluster a test program, a fresh database a test.
#pragma once

#include <string>

#include <gtest/gtest.h>

#include "pcw/pg/connection.h"

namespace pcw {

/// The libpq address of a new, empty database of the shared cluster. Aborts the test program if
/// there is no server.
std::string NewDatabase();

/// A session as the cluster's superuser.
pg::Connection OpenSuperuser(const std::string& url);

/// A migrated database.
class DatabaseTest : public ::testing::Test {
 protected:
  DatabaseTest();

  static constexpr const char* kTenant = "00000000-0000-0000-0000-000000000001";
  pg::ConnectOptions Connect() const {
    pg::ConnectOptions options;
    options.url = url;
    return options;
  }
  pg::Connection OpenService(const std::string& tenant = kTenant) const;
  /// The single value of a query, as superuser.
  std::string Ask(const std::string& sql) const;

  std::string url;
};

}  // namespace pcw
