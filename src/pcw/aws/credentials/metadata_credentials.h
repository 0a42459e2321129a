// Credentials from the machine that pcw runs on: the ECS container endpoint and EC2's IMDSv2.
#pragma once

#include "pcw/aws/credentials.h"
#include "pcw/aws/profile.h"
#include "pcw/net/http.h"

namespace pcw::aws {

/// The hosts that are spoken to in plain http for credentials, beside loopback (docs/aws-facts.md
/// 23). An HttpClient for the sources below must allow exactly these.
inline constexpr const char* kMetadataHosts[] = {"169.254.169.254", "169.254.170.2",
                                                 "169.254.170.23", "fd00:ec2::254", "fd00:ec2::23"};

/// AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or _FULL_URI, with the token of
/// AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE (read each time) or _TOKEN: ECS, EKS pod identity.
/// 2 s a try, three tries a second apart. kConfig for a host that plain http must not go to.
class ContainerCredentials final : public CredentialsSource {
 public:
  ContainerCredentials(Environment environment, net::HttpClient& http, Sleeper& sleeper)
      : environment_(std::move(environment)), http_(http), sleeper_(sleeper) {}
  Result<CredentialsPtr> Fetch(std::stop_token stop) override;

 private:
  Result<std::string> Url() const;
  Result<std::string> Token() const;

  const Environment environment_;
  net::HttpClient& http_;
  Sleeper& sleeper_;
};

/// The instance's role, through IMDSv2 only: a token first, never the first version.
/// AWS_EC2_METADATA_DISABLED, AWS_EC2_METADATA_SERVICE_ENDPOINT, _ENDPOINT_MODE,
/// AWS_METADATA_SERVICE_TIMEOUT (1 s) and _NUM_ATTEMPTS (1) as in AWS's SDKs. kNotFound if switched
/// off or nobody answers: most machines are not instances.
class InstanceCredentials final : public CredentialsSource {
 public:
  InstanceCredentials(Environment environment, net::HttpClient& http)
      : environment_(std::move(environment)), http_(http) {}
  Result<CredentialsPtr> Fetch(std::stop_token stop) override;

 private:
  Result<net::HttpResponse> Ask(const net::HttpRequest& request, std::stop_token stop) const;

  const Environment environment_;
  net::HttpClient& http_;
};

}  // namespace pcw::aws
