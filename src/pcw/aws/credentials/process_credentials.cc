#include "pcw/aws/credentials/process_credentials.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "pcw/aws/credentials/credentials_document.h"
#include "pcw/aws/ini.h"
#include "pcw/base/json.h"
#include "pcw/base/subprocess.h"

namespace pcw::aws {
namespace {

constexpr std::chrono::minutes kDeadline{1};
constexpr std::size_t kShownBytes = 300;

// Long words of base64 are keys or tokens more often than not.
std::string WithoutKeys(std::string_view text) {
  constexpr std::size_t kLongestPlainWord = 30;
  constexpr std::string_view kBase64 =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";
  std::string out;
  while (!text.empty()) {
    const auto end = std::min(text.find_first_not_of(kBase64), text.size());
    out += end > kLongestPlainWord ? std::string_view("***") : text.substr(0, end);
    text.remove_prefix(end);
    const auto next = std::min(text.find_first_of(kBase64), text.size());
    out += text.substr(0, next);
    text.remove_prefix(next);
  }
  return out;
}

// The end of what a program complained, on one line.
std::string Tail(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  if (text.size() > kShownBytes) text.erase(0, text.size() - kShownBytes);
  std::replace_if(
      text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
  return WithoutKeys(text);
}

}  // namespace

Result<std::vector<std::string>> SplitCommand(std::string_view command) {
  Result<std::vector<std::string>> words = SplitShellWords(command);
  if (!words)
    return Error(ErrorCode::kConfig,
                 fmt::format("credential_process has {}", words.error().message()));
  if (words->empty()) return Error(ErrorCode::kConfig, "credential_process is empty");
  return words;
}

Result<CredentialsPtr> ProcessCredentials::Fetch(std::stop_token stop) {
  PCW_TRY(const std::vector<std::string> words, SplitCommand(command_));
  const std::string source =
      fmt::format("credential_process of profile {} ({})", profile_, words.front());
  Environment environment = environment_;
  std::erase_if(environment, [](const auto& entry) { return entry.first.starts_with("PCW_"); });
  const Result<ProgramOutput> ran = RunProgram(words, environment, kDeadline, stop);
  if (!ran && ran.error().code() == ErrorCode::kNotFound)
    return Error(ErrorCode::kConfig, fmt::format("{}: {}", source, ran.error().message()));
  if (!ran) return ran.error();
  if (ran->exit_code != 0) {
    return Error(ErrorCode::kUnauthenticated,
                 fmt::format("{} ended with {}: {}", source, ran->exit_code, Tail(ran->err)));
  }
  const Result<Json> document = ParseJson(ran->out);
  if (document && document->is_object() && document->value("Version", Json(0)) != Json(1)) {
    return Error(ErrorCode::kUnauthenticated,
                 fmt::format("{} printed a document that is not of Version 1", source));
  }
  return ParseCredentialsDocument(ran->out, source);
}

}  // namespace pcw::aws
