#include "pcw/aws/sts.h"

#include <fmt/format.h>

#include "pcw/aws/credentials/expiration.h"
#include "pcw/aws/sigv4.h"
#include "pcw/aws/xml.h"

namespace pcw::aws::sts {

Result<CallerIdentity> GetCallerIdentity(Caller& caller, std::stop_token stop) {
  PCW_TRY(const CallResult answer,
          caller.Call(kGetCallerIdentity, "Action=GetCallerIdentity&Version=2011-06-15", stop));
  CallerIdentity identity{XmlText(answer.body, "Account").value_or(""),
                          XmlText(answer.body, "Arn").value_or(""),
                          XmlText(answer.body, "UserId").value_or("")};
  if (identity.account.empty())
    return Error(ErrorCode::kUnavailable, "STS did not say which account this is")
        .With("request_id", answer.request_id);
  return identity;
}

Result<CredentialsPtr> AssumeRole(Caller& caller, const RoleRequest& request,
                                  const std::string& source, std::stop_token stop) {
  const Operation& operation =
      request.web_identity_token ? kAssumeRoleWithWebIdentity : kAssumeRole;
  std::string body =
      fmt::format("Action={}&Version=2011-06-15&RoleArn={}&RoleSessionName={}", operation.name,
                  PercentEncode(request.role_arn), PercentEncode(request.session_name));
  if (!request.external_id.empty()) body += "&ExternalId=" + PercentEncode(request.external_id);
  if (request.duration_seconds)
    body += fmt::format("&DurationSeconds={}", *request.duration_seconds);
  if (request.web_identity_token)
    body += "&WebIdentityToken=" + PercentEncode(request.web_identity_token->Reveal());
  PCW_TRY(const CallResult answer, caller.Call(operation, body, stop));

  auto credentials = std::make_shared<Credentials>();
  credentials->access_key_id = XmlText(answer.body, "AccessKeyId").value_or("");
  credentials->secret_access_key = Secret(XmlText(answer.body, "SecretAccessKey").value_or(""));
  credentials->session_token = Secret(XmlText(answer.body, "SessionToken").value_or(""));
  credentials->source = source;
  const Result<WallTime> expires = ParseExpiration(XmlText(answer.body, "Expiration").value_or(""));
  if (credentials->access_key_id.empty() || !expires) {
    return Error(ErrorCode::kUnavailable, "STS answered without complete credentials")
        .With("request_id", answer.request_id);
  }
  credentials->expires_at = *expires;
  // arn:aws:iam::<account>:role/<name>
  const auto start = request.role_arn.find("::");
  if (start != std::string::npos) credentials->account_id = request.role_arn.substr(start + 2, 12);
  return CredentialsPtr(std::move(credentials));
}

}  // namespace pcw::aws::sts
