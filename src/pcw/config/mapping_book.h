// The mappings that a process works with while their files may change under it.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "pcw/config/config.h"
#include "pcw/config/mapping_choice.h"
#include "pcw/connector/mapping.h"

namespace pcw::config {

/// Gives each run the mapping in force and follows the files. A changed file is taken up by the
/// next run and logged; one with a mistake, or whose columns the table lacks, is logged once and
/// leaves the mapping in force that was there before. A run keeps the mapping it began with.
/// Thread-safe.
class MappingBook {
 public:
  /// Whether the table can take the rows of a mapping; asked before it comes into force, by one
  /// thread at a time or several, and never under a lock: it may wait for the database.
  using Check = std::function<Status(const connector::Mapping&)>;

  /// The mapping of a tenant's entity. Only a caller with a check brings a changed one into force;
  /// without one the caller gets the one in force, if there is any. An error where none was in
  /// force before, as MappingFor's or the check's, and kUnavailable, kTimeout and kCancelled of the
  /// check.
  Result<std::shared_ptr<const connector::Mapping>> InForce(const Config& config,
                                                            std::string_view entity,
                                                            const Check& check = {});

 private:
  struct Held {
    std::shared_ptr<const connector::Mapping> mapping;
    std::string yaml;     ///< what it was parsed from
    std::string refused;  ///< the last refusal that was logged
    bool is_checked = false;
  };
  static void Refuse(Held& held, Error error);
  static void Tell(std::string_view entity, const MappingText& text, int before, int now);

  std::mutex mutex_;
  std::map<std::pair<std::string, std::string>, Held> held_;  // by tenant and entity; by mutex_
};

}  // namespace pcw::config
