#include "pcw/sim/partner_central/request_reader.h"

#include <nlohmann/json.hpp>

#include "pcw/sim/draw.h"

namespace pcw::sim {

const Json* MemberOf(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

std::set<std::string> TextsOf(const Json& request, const char* name) {
  const Json* list = MemberOf(request, name);
  return list == nullptr ? std::set<std::string>{} : list->get<std::set<std::string>>();
}

bool Admits(const std::set<std::string>& filter, const std::string& value) {
  return filter.empty() || filter.contains(value);
}

std::string SortNameOf(const Json& request, const char* fallback) {
  const Json* sort = MemberOf(request, "Sort");
  return sort == nullptr ? fallback : (*sort)["SortBy"].get<std::string>();
}

bool IsDescending(const Json& request) {
  const Json* sort = MemberOf(request, "Sort");
  return sort != nullptr && (*sort)["SortOrder"] == "DESCENDING";
}

std::uint64_t FingerprintOf(Json request) {
  request.erase("NextToken");
  request.erase("MaxResults");
  return MixText(DumpJson(request));
}

}  // namespace pcw::sim
