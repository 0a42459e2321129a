// What `pcw dlq replay` prints: the result of a replay, and a dry run record by record.
#pragma once

#include "pcw/cli/output.h"
#include "pcw/dlq/replay.h"

namespace pcw::cli {

/// Dead letters before and after by cause, runs, what was left alone and why.
void PrintReplay(wiring::OutputFormat format, const dlq::ReplayReport& report);

/// Prints a dry run while it goes on: what is printed is not held, so that a million dead letters
/// take no more memory than ten. JSON is one document, with the runs and their records first.
class DryRunPrinter {
 public:
  explicit DryRunPrinter(wiring::OutputFormat format);
  DryRunPrinter(const DryRunPrinter&) = delete;
  DryRunPrinter& operator=(const DryRunPrinter&) = delete;

  /// To be given to the replay; lives as long as this.
  const dlq::DryRunListener& listener() const { return listener_; }
  /// After the replay has returned.
  void End(const dlq::ReplayReport& report);

 private:
  void Open();
  void Begin(const dlq::ReplayRun& run);
  void Fate(const dlq::ReplayFate& fate);
  void EndRun(const dlq::ReplayRun& run);

  const wiring::OutputFormat format_;
  dlq::DryRunListener listener_;
  std::string entity_;
  bool is_open_ = false;
  bool has_run_ = false;
  bool has_record_ = false;  // in this run
};

}  // namespace pcw::cli
