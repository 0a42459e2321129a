#include "pcw/tables/refused_rows.h"

#include <utility>

namespace pcw::tables {
namespace {

class PgSavepoint final : public Savepoint {
 public:
  explicit PgSavepoint(pg::Connection& connection) : connection_(connection) {}
  Status Set() override { return connection_.ExecScript("refused_try", "SAVEPOINT refused_rows"); }
  Status Keep() override {
    return connection_.ExecScript("refused_keep", "RELEASE SAVEPOINT refused_rows");
  }
  Status Undo() override {
    return connection_.ExecScript(
        "refused_undo", "ROLLBACK TO SAVEPOINT refused_rows; RELEASE SAVEPOINT refused_rows");
  }

 private:
  pg::Connection& connection_;
};

class Search {
 public:
  Search(Savepoint& savepoint, const MergeRange& merge) : savepoint_(savepoint), merge_(merge) {}

  Status Try(std::size_t begin, std::size_t end) {
    if (begin == end) return Ok{};
    PCW_TRY_OK(savepoint_.Set());
    Status tried = merge_(begin, end);
    if (tried) return savepoint_.Keep();
    if (tried.error().code() != ErrorCode::kSchemaMismatch) return tried;
    PCW_TRY_OK(savepoint_.Undo());
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
  Savepoint& savepoint_;
  const MergeRange& merge_;
  std::vector<RefusedRow> refused_;
};

}  // namespace

Result<std::vector<RefusedRow>> FindRefusedRows(pg::Connection& connection, std::size_t count,
                                                const MergeRange& merge) {
  PCW_TRY_OK(connection.ExecScript("refused_checks", "SET CONSTRAINTS ALL IMMEDIATE"));
  PgSavepoint savepoint(connection);
  return FindRefusedRows(savepoint, count, merge);
}

Result<std::vector<RefusedRow>> FindRefusedRows(Savepoint& savepoint, std::size_t count,
                                                const MergeRange& merge) {
  Search search(savepoint, merge);
  PCW_TRY_OK(search.Try(0, count));
  return search.TakeRefused();
}

}  // namespace pcw::tables
