// A transaction whose savepoints are lengths of a list.
#pragma once

#include <optional>
#include <vector>

#include "pcw/tables/refused_rows.h"

namespace pcw::tables {

/// Keeps what a test merges, and takes it back when a try is undone.
class FakeSavepoint final : public Savepoint {
 public:
  Status Set() override {
    ++tries;
    if (failure) return *failure;
    set_at = merged.size();
    return Ok{};
  }
  Status Keep() override { return Ok{}; }
  Status Undo() override {
    merged.resize(set_at);
    return Ok{};
  }

  std::vector<std::size_t> merged;  ///< rows that are in the transaction
  int tries = 0;
  std::optional<Error> failure;  ///< of Set

 private:
  std::size_t set_at = 0;
};

}  // namespace pcw::tables
