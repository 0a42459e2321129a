// How to reach a server, in the form that other libpq programs take it without an argument list.
#pragma once

#include <map>
#include <string>

#include "pcw/base/result.h"

namespace pcw::pg {

/// libpq's environment variables (PGHOST, PGUSER, PGPASSWORD ...) for a URI or key/value string: a
/// password must not stand in the arguments of a process, which everybody may read (I29). Settings
/// without a variable of their own are left out. kConfig for a string that libpq cannot read.
Result<std::map<std::string, std::string>> ConninfoEnvironment(const std::string& url);

/// What people may know of a URI or key/value string.
struct ConninfoSummary {
  bool has_password = false;  ///< one stands in it, wherever libpq takes one from
  std::string shown;          ///< "postgresql://user:****@host:5432/database"
};

/// Reads the string as libpq does. kConfig for one that it cannot read; libpq's own words, which
/// may quote a password, are not repeated.
Result<ConninfoSummary> SummarizeConninfo(const std::string& url);

}  // namespace pcw::pg
