// Whether AWS denies some records or the whole account: a poisoned record is a dead letter, a lost
// permission ends the run.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "pcw/base/error.h"
#include "pcw/sync/detail_fetcher.h"

namespace pcw::sync {

/// A detail that AWS refuses to give, and its words.
struct DeniedDetail {
  DetailTask task;
  Error error;
};

/// Weighs the denials of one run, each operation by itself: a right to read engagements says
/// nothing of the right to read invitations. As soon as an operation has worked once, what it
/// denies is the record's own. Until then denials wait; so many without a success, or the end of
/// the scan, call for a decision. Not thread-safe.
class Denials {
 public:
  /// So many of one operation without a success are decided at once instead of at the end.
  static constexpr std::size_t kMostWithoutSuccess = 20;

  void NoteSuccess(std::string_view operation);
  /// The operation is known to work, so a denial is the record's own.
  bool Works(std::string_view operation) const;
  /// Keeps a denial until it is decided. True: that is due now.
  bool Add(DeniedDetail denied);
  /// Operations with denials that wait.
  std::vector<std::string> Undecided() const;
  /// The denials of the operation that wait, which are decided from now on.
  std::vector<DeniedDetail> Take(std::string_view operation);
  const std::vector<DeniedDetail>& waiting(std::string_view operation) const;

 private:
  struct Tally {
    bool works = false;
    std::vector<DeniedDetail> waiting;
  };
  std::map<std::string, Tally, std::less<>> operations_;
};

/// The operation that a failed detail call names: its companion's, or its own.
std::string_view OperationOf(const DetailTask& task, const Error& error);

}  // namespace pcw::sync
