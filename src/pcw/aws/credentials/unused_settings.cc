#include "pcw/aws/credentials/unused_settings.h"

#include <array>
#include <string_view>

#include <fmt/format.h>

namespace pcw::aws {
namespace {

struct Setting {
  const char* variable;  ///< "" = only a key
  const char* key;       ///< "" = only a variable
  const char* fine;      ///< the value that asks for what pcw does; "" = none
  std::string_view instead;
};

constexpr std::string_view kRetries =
    "pcw retries by its own policy, which spares the account's quota";
constexpr std::string_view kRegional = "pcw asks the endpoint of the region";
constexpr std::string_view kMetadata =
    "instance metadata is asked as the environment says; set AWS_EC2_METADATA_SERVICE_ENDPOINT, "
    "_ENDPOINT_MODE, AWS_METADATA_SERVICE_TIMEOUT or _NUM_ATTEMPTS";

constexpr std::array kSettings{
    Setting{"AWS_MAX_ATTEMPTS", "max_attempts", "", kRetries},
    Setting{"AWS_RETRY_MODE", "retry_mode", "", kRetries},
    Setting{"AWS_STS_REGIONAL_ENDPOINTS", "sts_regional_endpoints", "regional", kRegional},
    Setting{"AWS_S3_US_EAST_1_REGIONAL_ENDPOINT", "s3.us_east_1_regional_endpoint", "regional",
            kRegional},
    Setting{"AWS_ACCOUNT_ID_ENDPOINT_MODE", "account_id_endpoint_mode", "disabled",
            "no service that pcw calls has endpoints by account"},
    Setting{"AWS_SIGV4A_SIGNING_REGION_SET", "sigv4a_signing_region_set", "",
            "pcw signs with SigV4 for one region"},
    Setting{"AWS_AUTH_SCHEME_PREFERENCE", "auth_scheme_preference", "sigv4",
            "pcw signs with SigV4"},
    Setting{"AWS_SDK_UA_APP_ID", "sdk_ua_app_id", "", "the User-Agent is pcw's own"},
    Setting{"", "s3.use_accelerate_endpoint", "false",
            "the lake is reached at the bucket's own region"},
    Setting{"", "s3.payload_signing_enabled", "true", "payloads are always signed"},
    Setting{"", "s3.signature_version", "s3v4", "pcw signs with SigV4"},
    Setting{"", "ec2_metadata_service_endpoint", "", kMetadata},
    Setting{"", "ec2_metadata_service_endpoint_mode", "", kMetadata},
    Setting{"", "metadata_service_timeout", "", kMetadata},
    Setting{"", "metadata_service_num_attempts", "", kMetadata},
};

}  // namespace

std::vector<UnusedSetting> FindUnusedSettings(const Environment& environment,
                                              const ProfileFiles& files,
                                              const std::string& profile) {
  std::vector<UnusedSetting> found;
  const auto add = [&](const Setting& setting, std::string name, const std::string& value) {
    if (*setting.fine == '\0' || !IsSameWord(value, setting.fine))
      found.push_back({std::move(name), std::string(setting.instead)});
  };
  for (const Setting& setting : kSettings) {
    if (const auto value = Lookup(environment, setting.variable))
      add(setting, setting.variable, *value);
  }
  const auto settings = files.profiles.find(profile);
  if (settings == files.profiles.end()) return found;
  for (const Setting& setting : kSettings) {
    if (const auto value = Lookup(settings->second, setting.key))
      add(setting, fmt::format("profile {}: {}", profile, setting.key), *value);
  }
  return found;
}

}  // namespace pcw::aws
