#include "pcw/pg/conninfo.h"

#include <memory>

#include <libpq-fe.h>

namespace pcw::pg {

Result<std::map<std::string, std::string>> ConninfoEnvironment(const std::string& url) {
  char* problem = nullptr;
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options(
      PQconninfoParse(url.c_str(), &problem), PQconninfoFree);
  // libpq's own words may quote the string, password and all.
  if (problem != nullptr) PQfreemem(problem);
  if (!options) return Error(ErrorCode::kConfig, "database.url cannot be read as a libpq address");
  std::map<std::string, std::string> environment;
  for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
    if (option->val != nullptr && option->envvar != nullptr)
      environment[option->envvar] = option->val;
  }
  return environment;
}

}  // namespace pcw::pg
