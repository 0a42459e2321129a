// One scan of an entity: settles what becomes of every listed record and hands batches to the
// committer. The rules are listed_outcome and failure_outcome; here is what they need.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "pcw/runs/watermark.h"
#include "pcw/sync/denials.h"
#include "pcw/sync/detail_fetcher.h"
#include "pcw/sync/engine.h"
#include "pcw/sync/failure_limit.h"
#include "pcw/sync/failure_outcome.h"
#include "pcw/sync/listed_outcome.h"
#include "pcw/sync/page_source.h"
#include "pcw/sync/part_committer.h"

namespace pcw::sync {

/// What a scan knows of earlier runs.
struct ScanHistory {
  std::int64_t expected = -1;  ///< what the last full scan listed, -1 = unknown
  /// Records with an open dead letter of stage fetch: they are fetched after all others, once, and
  /// do not count as a sign that AWS is out of order.
  std::unordered_set<std::string> failed_before;
};

/// The coordinator of a run. Lives on the run's own thread; owns nothing durable.
///
/// Every listed record ends as exactly one of skipped, duplicate, processed, dead-lettered, and is
/// seen by the run whichever it is. A detail that exhausts its attempts is deferred to the end of
/// the scan and fetched once more. The run stops when the share of details that fail passes the set
/// limit, or when AWS denies the account an operation (Denials); never because failures stand in a
/// row.
class Scan {
 public:
  Scan(const connector::EntityDef& def, const tables::EntityTable& table,
       const SyncOptions& options, SyncDeps& deps, pg::Database& database, PartCommitter& committer,
       std::string run_id, ScanHistory history, std::stop_token stop);

  /// Lists and fetches everything, then the deferred details. Returns with all batches committed.
  /// When a list call fails for good, what was listed before is fetched even so, for Flush.
  Status Run(std::optional<WallTime> modified_after);

  /// Fetches these records without listing anything, then the deferred ones again. Returns with all
  /// batches committed.
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

  const runs::ScanObservation& observation() const { return observation_; }
  const std::vector<lake::ManifestPage>& pages() const { return pages_; }
  std::int64_t listed() const { return listed_; }
  /// A listed item did not say whose it is: which records are missing cannot be told.
  bool has_unnamed() const { return has_unnamed_; }
  /// How long AWS took to answer the list calls: a scan without what it waited for.
  std::chrono::microseconds list_time() const { return list_time_; }
  /// What a person should know of rows whose record AWS has no more, although it need not have one;
  /// empty = nothing.
  std::string AbsenceFinding() const;
  CallTotals totals() const;

 private:
  using Held = std::unordered_map<std::string, tables::HeldRecord>;
  /// A detail that may come if it is asked for again.
  struct DeferredDetail {
    DetailTask task;
    Error error;
  };

  Status FetchRest();
  Status ListSource(const connector::SourceDef& source, std::optional<WallTime> modified_after);
  Status TakePage(const connector::SourceDef& source, ListedPage page);
  Status TakeItem(const connector::SourceDef& source, const ListedPage& page,
                  connector::PageItem item, const Held& held);
  void CountKnown(ListedOutcome outcome, const std::string& id);
  Status Fetch(DetailTask task, Pass pass);
  Status DrainReady(Pass pass);
  Status DrainAll(Pass pass);
  Status Handle(FetchedDetail detail, Pass pass);
  Status HandleFailure(FetchedDetail detail, Pass pass);
  Status NoteFetched(const Error* failure, Pass pass);
  void NoteSuccess(const DetailTask& task);
  Status AddDeadLetter(const DetailTask& task, Error error);
  Status AddAbsent(const DetailTask& task);
  Status AddDenial(DetailTask task, Error error);
  Status DecideDenials(const std::string& operation);
  Result<std::optional<Error>> AskForHeld(const DeniedDetail& denied);
  /// When AWS served an answer; the run's clock, which is the database's, where it sent no Date.
  static std::string ServedAt(const std::optional<WallTime>& server_date, WallTime received_at);
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
  const tables::EntityTable& table_;
  const SyncOptions& options_;
  SyncDeps& deps_;
  pg::Database& database_;
  PartCommitter& committer_;
  const std::string run_id_;
  std::stop_token stop_;
  DetailFetcher fetcher_;
  const SteadyTime started_;
  CallTotals base_;

  Batch batch_;
  /// By id: submitted and not in the table; also those that failed in this run.
  std::unordered_map<std::string, PendingRecord> pending_;
  const std::unordered_set<std::string> failed_before_;
  std::vector<DeferredDetail> deferred_;
  std::vector<DetailTask> held_back_;  ///< failed before: fetched after all others
  Denials denials_;
  std::vector<std::string> confirmed_missing_;
  runs::ScanObservation observation_;
  std::vector<lake::ManifestPage> pages_;
  runs::Progress progress_;
  std::int64_t listed_ = 0;
  bool has_unnamed_ = false;
  std::chrono::microseconds list_time_{0};
  std::set<std::string> wanted_;  ///< of FetchListed; empty = every record
  std::int64_t listed_of_source_ = 0;
  std::vector<std::string> kept_without_record_;  ///< examples of rows that AWS has no record for
  std::int64_t rows_without_record_ = 0;
  bool has_fetched_ = false;  ///< AWS gave at least one detail to this run
  int throttles_in_row_ = 0;
  FailureLimit fetch_failures_;
  FailureLimit confirm_failures_;
  std::map<ErrorCode, int> failures_;  ///< of first tries, by how they failed
};

}  // namespace pcw::sync
