// The writing side of a re-ingest: threads with a session each, that merge encoded batches.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "pcw/dlq/dead_letter.h"
#include "pcw/jobs/lease.h"
#include "pcw/pg/database.h"
#include "pcw/reingest/order.h"
#include "pcw/tables/bulk_table.h"

namespace pcw::reingest {

/// Rows that are committed together. Everything in it is owned.
struct LoadBatch {
  /// A record that was mapped: whose dead letters are settled once it has landed.
  struct Record {
    std::string id;
    std::size_t key = 0;  ///< its place in `keys`
    int line = 0;
  };
  std::size_t epoch = 0;
  std::string catalog;
  std::vector<std::string> keys;  ///< bronze keys
  std::vector<Record> records;
  std::vector<tables::EncodedRows> rounds;
  std::vector<dlq::DeadLetter> letters;  ///< addressed
};

/// What became of a batch.
struct LoadResult {
  std::size_t epoch = 0;
  std::int64_t processed = 0, inserted = 0, updated = 0, unchanged = 0, dead_lettered = 0;
  std::vector<std::string> refused;  ///< ids of records whose values the server refused
  std::vector<std::string> landed;   ///< of a replay's dry run: ids of records that would
  tables::Comparison comparison;     ///< of a dry run
};

/// What the loaders share; outlives them.
struct LoaderDeps {
  const tables::BulkTable& table;
  pg::OpenConnection open;
  const jobs::Lease* lease = nullptr;  ///< nullptr: a dry run, which commits nothing
  std::string tenant_id;
  std::string run_id;
  std::int64_t connector_id = 0;
  std::string entity;
  bool settles_letters = false;
  bool is_replay = false;
  const FolderPlaces* places = nullptr;
  int mapping_version = 0;
  Sleeper& sleeper;
  Clock& clock;
};

/// N threads, each with one session and room for one batch beside the one in its hands.
///
/// For one thread. A batch is one transaction that ends with the proof of the fence, so that its
/// lock is held for a moment only. A lost COMMIT answer repeats the batch, which changes nothing
/// more: its rows then count as unchanged. A value that the server refuses becomes a dead letter;
/// the other rows of its batch are committed.
class LoaderPool {
 public:
  LoaderPool(LoaderDeps deps, int threads);
  ~LoaderPool();

  /// Hands a batch to one loader; waits while that has two. The error of any earlier batch.
  Status Submit(std::size_t loader, LoadBatch batch);
  /// Results since the last call; they come in order for each loader, not among them.
  std::vector<LoadResult> TakeResults();
  /// Waits until every batch is committed, or one has failed.
  Status Drain();
  /// A buffer of a batch that is done, to be written to again; empty if there is none.
  std::string TakeSpare();
  /// From now on batches settle the dead letters of records that land.
  void SettleLetters();

 private:
  struct Loader;
  void Work(Loader& loader, std::stop_token stop);
  Result<LoadResult> Load(pg::Database& database, LoadBatch& batch);
  Result<LoadResult> Commit(pg::Connection& connection, const LoadBatch& batch);
  Result<LoadResult> Compare(pg::Connection& connection, const LoadBatch& batch);
  Status Settle(pg::Connection& connection, const LoadBatch& batch);
  Status IsolateRefused(pg::Database& database, LoadBatch& batch, LoadResult& result);
  dlq::DeadLetter LetterFor(const LoadBatch& batch, const LoadBatch::Record& record,
                            const Error& error) const;

  const LoaderDeps deps_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::optional<Error> failure_;     // guarded by mutex_
  std::vector<LoadResult> results_;  // guarded by mutex_
  bool settles_letters_ = false;     // guarded by mutex_
  std::vector<std::string> spares_;  // guarded by mutex_
  std::vector<std::unique_ptr<Loader>> loaders_;
};

}  // namespace pcw::reingest
