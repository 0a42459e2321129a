// The configuration: what pcw can be told, where each value came from, and every mistake in it at
// once (config/pcw.example.yaml).
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "pcw/base/result.h"
#include "pcw/base/secret.h"
#include "pcw/net/server/address_set.h"

namespace pcw::config {

/// The tenant of the main configuration file (docs/service.md).
inline constexpr const char* kDefaultTenant = "00000000-0000-0000-0000-000000000001";

/// Typed settings, as config/pcw.example.yaml lists them. Immutable after loading.
struct Config {
  std::string tenant_id = kDefaultTenant, tenant_name = "default";  ///< whose it is; no settings
  std::string environment;
  struct {
    std::string url, admin_url;
    bool strict_roles = false;
  } database;
  struct {
    std::string url, region, sse_kms_key_id, expected_bucket_owner;
    std::size_t multipart_threshold = 0;
  } lake;
  struct {
    std::string url;
    std::chrono::seconds visibility{120};
    bool auto_replay = true;
  } dlq;
  struct {
    std::string url;                     ///< SQS queue of Partner Central's events; empty = none
    std::chrono::seconds wait{0};        ///< of a receive that finds nothing
    std::chrono::milliseconds grace{0};  ///< until a change without event counts as missed
    struct {
      std::string url;  ///< https://..., eventbridge:BUS; empty = none
      Secret secret;    ///< of a webhook's signature; empty = none
      bool is_private = false;
      std::chrono::milliseconds give_up_after{0};
    } out;
  } events;
  struct {
    std::string region, profile, role_arn, external_id, account_id, proxy;
  } aws;
  struct {
    std::string secrets_dir;  ///< below which a tenant's file: may point; empty = nowhere
  } tenants;
  struct {
    std::chrono::milliseconds lag{0};
    std::optional<std::chrono::milliseconds> overlap;
    int part_records = 0;
    std::size_t part_bytes = 0;
    std::chrono::seconds part_age{0};
    int stop_at_mismatch_percent = 50;
    int stop_at_fetch_failure_percent = 50;
    int stop_window = 200;
    int shrank_below_percent = 50;
  } sync;
  struct {
    bool is_enabled = true;
    std::string catalog, schedule;
    std::chrono::milliseconds incremental_every{0};
    std::chrono::milliseconds list_every{0};  ///< the same for entities that are listed whole
    std::vector<std::string> entities;
    std::string mappings;  ///< directory; empty = the built-in ones
    int batch_size = 0;
    std::chrono::milliseconds min_interval{0};
    int max_in_flight = 0;
    std::vector<std::string> write_actions;
  } partner_central;
  struct {
    bool is_enabled = true;
    std::vector<std::string> product_codes;
    std::string metering_mode;
  } marketplace;
  struct {
    int reads_per_second = 0, reads_per_day = 0, writes_per_second = 0, writes_per_day = 0,
        burst = 0, reserve_percent = 0;
  } quota;
  struct {
    std::string level, format;
    bool include_payloads = false;
    bool is_unmasked = false;
    std::string include_payloads_until;
  } logging;
  struct {
    std::string listen, tls_cert, tls_key;
    bool insecure_listen = false;
    std::size_t max_connections_per_address = 256;
    net::server::AddressSet trusted_proxies;
    int requests_per_second = 100;
  } server;
  struct {
    int workers = 0;
    std::chrono::seconds lease{0};
    std::chrono::milliseconds stall_after{0};
  } service;
};

/// One key as `pcw config show` prints it; secrets are masked.
struct ShownKey {
  std::string key, value;
  std::string origin;  ///< "default", "file pcw.yaml:12", "environment PCW_LAKE_URL", "flag --set"
};

struct LoadedConfig {
  Config config;
  std::vector<ShownKey> keys;  ///< every key, in the order of the contract
  std::vector<std::string> warnings;
  std::string file;  ///< empty = none was found
};

/// Where to look. Values, so that tests own them.
struct ConfigSources {
  std::optional<std::filesystem::path> flag_file;
  /// Instead of any file: its name for messages, and its text. A tenant's: what it says beats AWS_*
  /// variables, which are the process's.
  std::optional<std::pair<std::string, std::string>> given_text;
  /// For `given_text`: where its file: references must lie; env: is refused there, because the
  /// environment is the operator's.
  std::string secrets_dir;
  std::map<std::string, std::string> env;
  std::vector<std::pair<std::string, std::string>> flag_overrides;  ///< --set key=value
  bool searches_default_files = true;
};

/// Loads and checks. Precedence: flag > PCW_* > AWS_* > file > AWS profile > default. kConfig with
/// one line per problem, all of them: `file:line:column key: what is wrong, expected what; did you
/// mean X?` (or `environment PCW_X: ...`). A value that came by reference is never in a message,
/// whatever it is (I29).
Result<LoadedConfig> LoadConfig(const ConfigSources& sources);

/// A target of events as people may see it: the path of a webhook is often what lets one in.
std::string ShownTarget(const std::string& url);

/// The text of config/pcw.example.yaml: every key with its default and one comment.
std::string FormatExampleConfig();

}  // namespace pcw::config
