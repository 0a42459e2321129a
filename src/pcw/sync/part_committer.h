// Turns a batch of fetched records into a durable part and committed rows, on a thread of its own.
#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "pcw/connector/drift_observer.h"
#include "pcw/connector/entity_def.h"
#include "pcw/connector/mapping.h"
#include "pcw/dlq/dead_letter.h"
#include "pcw/jobs/lease.h"
#include "pcw/lake/bronze_store.h"
#include "pcw/lake/part.h"
#include "pcw/pg/database.h"
#include "pcw/runs/run_stats.h"
#include "pcw/sync/failure_limit.h"
#include "pcw/sync/part_counts.h"
#include "pcw/tables/change_listener.h"
#include "pcw/tables/drift_store.h"
#include "pcw/tables/entity_table.h"

namespace pcw::sync {

/// Which run a batch belongs to. Immutable.
struct RunContext {
  std::string tenant_id;
  std::string run_id;
  std::int64_t connector_id = 0;
  std::string catalog;
  std::string bronze_prefix;
  connector::RunMode mode = connector::RunMode::kFull;
  bool accepts_older = false;                 ///< an operator wants what it fetches, however old
  tables::ChangeListener* changes = nullptr;  ///< outlives the run; nullptr = nobody wants to know
};

/// What a run knows of drift when it begins.
struct DriftSettings {
  std::set<connector::DriftKey> accepted;
  std::set<connector::DriftKey> kept;  ///< findings that are open: what a place has already
  int stop_at_mismatch_percent = 50;   ///< 0 = never
  int stop_window = 200;               ///< records that the share is of
};

/// A record whose outcome is committed.
struct SettledRecord {
  std::string id;
  bool has_failed = false;  ///< a dead letter; else it is in the table
};

/// Records and outcomes that are committed together.
struct Batch {
  struct Record {
    std::string id;  ///< the id that was listed
    const connector::SourceDef* source = nullptr;
    bool is_sparse = false;  ///< tells only part of its row
    std::string version;     ///< as in its bronze line
    std::string served_at;
    lake::AppendedLine line;  ///< its bytes, in the part
    /// Why the listed item cannot be taken (connector::PageItem); then it is a dead letter.
    std::optional<Error> problem{};
  };
  lake::PartBuilder part;
  std::vector<Record> records;
  std::vector<dlq::DeadLetter> letters;  ///< records that could not be fetched
  std::vector<int> letter_ranks;         ///< of the sources that listed them, in the same order
  std::vector<std::string> absent;       ///< records that AWS has not and need not have
  /// Held records that a full scan listed and that no row of this batch shows: skipped ones, and
  /// those of `letters` and `absent` that were listed.
  std::vector<std::string> seen;
  std::int64_t skipped = 0;
  std::int64_t duplicate = 0;
  std::int64_t deferred = 0;
  SteadyTime opened_at{};

  bool is_empty() const {
    return records.empty() && letters.empty() && absent.empty() && seen.empty() && skipped == 0 &&
           duplicate == 0 && deferred == 0;
  }
};

/// Counters that the engine's side knows and every commit records.
struct CallTotals {
  std::int64_t api_calls = 0, throttles = 0, retries = 0, pages = 0, bytes = 0;
};

/// Commits batches one after the other, in the order given. For each: PUT the part (durable before
/// anything is interpreted, I2), map, then one transaction with rows, dead letters, drift, counters
/// and the part's checkpoint, guarded by the fence. A lost COMMIT answer is read back from the
/// checkpoint (T8).
///
/// A part with a departure that the mapping freezes is not committed; its findings are, so that
/// they can be accepted. Too many dead letters among the last records end the run behind their
/// part.
///
/// Enqueue and Flush are for one thread. Its work is not interrupted by a stop: a stop finishes the
/// part in hand.
class PartCommitter {
 public:
  PartCommitter(const connector::EntityDef& def, const connector::Mapping& mapping,
                const tables::EntityTable& table, lake::BronzeStore& store, pg::Database database,
                const jobs::Lease& lease, RunContext run, runs::RunStats start,
                bool has_open_letters, DriftSettings drift);
  ~PartCommitter();

  /// Hands over a batch; waits until the one before is committed, so that no more than two batches
  /// are in memory: one being committed, one being filled. Returns the error of any earlier batch.
  Status Enqueue(Batch batch, CallTotals totals);
  /// Waits until everything is committed.
  Status Flush();

  /// What is committed so far.
  runs::RunStats committed() const;
  /// Fetched records whose outcome was committed since the last call.
  std::vector<SettledRecord> TakeSettled();
  /// The parts written, for the manifest.
  std::vector<lake::ManifestPart> parts() const;
  /// When AWS served the first record of them, RFC 3339; empty while there are none.
  std::string served_from() const;
  /// Compares the rates of the whole run with the baseline and learns them. Inside the transaction
  /// that ends the run, after Flush.
  Status LearnDrift(pg::Connection& connection) const;

 private:
  struct Prepared;
  void Work(std::stop_token stop);
  Status Commit(Batch& batch, const CallTotals& totals);
  Status CheckMismatches() const;
  Status PutPart(Prepared& prepared, const Batch& batch);
  Status MapAll(Prepared& prepared, const Batch& batch);
  Result<connector::Row> MapOne(const Batch::Record& record, const lake::PartBuilder& part);
  Status KeepFindings(const Prepared& prepared);
  Result<runs::RunStats> CommitRows(Prepared& prepared, const Batch& batch);
  Result<runs::RunStats> TryCommitRows(pg::Connection& connection, const Prepared& prepared,
                                       const Batch& batch);
  Result<std::optional<runs::RunStats>> ReadBack(pg::Connection& connection,
                                                 const Prepared& prepared);
  Status IsolateRefused(Prepared& prepared, const Batch& batch);
  dlq::DeadLetter LetterFor(const Error& error, const Prepared& prepared, const std::string& id,
                            int line) const;
  void Address(dlq::DeadLetter& letter) const;
  tables::DriftScope Scope() const;
  void NoteFailed(const std::string& id, int rank);

  const connector::EntityDef& def_;
  const connector::Mapping& mapping_;
  const tables::EntityTable& table_;
  lake::BronzeStore& store_;
  pg::Database database_;  // used by the worker only
  const jobs::Lease& lease_;
  const RunContext run_;
  connector::Mapper mapper_;
  connector::DriftObserver observer_;
  FailureLimit mismatches_;
  const int stop_at_mismatch_percent_;
  std::size_t id_column_ = 0;
  std::size_t version_column_ = 0;
  bool has_open_letters_;
  FailedRanks failed_ranks_;  ///< of the worker

  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::optional<std::pair<Batch, CallTotals>> next_;  // guarded by mutex_
  bool is_busy_ = false;                              // guarded by mutex_
  std::optional<Error> failure_;                      // guarded by mutex_
  runs::RunStats stats_;                              // guarded by mutex_; written by the worker
  std::vector<SettledRecord> settled_;                // guarded by mutex_
  std::vector<lake::ManifestPart> parts_;             // guarded by mutex_
  std::string served_from_;                           // guarded by mutex_
  std::jthread worker_;
};

}  // namespace pcw::sync
