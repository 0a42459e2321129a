#include "pcw/diagnose/bronze_facts.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "pcw/lake/layout.h"
#include "pcw/runs/run_bronze.h"

namespace pcw::diagnose {
namespace {

class Look {
 public:
  Look(lake::BronzeStore& store, pg::Connection& connection, BronzeFacts& facts,
       std::stop_token stop)
      : store_(store), connection_(connection), facts_(facts), stop_(std::move(stop)) {}

  Status AtEntity(const connector::EntityDef& entity, WallTime now) {
    PCW_TRY_OK(AtNewestParts(entity));
    return AtRecentFolders(entity, now);
  }

  Status AtRefusedWrite() {
    PCW_TRY(auto refused, runs::NewestRefusedWrite(connection_, stop_));
    if (refused) facts_.refused_write = std::move(*refused);
    return Ok{};
  }

 private:
  // Of each entity the newest parts are compared: what is older was compared when it was newer.
  Status AtNewestParts(const connector::EntityDef& entity) {
    PCW_TRY(const auto keys, runs::NewestPartKeys(connection_, entity.name, stop_));
    for (const std::string& key : keys) {
      PCW_TRY(const auto objects, store_.List(key, stop_));
      if (objects.empty()) {
        facts_.missing.push_back(key);
      } else if (key == keys.front()) {
        facts_.newest.push_back({std::string(entity.name), key, objects.front().modified_at});
      }
    }
    return Ok{};
  }

  Status AtRecentFolders(const connector::EntityDef& entity, WallTime now) {
    PCW_TRY(const auto folders_of_runs, runs::RecentFolders(connection_, entity.name, stop_));
    const std::set<std::string> known(folders_of_runs.begin(), folders_of_runs.end());
    for (int days_ago = 0; days_ago < 2; ++days_ago) {
      // A run's prefix without the run: the day's folder.
      std::string day = lake::RunPrefix(entity.connector->lake_prefix, entity.name,
                                        now - std::chrono::days(days_ago), "");
      day.resize(day.rfind("run-"));
      PCW_TRY(const auto objects, store_.List(day, stop_));
      std::set<std::string> folders;
      for (const lake::ObjectInfo& object : objects)
        folders.insert(object.key.substr(0, object.key.rfind('/') + 1));
      for (const std::string& folder : folders)
        if (!known.contains(folder)) facts_.orphans.push_back(folder);
    }
    return Ok{};
  }

  lake::BronzeStore& store_;
  pg::Connection& connection_;
  BronzeFacts& facts_;
  std::stop_token stop_;
};

}  // namespace

BronzeFacts LookAtBronze(lake::BronzeStore& store, pg::Connection* connection,
                         std::span<const connector::EntityDef* const> entities, WallTime now,
                         std::stop_token stop) {
  BronzeFacts facts;
  facts.was_looked_at = true;
  facts.lake = store.Describe();
  if (Status probed = store.Probe(stop); !probed) {
    facts.error = std::move(probed).error();
    return facts;
  }
  if (connection == nullptr) return facts;
  Look look(store, *connection, facts, stop);
  Status looked = look.AtRefusedWrite();
  for (const connector::EntityDef* entity : entities)
    if (looked) looked = look.AtEntity(*entity, now);
  if (!looked) facts.error = std::move(looked).error();
  return facts;
}

}  // namespace pcw::diagnose
