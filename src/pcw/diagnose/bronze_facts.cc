#include "pcw/diagnose/bronze_facts.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "pcw/lake/layout.h"

namespace pcw::diagnose {
namespace {

// Of each entity the newest parts are compared: what is older was compared when it was newer.
constexpr const char* kNewestParts =
    "SELECT p.bronze_key, r.bronze_prefix FROM run_parts p JOIN ingestion_runs r ON r.tenant_id = "
    "p.tenant_id AND r.id = p.run_id WHERE p.tenant_id = pcw_tenant() AND r.entity = $1 ORDER BY "
    "r.started_at DESC, p.part DESC LIMIT 3";
constexpr const char* kKnownRuns =
    "SELECT bronze_prefix FROM ingestion_runs WHERE tenant_id = pcw_tenant() AND entity = $1 AND "
    "started_at > now() - interval '4 days' AND bronze_prefix <> ''";
constexpr const char* kRefusedWrite =
    "SELECT error FROM (SELECT error_code, error FROM ingestion_runs WHERE tenant_id = "
    "pcw_tenant() AND ended_at IS NOT NULL ORDER BY started_at DESC LIMIT 1) newest WHERE "
    "error_code IS NOT NULL AND error ~ 'operation=(PutObject|UploadPart|CreateMultipartUpload|"
    "CompleteMultipartUpload)'";

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
    PCW_TRY(const pg::Rows rows,
            connection_.Exec({"bronze_refused_write", kRefusedWrite}, {}, stop_));
    if (!rows.empty()) facts_.refused_write = std::string(rows.Text(0, 0));
    return Ok{};
  }

 private:
  Status AtNewestParts(const connector::EntityDef& entity) {
    PCW_TRY(const pg::Rows rows, connection_.Exec({"bronze_newest_parts", kNewestParts},
                                                  {std::string(entity.name)}, stop_));
    for (std::size_t row = 0; row < rows.size(); ++row) {
      const std::string key(rows.Text(row, 0));
      PCW_TRY(const auto objects, store_.List(key, stop_));
      if (objects.empty()) {
        facts_.missing.push_back(key);
      } else if (row == 0) {
        facts_.newest.push_back({std::string(entity.name), key, objects.front().modified_at});
      }
    }
    return Ok{};
  }

  Status AtRecentFolders(const connector::EntityDef& entity, WallTime now) {
    PCW_TRY(const pg::Rows rows,
            connection_.Exec({"bronze_known_runs", kKnownRuns}, {std::string(entity.name)}, stop_));
    std::set<std::string> known;
    for (std::size_t row = 0; row < rows.size(); ++row) known.emplace(rows.Text(row, 0));
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
