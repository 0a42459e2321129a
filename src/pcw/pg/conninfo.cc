#include "pcw/pg/conninfo.h"

#include <memory>

#include <libpq-fe.h>

namespace pcw::pg {
namespace {

using Options = std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)>;

Result<Options> Parse(const std::string& url) {
  char* problem = nullptr;
  Options options(PQconninfoParse(url.c_str(), &problem), PQconninfoFree);
  // libpq's own words may quote the string, password and all.
  if (problem != nullptr) PQfreemem(problem);
  if (!options) return Error(ErrorCode::kConfig, "database.url cannot be read as a libpq address");
  return options;
}

}  // namespace

Result<std::map<std::string, std::string>> ConninfoEnvironment(const std::string& url) {
  PCW_TRY(const Options options, Parse(url));
  std::map<std::string, std::string> environment;
  for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
    if (option->val != nullptr && option->envvar != nullptr)
      environment[option->envvar] = option->val;
  }
  return environment;
}

Result<ConninfoSummary> SummarizeConninfo(const std::string& url) {
  PCW_TRY(const Options options, Parse(url));
  const auto text = [&](std::string_view keyword) -> std::string {
    for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
      if (option->keyword == keyword && option->val != nullptr) return option->val;
    }
    return "";
  };
  // "u:pa/ss@h" and "u:pa@ss@h" are read with pieces of the password as port, database or host,
  // which libpq's words and ours would then show.
  const bool is_uri = url.starts_with("postgresql://") || url.starts_with("postgres://");
  if (is_uri && (text("host").find('@') != std::string::npos ||
                 text("dbname").find('@') != std::string::npos ||
                 text("port").find_first_not_of("0123456789,") != std::string::npos))
    return Error(ErrorCode::kConfig,
                 "database.url: a /, @ or : within a name or password must be percent-encoded");
  ConninfoSummary summary;
  const bool has_login_password = !text("password").empty();
  summary.has_password = has_login_password || !text("sslpassword").empty();
  summary.shown = "postgresql://" + text("user") + (has_login_password ? ":****" : "");
  if (!text("user").empty() || has_login_password) summary.shown += "@";
  summary.shown += text("host").empty() ? text("hostaddr") : text("host");
  if (!text("port").empty()) summary.shown += ":" + text("port");
  if (!text("dbname").empty()) summary.shown += "/" + text("dbname");
  return summary;
}

}  // namespace pcw::pg
