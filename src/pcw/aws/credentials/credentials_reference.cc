#include "pcw/aws/credentials/credentials_reference.h"

#include <cerrno>
#include <filesystem>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>

#include "pcw/base/file.h"
#include "pcw/base/json.h"

namespace pcw::aws {
namespace {

constexpr std::size_t kLargestReference = 4096;

// What tells one written file from the next: they replace each other by rename.
std::string IdentityOf(const std::string& file) {
  struct stat status {};
  if (::stat(file.c_str(), &status) != 0) return "";
  return fmt::format("{}:{}:{}", status.st_ino, status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
}

}  // namespace

std::string CredentialsReference::ToString() const {
  return (kind == Kind::kFile ? "file:" : "profile:") + target;
}

Result<CredentialsReference> ParseReference(std::string_view text) {
  for (const auto kind :
       {CredentialsReference::Kind::kProfile, CredentialsReference::Kind::kFile}) {
    CredentialsReference reference{kind, ""};
    const std::string prefix = reference.ToString();
    if (!text.starts_with(prefix) || text.size() == prefix.size()) continue;
    reference.target = text.substr(prefix.size());
    const bool is_relative =
        kind == CredentialsReference::Kind::kFile && reference.target[0] != '/';
    if (!is_relative) return reference;
  }
  return Error(ErrorCode::kInvalidRequest,
               fmt::format("\"{}\" is not a reference to credentials, expected profile:NAME or "
                           "file:/absolute/path",
                           text));
}

Result<std::optional<CredentialsReference>> LoadReference(const std::string& file) {
  if (!std::filesystem::exists(file)) return std::optional<CredentialsReference>();
  PCW_TRY(const std::string text, ReadFile(file, kLargestReference));
  const Result<Json> document = ParseJson(text);
  if (document && document->is_object() && document->contains("credentials") &&
      (*document)["credentials"].is_string()) {
    Result<CredentialsReference> reference =
        ParseReference((*document)["credentials"].get<std::string>());
    if (reference) return std::optional(std::move(*reference));
  }
  return Error(ErrorCode::kConfig,
               fmt::format("{}: expected {{\"credentials\": \"profile:NAME\"}}; remove the file to "
                           "go back to the configured credentials",
                           file));
}

Status SaveReference(const std::string& file,
                     const std::optional<CredentialsReference>& reference) {
  if (reference)
    return WriteFileDurably(file, DumpJson(Json{{"credentials", reference->ToString()}}) + "\n",
                            IfExists::kReplace);
  std::error_code problem;
  std::filesystem::remove(file, problem);
  if (!problem) return Ok{};
  return Error(ErrorCode::kUnavailable,
               fmt::format("cannot remove {}: {}", file, problem.message()));
}

Result<CredentialsPtr> ReferencedCredentials::Fetch(std::stop_token stop) {
  const std::string looked_at = IdentityOf(file_);
  PCW_TRY(const std::optional<CredentialsReference> reference, LoadReference(file_));
  Result<CredentialsPtr> got =
      reference ? make_source_(*reference)->Fetch(stop) : configured_->Fetch(stop);
  // A switch that failed stays due.
  const std::lock_guard lock(mutex_);
  if (got) seen_ = looked_at;
  return got;
}

bool ReferencedCredentials::HasChanged() {
  const std::lock_guard lock(mutex_);
  return IdentityOf(file_) != seen_;
}

}  // namespace pcw::aws
