#include "pcw/aws/credentials/role_credentials.h"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>

#include "pcw/aws/caller.h"
#include "pcw/aws/credentials/credentials_check.h"
#include "pcw/aws/credentials/static_credentials.h"
#include "pcw/aws/endpoint.h"
#include "pcw/aws/sts.h"
#include "pcw/base/file.h"

namespace pcw::aws {
namespace {

constexpr std::size_t kLargestIdentityToken = 64U << 10U;
constexpr std::chrono::seconds kBeforeTheSameToken{1};
// What STS says of a web identity token that another one, or the same a moment later, may pass.
constexpr std::array<std::string_view, 3> kOfTheToken{"InvalidIdentityToken",
                                                      "ExpiredTokenException", "ExpiredToken"};

Result<Secret> ReadIdentityToken(const RoleSettings& role, const std::string& token_file) {
  Result<std::string> token = ReadFile(token_file, kLargestIdentityToken);
  if (!token) {
    return Error(
        ErrorCode::kUnauthenticated,
        fmt::format("{}: web identity token: {}", role.described_by, token.error().message()));
  }
  while (!token->empty() && (token->back() == '\n' || token->back() == '\r')) token->pop_back();
  return Secret(*token);
}

Result<sts::RoleRequest> RequestFor(const RoleSettings& role, Clock& clock) {
  sts::RoleRequest request;
  request.role_arn = role.role_arn;
  request.external_id = role.external_id;
  const auto now = std::chrono::duration_cast<std::chrono::seconds>(clock.Now().time_since_epoch());
  request.session_name =
      role.session_name.empty() ? fmt::format("pcw-{}", now.count()) : role.session_name;
  if (!role.duration_seconds.empty()) {
    int seconds = 0;
    const std::string& text = role.duration_seconds;
    std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (seconds < 900 || seconds > 43'200) {
      return Error(ErrorCode::kConfig,
                   fmt::format("{}: duration_seconds is {}, expected 900 to 43200",
                               role.described_by, text));
    }
    request.duration_seconds = seconds;
  }
  return request;
}

Result<CredentialsPtr> Ask(const StsDeps& deps, const RoleSettings& role,
                           const sts::RoleRequest& request, const CredentialsPtr& base,
                           std::stop_token stop) {
  PCW_TRY_OK(CheckFitToSend(*base));
  PCW_TRY(const ProfileFiles files, LoadProfiles(deps.environment));
  PCW_TRY(const Endpoint endpoint,
          ResolveEndpoint(sts::kService, deps.region, deps.environment, files, deps.profile));
  StaticCredentialsProvider provider(*base);
  OpenQuotaGate open;
  CallerOptions options;
  options.endpoint = endpoint.url;
  options.region = endpoint.region;
  Caller caller(sts::kService, {deps.http, provider, open, deps.clock, deps.sleeper, deps.rng},
                options);
  const std::string source = fmt::format("role {} ({}{})", role.role_arn, role.described_by,
                                         base->source.empty() ? "" : ", with " + base->source);
  Result<CredentialsPtr> got = sts::AssumeRole(caller, request, source, stop);
  if (got) return got;
  return std::move(got)
      .error()
      .With("role_arn", role.role_arn)
      .With("role_of", role.described_by)
      .With("access_key_id", base->access_key_id)
      .With("base_source", base->source);
}

}  // namespace

Result<CredentialsPtr> AssumeRoleWith(const StsDeps& deps, const RoleSettings& role,
                                      const CredentialsPtr& base, std::stop_token stop) {
  PCW_TRY(const sts::RoleRequest request, RequestFor(role, deps.clock));
  return Ask(deps, role, request, base, stop);
}

Result<CredentialsPtr> AssumeRoleWithTokenFile(const StsDeps& deps, const RoleSettings& role,
                                               const std::string& token_file,
                                               std::stop_token stop) {
  PCW_TRY(sts::RoleRequest request, RequestFor(role, deps.clock));
  PCW_TRY(request.web_identity_token, ReadIdentityToken(role, token_file));
  const auto unsigned_call = std::make_shared<const Credentials>();
  Result<CredentialsPtr> got = Ask(deps, role, request, unsigned_call, stop);
  if (got) return got;
  const std::string type(got.error().Find("aws_error").value_or(""));
  if (std::find(std::begin(kOfTheToken), std::end(kOfTheToken), type) == std::end(kOfTheToken))
    return got;
  // The kubelet replaces the file before the token ends, and STS now and then does not know a good
  // one yet: once more, with what the file holds then.
  const std::string refused(request.web_identity_token->Reveal());
  PCW_TRY(request.web_identity_token, ReadIdentityToken(role, token_file));
  if (request.web_identity_token->Reveal() == refused &&
      !deps.sleeper.SleepFor(kBeforeTheSameToken, stop))
    return Error(ErrorCode::kCancelled, "stopped while asking STS");
  return Ask(deps, role, request, unsigned_call, stop);
}

Result<CredentialsPtr> WebIdentityCredentials::Fetch(std::stop_token stop) {
  const auto file = Lookup(deps_.environment, "AWS_WEB_IDENTITY_TOKEN_FILE");
  if (!file)
    return Error(ErrorCode::kNotFound, "no AWS_WEB_IDENTITY_TOKEN_FILE in the environment");
  const auto role_arn = Lookup(deps_.environment, "AWS_ROLE_ARN");
  if (!role_arn) {
    return Error(ErrorCode::kConfig,
                 "AWS_WEB_IDENTITY_TOKEN_FILE is set but AWS_ROLE_ARN is not; set both or neither");
  }
  return AssumeRoleWithTokenFile(
      deps_,
      {.role_arn = *role_arn,
       .external_id = "",
       .session_name = Lookup(deps_.environment, "AWS_ROLE_SESSION_NAME").value_or(""),
       .duration_seconds = "",
       .described_by = "web identity of the environment"},
      *file, stop);
}

Result<CredentialsPtr> RoleOverCredentials::Fetch(std::stop_token stop) {
  PCW_TRY(const CredentialsPtr base, base_->Fetch(stop));
  return AssumeRoleWith(deps_, role_, base, stop);
}

}  // namespace pcw::aws
