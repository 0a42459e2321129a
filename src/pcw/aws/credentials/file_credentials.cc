#include "pcw/aws/credentials/file_credentials.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>

#include "pcw/aws/credentials/credentials_document.h"
#include "pcw/aws/ini.h"
#include "pcw/aws/profile.h"
#include "pcw/base/file.h"
#include "pcw/base/json.h"

namespace pcw::aws {
namespace {

constexpr std::size_t kLargestKeyFile = 64U << 10U;

Result<CredentialsPtr> FromIni(std::string_view text, const std::string& path) {
  PCW_TRY(const auto sections, ParseIni(text, path));
  const auto found = std::find_if(sections.begin(), sections.end(),
                                  [](const auto& section) { return section.first == "default"; });
  const ProfileSettings none;
  const ProfileSettings& keys = found == sections.end() ? none : found->second;
  const auto id = Lookup(keys, "aws_access_key_id");
  const auto secret = Lookup(keys, "aws_secret_access_key");
  if (!id || !secret) {
    return Error(ErrorCode::kConfig,
                 fmt::format("{}: expected JSON with AccessKeyId and SecretAccessKey, or [default] "
                             "with aws_access_key_id and aws_secret_access_key",
                             path));
  }
  auto credentials = std::make_shared<Credentials>();
  credentials->access_key_id = *id;
  credentials->secret_access_key = Secret(*secret);
  credentials->session_token = Secret(Lookup(keys, "aws_session_token").value_or(""));
  credentials->source = fmt::format("file {}", path);
  return CredentialsPtr(std::move(credentials));
}

}  // namespace

Result<CredentialsPtr> FileCredentials::Fetch(std::stop_token /*stop*/) {
  struct stat status {};
  if (::stat(path_.c_str(), &status) == 0 && (status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return Error(
        ErrorCode::kConfig,
        fmt::format("{} holds keys and is open to other users; chmod 600 {}", path_, path_));
  }
  const Result<std::string> text = ReadFile(path_, kLargestKeyFile);
  if (!text) return Error(ErrorCode::kConfig, text.error().message());
  const std::size_t first = text->find_first_not_of(" \t\r\n");
  if (first == std::string::npos || (*text)[first] != '{') return FromIni(*text, path_);
  const std::string source = fmt::format("file {}", path_);
  const Result<Json> document = ParseJson(*text);
  if (document && document->is_object() && document->contains("AccessKey"))
    return ParseCredentialsDocument(DumpJson((*document)["AccessKey"]), source);
  return ParseCredentialsDocument(*text, source);
}

}  // namespace pcw::aws
