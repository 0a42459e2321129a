#include "pcw/config/config_keys.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <regex>
#include <set>

#include <fmt/format.h>

#include "pcw/base/nearest.h"
#include "pcw/base/time.h"
#include "pcw/connector/entity_def.h"
#include "pcw/lake/s3_store.h"
#include "pcw/net/server/address_set.h"
#include "pcw/net/url.h"
#include "pcw/pg/conninfo.h"
#include "pcw/runs/cron.h"

namespace pcw::config {
namespace {

constexpr std::string_view kGood;

std::string Good() { return std::string(kGood); }

template <auto Get>
std::string StoreText(Config& config, const RawValue& value) {
  Get(config) = value.text;
  return Good();
}

template <auto Get>
std::string StoreQueueUrl(Config& config, const RawValue& value) {
  if (!value.text.empty()) {
    const Result<net::Url> url = net::ParseUrl(value.text);
    // "/<account>/<name>"
    const std::size_t name = url ? url->path.rfind('/') : std::string::npos;
    if (name == std::string::npos || name == 0 || name + 1 == url->path.size())
      return "expected https://sqs.<region>.amazonaws.com/<account>/<name>";
    if (url->path.ends_with(".fifo"))
      return "expected a standard queue: a FIFO queue refuses messages without a group, and pcw "
             "needs no order";
  }
  Get(config) = value.text;
  return Good();
}

template <auto Get>
std::string StoreBool(Config& config, const RawValue& value) {
  if (value.text != "true" && value.text != "false") return "expected true or false";
  Get(config) = value.text == "true";
  return Good();
}

template <auto Get, std::int64_t kLeast, std::int64_t kMost>
std::string StoreInteger(Config& config, const RawValue& value) {
  std::int64_t number = 0;
  const char* end = value.text.data() + value.text.size();
  const auto [stopped, status] = std::from_chars(value.text.data(), end, number);
  // 010 is eight to some readers and ten to others; 1e3 is a number to some only.
  const bool has_leading_zero = value.text.size() > 1 && value.text.front() == '0';
  if (status != std::errc() || stopped != end || has_leading_zero || number < kLeast ||
      number > kMost) {
    return fmt::format("expected a whole number from {} to {}", kLeast, kMost);
  }
  Get(config) = static_cast<std::remove_reference_t<decltype(Get(config))>>(number);
  return Good();
}

template <auto Get, std::int64_t kLeastMs>
std::string StoreDuration(Config& config, const RawValue& value) {
  const Result<std::chrono::milliseconds> duration = ParseDuration(value.text);
  if (!duration)
    return "expected a duration: a whole number with a unit (ms, s, m, h, d), for example 5m";
  if (duration->count() < kLeastMs)
    return fmt::format("expected at least {}", FormatDuration(std::chrono::milliseconds(kLeastMs)));
  Get(config) =
      std::chrono::duration_cast<std::remove_reference_t<decltype(Get(config))>>(*duration);
  return Good();
}

std::string OneOf(std::string_view text, const std::vector<std::string>& known) {
  if (std::find(known.begin(), known.end(), text) != known.end()) return Good();
  const auto nearest = NearestName(text, known);
  return fmt::format("expected one of {}{}", fmt::join(known, ", "),
                     nearest ? fmt::format("; did you mean {}?", *nearest) : "");
}

template <auto Get>
std::string StoreList(Config& config, const RawValue& value,
                      const std::vector<std::string>& known) {
  std::set<std::string> seen;
  for (const std::string& item : value.items) {
    if (!known.empty()) {
      if (std::string problem = OneOf(item, known); !problem.empty())
        return fmt::format("\"{}\", {}", item, problem);
    }
    if (!seen.insert(item).second) return fmt::format("\"{}\" stands there twice", item);
  }
  Get(config) = value.items;
  return Good();
}

std::string StoreEnvironment(Config& config, const RawValue& value) {
  const bool is_plain =
      !value.text.empty() && value.text.size() <= 40 &&
      value.text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string::npos;
  if (!is_plain) return "expected lower-case letters, digits and - (it is part of a bucket name)";
  config.environment = value.text;
  return Good();
}

std::string StoreDatabaseUrl(std::string& slot, const RawValue& value) {
  const bool is_good = value.text.empty() || value.text.starts_with("postgresql://") ||
                       value.text.starts_with("postgres://") ||
                       value.text.find('=') != std::string::npos;
  if (!is_good || (!value.text.empty() && !pg::SummarizeConninfo(value.text)))
    return "expected postgresql://user@host/database, or nothing for the embedded server";
  slot = value.text;
  return Good();
}

std::string StoreLakeUrl(Config& config, const RawValue& value) {
  if (value.text.starts_with("s3://")) {
    const Result<lake::S3Location> location = lake::ParseS3Location(value.text);
    if (!location) return location.error().message();
  } else if (!value.text.empty() &&
             (!value.text.starts_with("file:///") || value.text.find("..") != std::string::npos)) {
    return "expected file:///directory or s3://bucket[/prefix], or nothing for $PCW_HOME/lake";
  }
  config.lake.url = value.text;
  return Good();
}

std::string StoreKmsKey(Config& config, const RawValue& value) {
  const bool is_good = value.text.size() <= 2048 &&
                       value.text.find_first_not_of(
                           "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                           ":/_-") == std::string::npos;
  if (!is_good) return "expected the id, ARN or alias/... of a KMS key";
  config.lake.sse_kms_key_id = value.text;
  return Good();
}

std::string StoreRegion(std::string& slot, const RawValue& value) {
  if (value.text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") != std::string::npos)
    return "expected an AWS region such as eu-central-1";
  slot = value.text;
  return Good();
}

std::string StoreAccount(std::string& slot, const RawValue& value) {
  const bool is_good =
      value.text.empty() ||
      (value.text.size() == 12 && value.text.find_first_not_of("0123456789") == std::string::npos);
  if (!is_good) return "expected the 12 digits of an AWS account, in quotes";
  slot = value.text;
  return Good();
}

std::string StoreDirectory(std::string& slot, const RawValue& value) {
  if (!value.text.empty() && !value.text.starts_with('/'))
    return "expected an absolute path, or nothing";
  slot = value.text;
  return Good();
}

std::string StoreRoleArn(std::string& slot, const RawValue& value) {
  static const std::regex kRole("arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9_+=,.@/-]+");
  if (!value.text.empty() && !std::regex_match(value.text, kRole))
    return "expected arn:aws:iam::<12 digits>:role/<name>";
  slot = value.text;
  return Good();
}

std::string StoreOverlap(Config& config, const RawValue& value) {
  config.sync.overlap.reset();
  if (value.text == "auto") return Good();
  const Result<std::chrono::milliseconds> duration = ParseDuration(value.text);
  if (!duration) return "expected auto, or a duration such as 10m";
  config.sync.overlap = *duration;
  return Good();
}

std::string StoreProxy(Config& config, const RawValue& value) {
  const bool is_good =
      value.text.empty() || (value.text.starts_with("http://") && value.text.size() > 7 &&
                             value.text.find_first_of("@ \t") == std::string::npos);
  if (!is_good) return "expected http://host:port, without a name or password";
  config.aws.proxy = value.text;
  return Good();
}

std::string StoreTarget(Config& config, const RawValue& value) {
  constexpr std::string_view kBus = "eventbridge:";
  // A name, also of a partner's bus, which has slashes; or an ARN.
  static const std::regex kBusName(
      "[A-Za-z0-9._/-]{1,256}|arn:aws[a-z-]*:events:[a-z0-9-]+:[0-9]{12}:event-bus/[A-Za-z0-9._/"
      "-]+");
  const std::string& text = value.text;
  const bool is_bus =
      text.starts_with(kBus) && std::regex_match(text.substr(kBus.size()), kBusName);
  const bool is_webhook = (text.starts_with("https://") || text.starts_with("http://")) &&
                          text.find_first_of(" \t@") == std::string::npos;
  if (!text.empty() && !is_bus && !is_webhook)
    return "expected https://host/path, or eventbridge: and the name or ARN of a bus";
  config.events.out.url = text;
  return Good();
}

std::string StoreUntil(Config& config, const RawValue& value) {
  if (!value.text.empty() && !ParseRfc3339(value.text))
    return "expected a time such as 2026-11-24T08:00:00Z";
  config.logging.include_payloads_until = value.text;
  return Good();
}

// Field accessors; a table of member pointers cannot reach into the nested structs.
#define PCW_FIELD(expression) \
  [](Config & config_) -> auto& { return config_.expression; }

const std::vector<std::string>& Entities() {
  static const std::vector<std::string> names = connector::EntityNames();
  return names;
}

const std::array kKeys{
    ConfigKey{"environment", KeyType::kText, "dev", "names the bucket pcw-lake-<environment>",
              StoreEnvironment},
    ConfigKey{"database.url", KeyType::kText, "",
              "empty = embedded PostgreSQL; else postgresql://... of the service login, or "
              "env:NAME, or file:PATH",
              [](Config& c, const RawValue& v) { return StoreDatabaseUrl(c.database.url, v); }},
    ConfigKey{
        "database.admin_url", KeyType::kText, "", "only `db migrate` uses it; empty = database.url",
        [](Config& c, const RawValue& v) { return StoreDatabaseUrl(c.database.admin_url, v); }},
    ConfigKey{"database.strict_roles", KeyType::kBool, "false",
              "true: a superuser login is an error, not a warning",
              StoreBool<PCW_FIELD(database.strict_roles)>},
    ConfigKey{"lake.url", KeyType::kText, "",
              "empty = $PCW_HOME/lake; else file:///directory or s3://bucket[/prefix]",
              StoreLakeUrl},
    ConfigKey{"lake.region", KeyType::kText, "", "of the bucket; empty = aws.region",
              [](Config& c, const RawValue& v) { return StoreRegion(c.lake.region, v); }},
    ConfigKey{"lake.sse_kms_key_id", KeyType::kText, "",
              "KMS key for new objects; empty = what the bucket is set to", StoreKmsKey},
    ConfigKey{
        "lake.expected_bucket_owner", KeyType::kText, "",
        "account that must own the bucket, in quotes; empty = not checked",
        [](Config& c, const RawValue& v) { return StoreAccount(c.lake.expected_bucket_owner, v); }},
    ConfigKey{"lake.multipart_threshold", KeyType::kInteger, "16777216",
              "larger objects go to S3 in parts of this size, bytes",
              StoreInteger<PCW_FIELD(lake.multipart_threshold), 5'242'880, 67'108'864>},
    ConfigKey{"dlq.url", KeyType::kText, "", "empty = PostgreSQL only; else the SQS queue URL",
              StoreQueueUrl<PCW_FIELD(dlq.url)>},
    ConfigKey{"dlq.visibility", KeyType::kDuration, "2m",
              "how long a pass hides what it received; extended when half is over",
              StoreDuration<PCW_FIELD(dlq.visibility), 1000>},
    ConfigKey{"dlq.auto_replay", KeyType::kBool, "true",
              "the service replays a group whose newest dead letter succeeds by a changed mapping",
              StoreBool<PCW_FIELD(dlq.auto_replay)>},
    ConfigKey{"events.url", KeyType::kText, "",
              "SQS queue URL that an EventBridge rule sends Partner Central's events to; empty = "
              "sweeps alone bring changes",
              StoreQueueUrl<PCW_FIELD(events.url)>},
    ConfigKey{"events.wait", KeyType::kDuration, "20s",
              "how long SQS holds a receive that finds nothing, at most 20s",
              [](Config& c, const RawValue& v) -> std::string {
                const Result<std::chrono::milliseconds> wait = ParseDuration(v.text);
                if (!wait || wait->count() % 1000 != 0 || *wait > std::chrono::seconds(20))
                  return "expected whole seconds, 0s to 20s";
                c.events.wait = std::chrono::duration_cast<std::chrono::seconds>(*wait);
                return Good();
              }},
    ConfigKey{"events.grace", KeyType::kDuration, "10m",
              "a change that a sweep finds counts as missed if no event of it came within that",
              StoreDuration<PCW_FIELD(events.grace), 0>},
    ConfigKey{"events.out.url", KeyType::kText, "",
              "where changes of opportunities are told of: https://... or eventbridge:BUS (name or "
              "ARN), or env:NAME, or file:PATH; empty = nowhere",
              StoreTarget},
    ConfigKey{"events.out.secret", KeyType::kText, "",
              "env:NAME or file:PATH: signs what goes to a webhook; empty = unsigned",
              [](Config& c, const RawValue& v) {
                c.events.out.secret = Secret(v.text);
                return Good();
              }},
    ConfigKey{"events.out.private", KeyType::kBool, "false",
              "true: a webhook may be at a private address or on this machine, there also by http",
              StoreBool<PCW_FIELD(events.out.is_private)>},
    ConfigKey{"events.out.give_up_after", KeyType::kDuration, "24h",
              "an event that could not be delivered for so long is given up",
              StoreDuration<PCW_FIELD(events.out.give_up_after), 1000>},
    ConfigKey{"aws.region", KeyType::kText, "us-east-1",
              "of STS, S3 and SQS; Partner Central is always called in us-east-1, its only region",
              [](Config& c, const RawValue& v) {
                return v.text.empty() ? std::string("expected an AWS region such as us-east-1")
                                      : StoreRegion(c.aws.region, v);
              }},
    ConfigKey{"aws.profile", KeyType::kText, "",
              "profile in ~/.aws; beats the keys in the environment",
              StoreText<PCW_FIELD(aws.profile)>},
    ConfigKey{"aws.role_arn", KeyType::kText, "", "role to assume with those credentials",
              [](Config& c, const RawValue& v) { return StoreRoleArn(c.aws.role_arn, v); }},
    ConfigKey{"aws.external_id", KeyType::kText, "",
              "external id that the role's trust policy asks for",
              StoreText<PCW_FIELD(aws.external_id)>},
    ConfigKey{"aws.account_id", KeyType::kText, "", "expected account, in quotes; empty = ask STS",
              [](Config& c, const RawValue& v) { return StoreAccount(c.aws.account_id, v); }},
    ConfigKey{"aws.proxy", KeyType::kText, "",
              "http://host:port to reach AWS through; the environment's HTTPS_PROXY is not used",
              StoreProxy},
    ConfigKey{
        "tenants.secrets_dir", KeyType::kText, "",
        "directory below which a tenant's file:PATH may point; empty = tenants have no "
        "secrets in files",
        [](Config& c, const RawValue& v) { return StoreDirectory(c.tenants.secrets_dir, v); }},
    ConfigKey{"sync.lag", KeyType::kDuration, "5m",
              "how far the watermark stays behind AWS's clock",
              StoreDuration<PCW_FIELD(sync.lag), 0>},
    ConfigKey{"sync.overlap", KeyType::kText, "auto",
              "how far the next scan reaches back; auto = lag + longest scan so far", StoreOverlap},
    ConfigKey{"sync.part_records", KeyType::kInteger, "1000",
              "a bronze part is closed at so many records",
              StoreInteger<PCW_FIELD(sync.part_records), 1, 10'000>},
    ConfigKey{"sync.part_bytes", KeyType::kInteger, "4194304", "... or bytes",
              StoreInteger<PCW_FIELD(sync.part_bytes), 65'536, 33'554'432>},
    ConfigKey{"sync.part_age", KeyType::kDuration, "30s",
              "... or when its first record is that old; a crash repeats at most one part",
              StoreDuration<PCW_FIELD(sync.part_age), 1000>},
    ConfigKey{"sync.stop_at_mismatch_percent", KeyType::kInteger, "50",
              "a run stops when more of its last records do not fit the mapping; 0 = never",
              StoreInteger<PCW_FIELD(sync.stop_at_mismatch_percent), 0, 100>},
    ConfigKey{"sync.stop_at_fetch_failure_percent", KeyType::kInteger, "50",
              "... or when AWS does not give more of them; 0 = never",
              StoreInteger<PCW_FIELD(sync.stop_at_fetch_failure_percent), 0, 100>},
    ConfigKey{"sync.stop_window", KeyType::kInteger, "200", "how many records those shares are of",
              StoreInteger<PCW_FIELD(sync.stop_window), 10, 100'000>},
    ConfigKey{"sync.shrank_below_percent", KeyType::kInteger, "50",
              "a full listing of fewer records than that share of the last one is not believed: "
              "nothing is marked missing; 0 = every one is",
              StoreInteger<PCW_FIELD(sync.shrank_below_percent), 0, 100>},
    ConfigKey{"connectors.partner_central.enabled", KeyType::kBool, "true", "",
              StoreBool<PCW_FIELD(partner_central.is_enabled)>},
    ConfigKey{"connectors.partner_central.catalog", KeyType::kText, "AWS", "or Sandbox",
              [](Config& c, const RawValue& v) {
                c.partner_central.catalog = v.text;
                return OneOf(v.text, {"AWS", "Sandbox"});
              }},
    ConfigKey{"connectors.partner_central.schedule", KeyType::kText, "0 */6 * * *",
              "full sweep, cron, UTC",
              [](Config& c, const RawValue& v) {
                c.partner_central.schedule = v.text;
                return CheckCron(v.text);
              }},
    ConfigKey{"connectors.partner_central.incremental_every", KeyType::kDuration, "5m",
              "opportunities; the others: list_every",
              StoreDuration<PCW_FIELD(partner_central.incremental_every), 1000>},
    ConfigKey{"connectors.partner_central.list_every", KeyType::kDuration, "1h",
              "the same for entities that can only be listed whole",
              StoreDuration<PCW_FIELD(partner_central.list_every), 1000>},
    ConfigKey{
        "connectors.partner_central.entities", KeyType::kList,
        "opportunities, leads, solutions, profiles",
        "what `sync run ... all` syncs; aws_summaries as well: AWS's own view of each opportunity",
        [](Config& c, const RawValue& v) {
          return StoreList<PCW_FIELD(partner_central.entities)>(c, v, Entities());
        }},
    ConfigKey{"connectors.partner_central.mappings", KeyType::kText, "",
              "directory whose <entity>.yaml replace the built-in mappings; empty = none",
              StoreText<PCW_FIELD(partner_central.mappings)>},
    ConfigKey{"connectors.partner_central.batch_size", KeyType::kInteger, "100",
              "MaxResults of a list call",
              StoreInteger<PCW_FIELD(partner_central.batch_size), 1, 100>},
    ConfigKey{"connectors.partner_central.min_interval", KeyType::kDuration, "0ms",
              "pause between calls, on top of the quota",
              StoreDuration<PCW_FIELD(partner_central.min_interval), 0>},
    ConfigKey{"connectors.partner_central.max_in_flight", KeyType::kInteger, "0",
              "0 = auto: 2 x rate x measured latency, at most 64",
              StoreInteger<PCW_FIELD(partner_central.max_in_flight), 0, 64>},
    ConfigKey{"connectors.partner_central.write_actions", KeyType::kList,
              "create, associate, start_engagement, update", "what may be proposed",
              [](Config& c, const RawValue& v) {
                return StoreList<PCW_FIELD(partner_central.write_actions)>(
                    c, v, {"create", "associate", "start_engagement", "update"});
              }},
    ConfigKey{"connectors.marketplace.enabled", KeyType::kBool, "true", "",
              StoreBool<PCW_FIELD(marketplace.is_enabled)>},
    ConfigKey{"connectors.marketplace.product_codes", KeyType::kList, "",
              "products whose entitlements are read",
              [](Config& c, const RawValue& v) {
                return StoreList<PCW_FIELD(marketplace.product_codes)>(c, v, {});
              }},
    ConfigKey{"connectors.marketplace.metering.mode", KeyType::kText, "live", "or dry-run",
              [](Config& c, const RawValue& v) {
                c.marketplace.metering_mode = v.text;
                return OneOf(v.text, {"live", "dry-run"});
              }},
    ConfigKey{"quota.reads_per_second", KeyType::kInteger, "10",
              "of the AWS account; 0 = no limit at all (tests only)",
              StoreInteger<PCW_FIELD(quota.reads_per_second), 0, 1000>},
    ConfigKey{"quota.reads_per_day", KeyType::kInteger, "100000", "rolling 24 hours",
              StoreInteger<PCW_FIELD(quota.reads_per_day), 1, 100'000'000>},
    ConfigKey{"quota.writes_per_second", KeyType::kInteger, "1", "",
              StoreInteger<PCW_FIELD(quota.writes_per_second), 0, 1000>},
    ConfigKey{"quota.writes_per_day", KeyType::kInteger, "10000", "rolling 24 hours",
              StoreInteger<PCW_FIELD(quota.writes_per_day), 1, 100'000'000>},
    ConfigKey{"quota.burst", KeyType::kInteger, "3", "calls at once after idling",
              StoreInteger<PCW_FIELD(quota.burst), 1, 10>},
    ConfigKey{"quota.reserve_percent", KeyType::kInteger, "5",
              "of reads_per_day, kept from syncs for writes and diagnosis",
              StoreInteger<PCW_FIELD(quota.reserve_percent), 0, 90>},
    ConfigKey{"logging.level", KeyType::kText, "INFO", "DEBUG | INFO | WARN | ERROR",
              [](Config& c, const RawValue& v) {
                c.logging.level = v.text;
                return OneOf(v.text, {"DEBUG", "INFO", "WARN", "ERROR"});
              }},
    ConfigKey{"logging.format", KeyType::kText, "auto",
              "text | json; auto: text for people, JSON lines in serve",
              [](Config& c, const RawValue& v) {
                c.logging.format = v.text;
                return OneOf(v.text, {"auto", "text", "json"});
              }},
    ConfigKey{"logging.include_payloads", KeyType::kBool, "false",
              "WARNING: may contain PII; see include_payloads_until",
              StoreBool<PCW_FIELD(logging.include_payloads)>},
    ConfigKey{"logging.include_payloads_until", KeyType::kText, "",
              "when payload logging ends; empty = one hour from start", StoreUntil},
    ConfigKey{"logging.unmasked", KeyType::kBool, "false",
              "true: payload lines also show what the mappings class as PII",
              StoreBool<PCW_FIELD(logging.is_unmasked)>},
    ConfigKey{"server.listen", KeyType::kText, "127.0.0.1:8080", "",
              StoreText<PCW_FIELD(server.listen)>},
    ConfigKey{"server.tls_cert", KeyType::kText, "", "PEM file: certificate and its chain",
              StoreText<PCW_FIELD(server.tls_cert)>},
    ConfigKey{"server.tls_key", KeyType::kText, "", "PEM file of its private key",
              StoreText<PCW_FIELD(server.tls_key)>},
    ConfigKey{"server.insecure_listen", KeyType::kBool, "false",
              "true: serve an address that is not loopback without TLS; tokens travel readable",
              StoreBool<PCW_FIELD(server.insecure_listen)>},
    ConfigKey{"server.max_connections_per_address", KeyType::kInteger, "256",
              "trusted_proxies are not counted",
              StoreInteger<PCW_FIELD(server.max_connections_per_address), 1, 10'000>},
    ConfigKey{"server.trusted_proxies", KeyType::kList, "",
              "networks whose X-Forwarded-For counts: its rightmost address outside them is the "
              "client",
              [](Config& c, const RawValue& v) {
                const auto parsed = net::server::AddressSet::Parse(v.items);
                if (!parsed) return parsed.error().message();
                c.server.trusted_proxies = *parsed;
                return Good();
              }},
    ConfigKey{"server.requests_per_second", KeyType::kInteger, "100",
              "per token, and per address without one; twice that at once; 0 = no limit",
              StoreInteger<PCW_FIELD(server.requests_per_second), 0, 100'000>},
    ConfigKey{"service.workers", KeyType::kInteger, "4", "syncs at once in one process of serve",
              StoreInteger<PCW_FIELD(service.workers), 1, 64>},
    ConfigKey{"service.lease", KeyType::kDuration, "30s",
              "a worker that is silent for so long loses its job to another",
              StoreDuration<PCW_FIELD(service.lease), 1000>},
    ConfigKey{"service.stall_after", KeyType::kDuration, "10m",
              "a run without progress for so long is warned of, for twice as long begun anew",
              StoreDuration<PCW_FIELD(service.stall_after), 10'000>},
};
#undef PCW_FIELD

}  // namespace

std::string CheckCron(std::string_view text) {
  const Result<runs::Cron> cron = runs::Cron::Parse(text);
  return cron ? "" : cron.error().message();
}

std::span<const ConfigKey> ConfigKeys() { return kKeys; }

std::string EnvironmentName(std::string_view path) {
  std::string name = "PCW_";
  for (const char c : path)
    name += c == '.' ? '_' : static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
  return name;
}

}  // namespace pcw::config
