// Dead letters as one statement takes them.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "pcw/base/json.h"
#include "pcw/dlq/dead_letter.h"

namespace pcw::dlq {

/// So many dead letters go into one statement.
inline constexpr std::size_t kPutAtOnce = 500;

/// Cuts dead letters into statements, in their order: at most `most` each, and never two of one
/// record and stage, for a row can be changed only once by a statement.
std::vector<std::span<const DeadLetter>> StatementsOf(std::span<const DeadLetter> letters,
                                                      std::size_t most = kPutAtOnce);

/// The row of a dead letter: what it does not have is absent, and every text is one that the
/// server takes.
Json RowOf(const DeadLetter& letter, std::string id);

}  // namespace pcw::dlq
