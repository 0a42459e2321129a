// The one table of configuration keys: parsing, environment twins, `config show` and the example
// file all come from it.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pcw/config/config.h"

namespace pcw::config {

enum class KeyType { kText, kBool, kInteger, kDuration, kList };

/// One value on its way into the Config: already unquoted and, for lists, split.
struct RawValue {
  std::string text;
  std::vector<std::string> items;
};

struct ConfigKey {
  std::string_view path;  ///< "connectors.partner_central.batch_size"
  KeyType type;
  std::string_view fallback;  ///< the default, as it would be written
  std::string_view comment;   ///< for the example file
  /// Checks and stores; returns what was expected instead, or "" if the value is good.
  std::string (*store)(Config&, const RawValue&);
};

std::span<const ConfigKey> ConfigKeys();

/// "database.url" -> "PCW_DATABASE_URL"
std::string EnvironmentName(std::string_view path);

/// A five-field cron expression that can fire: "" or what is wrong with it.
std::string CheckCron(std::string_view text);

}  // namespace pcw::config
