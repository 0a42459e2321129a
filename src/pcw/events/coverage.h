// Whether events tell of everything: changes that runs land, compared with the events that came.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <stop_token>

#include "pcw/tables/change_listener.h"

namespace pcw::events {

/// Only opportunities are measured: AWS documents an event for each creation and update of them,
/// and they say when they were modified.
bool IsMeasured(std::string_view entity);

/// Remembers changes of measured entities, inside the transaction that lands them, until their
/// verdict is due. What AWS changed before the queue was listened to does not count.
Status NoteChanges(pg::Connection& connection, const tables::ChangeScope& scope,
                   std::span<const tables::LandedChange> changes, std::stop_token stop);

/// Gives the verdict on changes that were found longer than `grace` ago: an event told of one if it
/// names the record and is no older than the change (five seconds of tolerance: AWS's events are
/// dated to the second). Adds to the counts of the hour in which the change was found. One
/// transaction; at most 5,000 changes. Returns how many.
Result<std::int64_t> JudgeChanges(pg::Connection& connection, std::chrono::milliseconds grace,
                                  std::stop_token stop);

/// Sums of verdicts.
struct Coverage {
  std::int64_t told = 0, missed = 0;
  /// Of 1; 0 if there was no change.
  double missed_share() const {
    const std::int64_t all = told + missed;
    return all == 0 ? 0.0 : static_cast<double>(missed) / static_cast<double>(all);
  }
};
Result<Coverage> LoadCoverage(pg::Connection& connection, std::chrono::hours window,
                              std::stop_token stop);

}  // namespace pcw::events
