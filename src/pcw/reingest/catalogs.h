// Which catalog the records of a bronze object are of.
#pragma once

#include <map>
#include <stop_token>
#include <string>

#include "pcw/pg/database.h"
#include "pcw/reingest/reader.h"

namespace pcw::reingest {

/// The catalog that the first record which names one is of; empty: none can be read that does.
std::string CatalogNamedIn(const lake::ScannedPart& part);

/// Catalogs of runs, asked for once each. Bronze of a run that was killed has no manifest to name
/// its catalog. Not thread-safe.
class RunCatalogs {
 public:
  /// "AWS" or "Sandbox", as the manifest has it, else the run's row, else the record itself; empty
  /// or whatever stands there when none of them is sound. Failures are those of pg::Connection.
  Result<std::string> CatalogOf(pg::Database& database, const ReadObject& object,
                                std::stop_token stop);

 private:
  std::map<std::string, std::string> known_;  // by run
};

}  // namespace pcw::reingest
