#include "pcw/aws/credentials/credentials_document.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "pcw/aws/credentials/expiration.h"
#include "pcw/base/json.h"

namespace pcw::aws {
namespace {

Error Unusable(const std::string& source, std::string_view what) {
  return Error(ErrorCode::kUnauthenticated,
               fmt::format("{} gave no credentials: {}", source, what));
}

}  // namespace

Result<CredentialsPtr> ParseCredentialsDocument(std::string_view json, const std::string& source) {
  const Result<Json> document =
      ParseJson(json, {.max_bytes = 64U << 10U, .max_depth = 8, .max_values = 1000});
  // The parser's own message may quote the text, and the text holds secrets.
  if (!document || !document->is_object())
    return Unusable(source, "the answer is not a JSON object");
  const auto text = [&](const char* key) {
    const auto found = document->find(key);
    return found != document->end() && found->is_string() ? found->get<std::string>()
                                                          : std::string();
  };
  if (const std::string code = text("Code"); !code.empty() && code != "Success")
    return Unusable(source, fmt::format("Code is {}: {}", code, text("Message")));
  auto credentials = std::make_shared<Credentials>();
  credentials->access_key_id = text("AccessKeyId");
  credentials->secret_access_key = Secret(text("SecretAccessKey"));
  for (const char* key : {"AccessKeyId", "SecretAccessKey"}) {
    if (text(key).empty()) return Unusable(source, fmt::format("{} is missing", key));
  }
  const std::string token = text("SessionToken");
  credentials->session_token = Secret(token.empty() ? text("Token") : token);
  credentials->account_id = text("AccountId");
  credentials->source = source;
  if (document->contains("Expiration") && !(*document)["Expiration"].is_null()) {
    const Json& said = (*document)["Expiration"];
    Result<WallTime> expires = ParseExpiration(
        said.is_number_integer() ? std::to_string(said.get<std::int64_t>()) : text("Expiration"));
    if (!expires) return Unusable(source, "Expiration is not a time such as 2026-11-24T08:00:00Z");
    credentials->expires_at = *expires;
  }
  return CredentialsPtr(std::move(credentials));
}

}  // namespace pcw::aws
