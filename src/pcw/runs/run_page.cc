#include "pcw/runs/run_page.h"

#include <utility>

#include "pcw/base/assert.h"
#include "pcw/runs/run_page_sql.h"

namespace pcw::runs {

Result<std::vector<StoredRun>> ListRunPage(pg::Connection& connection,
                                           const RunPageRequest& request, std::stop_token stop) {
  PCW_ASSERT(request.limit <= kMostRunsOfPage);
  const RunPageSql select = SelectRunPage(request);
  PCW_TRY(const pg::Rows rows, connection.Exec({"run_page", select.text}, select.params, stop));
  std::vector<StoredRun> runs;
  for (std::size_t row = 0; row < rows.size(); ++row) runs.push_back(ReadRun(rows, row));
  return runs;
}

Result<std::optional<StoredRun>> FindRun(pg::Connection& connection, std::string_view id,
                                         std::stop_token stop) {
  PCW_TRY(const pg::Rows rows,
          connection.Exec({"run_by_id", SelectRunById()}, {std::string(id)}, stop));
  if (rows.empty()) return std::optional<StoredRun>();
  return std::optional<StoredRun>(ReadRun(rows, 0));
}

}  // namespace pcw::runs
