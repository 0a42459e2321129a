// Which rows of a batch PostgreSQL refuses, found without losing the others.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "pcw/base/result.h"
#include "pcw/pg/connection.h"

namespace pcw::tables {

/// A row that the server does not take, and what it said.
struct RefusedRow {
  std::size_t index = 0;
  Error error;
};

/// How often a batch is searched before its failure is told: others may write to the table
/// meanwhile.
inline constexpr int kMostIsolations = 3;

/// Merges rows [begin, end) in the transaction at hand. kSchemaMismatch if the server refuses a
/// value of one of them (AsDataError).
using MergeRange = std::function<Status(std::size_t begin, std::size_t end)>;

/// Finds the rows among `count` that `merge` cannot merge, by halves, in rising order. What passed
/// stays while the rest is tried: of two rows that a unique index does not allow together the later
/// one is refused. Deferred constraints are looked at at once.
///
/// Inside the caller's transaction, which the caller rolls back: a row that fails leaves nothing,
/// the others are merged. Costs one merge of everything, and about 2 log2(count) for each refused
/// row. Errors: those of the connection, and of `merge` that are not kSchemaMismatch; the
/// transaction is of no use then.
Result<std::vector<RefusedRow>> FindRefusedRows(pg::Connection& connection, std::size_t count,
                                                const MergeRange& merge);

/// The savepoint that a try is made behind.
class Savepoint {
 public:
  virtual ~Savepoint() = default;
  virtual Status Set() = 0;
  virtual Status Keep() = 0;  ///< what was done since it was set stays
  virtual Status Undo() = 0;  ///< what was done since it was set is gone
};

/// The search itself.
Result<std::vector<RefusedRow>> FindRefusedRows(Savepoint& savepoint, std::size_t count,
                                                const MergeRange& merge);

}  // namespace pcw::tables
