#include "pcw/tables/refused_rows.h"

#include <utility>

namespace pcw::tables {
namespace {

class Search {
 public:
  Search(pg::Connection& connection, const MergeRange& merge)
      : connection_(connection), merge_(merge) {}

  Status Try(std::size_t begin, std::size_t end) {
    if (begin == end) return Ok{};
    PCW_TRY_OK(connection_.ExecScript("refused_try", "SAVEPOINT refused_rows"));
    Status tried = merge_(begin, end);
    if (tried) return connection_.ExecScript("refused_keep", "RELEASE SAVEPOINT refused_rows");
    if (tried.error().code() != ErrorCode::kSchemaMismatch) return tried;
    PCW_TRY_OK(connection_.ExecScript(
        "refused_undo", "ROLLBACK TO SAVEPOINT refused_rows; RELEASE SAVEPOINT refused_rows"));
    if (end - begin == 1) {
      refused_.push_back({.index = begin, .error = std::move(tried).error()});
      return Ok{};
    }
    const std::size_t middle = begin + (end - begin) / 2;
    PCW_TRY_OK(Try(begin, middle));
    return Try(middle, end);
  }

  std::vector<RefusedRow> TakeRefused() { return std::move(refused_); }

 private:
  pg::Connection& connection_;
  const MergeRange& merge_;
  std::vector<RefusedRow> refused_;
};

}  // namespace

Result<std::vector<RefusedRow>> FindRefusedRows(pg::Connection& connection, std::size_t count,
                                                const MergeRange& merge) {
  PCW_TRY_OK(connection.ExecScript("refused_checks", "SET CONSTRAINTS ALL IMMEDIATE"));
  Search search(connection, merge);
  PCW_TRY_OK(search.Try(0, count));
  return search.TakeRefused();
}

}  // namespace pcw::tables
