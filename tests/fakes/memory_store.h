// A lake in memory.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "pcw/lake/bronze_store.h"

namespace pcw::lake {

/// Keeps objects under the contract of BronzeStore. A test may take keys out of reach. For one
/// thread.
class MemoryBronzeStore final : public BronzeStore {
 public:
  Status Put(std::string_view key, std::string_view content, std::stop_token) override {
    const auto [held, is_new] = objects.emplace(key, content);
    if (is_new || held->second == content) return Ok{};
    return Error(ErrorCode::kConflict, "the key holds other bytes");
  }
  Result<std::string> Get(std::string_view key, std::stop_token) override {
    ++gets;
    if (const auto broken = broken_keys.find(std::string(key)); broken != broken_keys.end())
      return broken->second;
    const auto found = objects.find(key);
    if (found == objects.end()) return Error(ErrorCode::kNotFound, "no such key");
    return found->second;
  }
  Result<std::vector<ObjectInfo>> List(std::string_view prefix, std::stop_token) override {
    std::vector<ObjectInfo> infos;
    for (const auto& [key, content] : objects) {
      if (key.starts_with(prefix)) infos.push_back({key, content.size(), ""});
    }
    return infos;
  }
  Status Probe(std::stop_token) override { return Ok{}; }
  std::string Describe() const override { return "memory"; }

  std::map<std::string, std::string, std::less<>> objects;
  std::map<std::string, Error> broken_keys;  ///< that Get answers with
  int gets = 0;
};

}  // namespace pcw::lake
