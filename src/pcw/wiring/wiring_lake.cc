// The lake of a configuration.
#include "pcw/aws/endpoint.h"
#include "pcw/aws/s3.h"
#include "pcw/lake/s3_store.h"
#include "pcw/wiring/wiring.h"

namespace pcw::wiring {
namespace {

// The store of a bucket with all that it stands on.
class S3Lake final : public lake::BronzeStore {
 public:
  static Result<std::unique_ptr<lake::BronzeStore>> Open(
      const config::Config& config, const std::map<std::string, std::string>& environment,
      Machine& machine) {
    PCW_TRY(lake::S3Location location, lake::ParseS3Location(config.lake.url));
    PCW_TRY(auto identity, OpenIdentity(config, environment, machine));
    if (!config.lake.region.empty()) identity->region = config.lake.region;
    PCW_TRY(const aws::Endpoint endpoint,
            aws::ResolveEndpoint(aws::s3::kService, identity->region, environment,
                                 identity->profiles, identity->profile));
    const auto settings = identity->profiles.profiles.find(identity->profile);
    PCW_TRY(aws::s3::BucketAddress address,
            aws::s3::AddressBucket(
                endpoint.url, location.bucket,
                settings == identity->profiles.profiles.end()
                    ? ""
                    : aws::Lookup(settings->second, "s3.addressing_style").value_or("")));
    return std::unique_ptr<lake::BronzeStore>(
        new S3Lake(std::move(identity), std::move(location), std::move(address), config, machine));
  }

  Status Put(std::string_view key, std::string_view content, std::stop_token stop) override {
    return store_.Put(key, content, stop);
  }
  Result<std::string> Get(std::string_view key, std::stop_token stop) override {
    return store_.Get(key, stop);
  }
  Result<std::vector<lake::ObjectInfo>> List(std::string_view prefix,
                                             std::stop_token stop) override {
    return store_.List(prefix, stop);
  }
  Status Probe(std::stop_token stop) override { return store_.Probe(stop); }
  std::string Describe() const override { return store_.Describe(); }

 private:
  S3Lake(std::unique_ptr<AwsIdentity> identity, lake::S3Location location,
         aws::s3::BucketAddress address, const config::Config& config, Machine& machine)
      : identity_(std::move(identity)),
        caller_(aws::s3::kService,
                {*identity_->http, *identity_->credentials, gate_, machine.clock, machine.sleeper,
                 machine.rng},
                {.region = identity_->region,
                 .endpoint = std::move(address.endpoint),
                 .user_agent = kUserAgent,
                 .retry = {},
                 .limits = aws::s3::ObjectLimits(),
                 .payloads = nullptr}),
        bucket_(caller_, {.bucket = std::move(location.bucket),
                          .path = std::move(address.path),
                          .expected_owner = config.lake.expected_bucket_owner,
                          .sse_kms_key_id = config.lake.sse_kms_key_id}),
        store_(bucket_, {.prefix = std::move(location.prefix),
                         .part_bytes = config.lake.multipart_threshold}) {}

  const std::unique_ptr<AwsIdentity> identity_;
  aws::OpenQuotaGate gate_;  // S3 is outside Partner Central's quota
  aws::Caller caller_;
  aws::s3::Bucket bucket_;
  lake::S3BronzeStore store_;
};

}  // namespace

Result<std::unique_ptr<lake::BronzeStore>> OpenLake(
    const config::Config& config, const std::map<std::string, std::string>& environment,
    Machine& machine) {
  const std::string& url = config.lake.url;
  if (url.starts_with("s3://")) return S3Lake::Open(config, environment, machine);
  std::filesystem::path root =
      url.empty() ? config::HomeDirectory(environment) / "lake"
                  : std::filesystem::path(url.substr(std::string("file://").size()));
  return std::unique_ptr<lake::BronzeStore>(
      std::make_unique<lake::DirectoryBronzeStore>(std::move(root)));
}

}  // namespace pcw::wiring
