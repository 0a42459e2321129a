// One scan of an entity: decides the fate of every listed record and hands batches to the
// committer.
#pragma once

#include <chrono>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "pcw/sync/detail_fetcher.h"
#include "pcw/sync/engine.h"
#include "pcw/sync/failure_limit.h"
#include "pcw/sync/page_source.h"
#include "pcw/sync/part_committer.h"
#include "pcw/sync/watermark.h"

namespace pcw::sync {

/// The coordinator of a run. Lives on the run's own thread; owns nothing durable. `expected` is
/// what the last full scan listed, -1 = unknown.
///
/// Every listed record ends as exactly one of skipped, duplicate, processed, dead-lettered. A
/// detail that exhausts its attempts is deferred to the end of the scan and fetched once more; ten
/// failures in a row stop the run, and so does a share of failures over the set limit.
class Scan {
 public:
  Scan(const connector::EntityDef& def, const EntityTable& table, const SyncOptions& options,
       SyncDeps& deps, Database& database, PartCommitter& committer, std::string run_id,
       std::int64_t expected, std::stop_token stop);

  /// Lists and fetches everything, then the deferred details. Returns with all batches committed.
  Status Run(std::optional<WallTime> modified_after);

  /// Fetches these records without listing anything, then the deferred ones again. Returns with all
  /// batches committed. A record that is denied while others are not is a dead letter: one poisoned
  /// id does not hold up the rest (I25).
  Status FetchAll(std::vector<DetailTask> tasks);

  /// Lists everything and takes these records alone, whatever is held of them. Returns with all
  /// batches committed.
  Status FetchListed(std::set<std::string> ids);

  /// After a complete full scan: asks AWS about the records that this scan and the one before it
  /// missed. Returns those that AWS no longer knows; those it still knows are processed as if
  /// listed.
  Result<std::vector<std::string>> ConfirmMissing();

  /// Commits what is in hand. Also for runs that end early.
  Status Flush();

  const ScanObservation& observation() const { return observation_; }
  const std::vector<lake::ManifestPage>& pages() const { return pages_; }
  std::int64_t listed() const { return listed_; }
  /// A listed item did not say whose it is: which records are missing cannot be told.
  bool has_unnamed() const { return has_unnamed_; }
  /// How long AWS took to answer the list calls: a scan without what it waited for.
  std::chrono::microseconds list_time() const { return list_time_; }
  CallTotals totals() const;

 private:
  enum class Pass { kFirst, kDeferred, kConfirm };
  Status FetchDeferred();
  bool IsDeniedAlone(const Error& error, Pass pass);
  using Held = std::unordered_map<std::string, HeldRecord>;
  /// A record that is on its way to the table.
  struct Pending {
    std::string version;
    int rank = 0;
  };

  Status ListSource(const connector::SourceDef& source, std::optional<WallTime> modified_after);
  Status TakePage(const connector::SourceDef& source, ListedPage page);
  Status TakeItem(const connector::SourceDef& source, const ListedPage& page,
                  connector::PageItem item, const Held& held);
  bool CountIfKnown(const connector::SourceDef& source, const connector::PageItem& item,
                    const Held& held);
  Status Fetch(DetailTask task, Pass pass);
  Status DrainReady(Pass pass);
  Status DrainAll(Pass pass);
  Status Handle(FetchedDetail detail, Pass pass);
  Status HandleFailure(FetchedDetail detail, Pass pass);
  Status NoteFetched(const Error* failure, Pass pass);
  Status Append(FetchedDetail detail);
  Status AppendListed(const connector::SourceDef& source, const ListedPage& page,
                      connector::PageItem item);
  void OpenBatch();
  void CountFetched();
  Status HandOverIfDue();
  Status HandOver();
  void Observe(const ListedPage& page, bool is_by_time);
  void Report();

  const connector::EntityDef& def_;
  const EntityTable& table_;
  const SyncOptions& options_;
  SyncDeps& deps_;
  Database& database_;
  PartCommitter& committer_;
  const std::string run_id_;
  std::stop_token stop_;
  DetailFetcher fetcher_;
  const SteadyTime started_;
  CallTotals base_;

  Batch batch_;
  std::unordered_map<std::string, Pending> pending_;  ///< by id: submitted and not committed
  std::vector<DetailTask> deferred_;
  std::vector<std::string> confirmed_missing_;
  ScanObservation observation_;
  std::vector<lake::ManifestPage> pages_;
  Progress progress_;
  std::int64_t listed_ = 0;
  bool has_unnamed_ = false;
  std::chrono::microseconds list_time_{0};
  std::set<std::string> wanted_;      ///< of FetchListed; empty = every record
  std::int64_t fetched_by_name_ = 0;  ///< of FetchAll, answered
  int denied_ = 0;                    ///< of FetchAll, before the first answer
  int failures_in_row_ = 0;
  int throttles_in_row_ = 0;
  FailureLimit fetch_failures_;
};

}  // namespace pcw::sync
