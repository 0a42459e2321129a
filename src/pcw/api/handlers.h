// The handlers of the routes: each parses, calls one function of a module below, renders.
#pragma once

#include "pcw/api/route.h"

namespace pcw::api {

RouteAnswer ListConnectors(Api& api, Call& call);
RouteAnswer ConnectorHealth(Api& api, Call& call);
RouteAnswer TriggerSync(Api& api, Call& call);

RouteAnswer ListRuns(Api& api, Call& call);
RouteAnswer ShowRun(Api& api, Call& call);
RouteAnswer StreamRun(Api& api, Call& call);
RouteAnswer CancelRun(Api& api, Call& call);

RouteAnswer ListDeadLetters(Api& api, Call& call);
RouteAnswer GroupDeadLetters(Api& api, Call& call);
RouteAnswer ReplayDeadLetters(Api& api, Call& call);
RouteAnswer DropDeadLetters(Api& api, Call& call);
RouteAnswer ShowDeadLetter(Api& api, Call& call);

RouteAnswer ShowQuota(Api& api, Call& call);
RouteAnswer ListDrift(Api& api, Call& call);
RouteAnswer Diagnose(Api& api, Call& call);

RouteAnswer ShowHealth(Api& api, Call& call);
RouteAnswer ShowReadiness(Api& api, Call& call);
RouteAnswer ShowMetrics(Api& api, Call& call);
RouteAnswer ShowOpenApi(Api& api, Call& call);

/// A numeric parameter within its bounds; `fallback` if it is absent. 400 invalid_parameter.
Result<int> ReadLimit(const Call& call, int fallback, int most);
/// A parameter that is one of `values`, or empty if it is absent. 400 invalid_parameter.
Result<std::string> ReadQueryChoice(const Call& call, const char* name,
                                    const std::vector<std::string>& values);
/// The value of a parameter, empty if it is absent.
std::string QueryText(const Call& call, const char* name);

/// The page of a list that a request asks for, by `limit` and `cursor`.
struct Page {
  std::string_view list;
  std::string tenant_id;
  std::string filters;  ///< the request's, as one text: a cursor is good with these only
  std::string key;      ///< of this database's cursors
  int limit = 0;
  std::string after;  ///< the last id of the page before; empty = the first page
};
/// 400 invalid_parameter, invalid_cursor. `filters` must tell any two sets of them apart.
Result<Page> ReadPage(Api& api, Call& call, std::string_view list, std::string filters,
                      int usual_limit, int most);
/// The cursor behind `last_id`.
std::string CursorAfter(const Page& page, std::string_view last_id);

/// Cuts what was loaded, one row more than the page holds, and gives the next page's cursor; empty:
/// this is the last page.
template <typename Row, typename IdOf>
std::string CutPage(const Page& page, std::vector<Row>& rows, IdOf id_of) {
  if (rows.size() <= static_cast<std::size_t>(page.limit)) return "";
  rows.resize(static_cast<std::size_t>(page.limit));
  return CursorAfter(page, id_of(rows.back()));
}

/// A connector by its name in a URL, and its row in the tenant. 404.
struct FoundConnector {
  const connector::ConnectorDef* def = nullptr;
  std::int64_t id = 0;
};
Result<FoundConnector> FindTenantConnector(const Call& call, std::string_view name);

}  // namespace pcw::api
