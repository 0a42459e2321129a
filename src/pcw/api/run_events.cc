#include "pcw/api/run_events.h"

#include <map>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "pcw/api/views.h"

namespace pcw::api {
namespace {

constexpr std::size_t kMostWatchers = 256;
constexpr std::chrono::seconds kBetweenLooks{1};
constexpr std::chrono::seconds kKeepAlive{15};
constexpr std::chrono::hours kLongest{1};

}  // namespace

std::string FormatEvent(std::string_view name, std::string_view data) {
  return fmt::format("event: {}\ndata: {}\n\n", name, data);
}

RunEvents::RunEvents(OpenSession open, const Clock& clock, IsGone is_gone)
    : open_(std::move(open)),
      clock_(clock),
      is_gone_(std::move(is_gone)),
      thread_([this](std::stop_token stop) { Follow(std::move(stop)); }) {}

RunEvents::~RunEvents() { Stop(); }

bool RunEvents::HasRoom() {
  const std::lock_guard lock(mutex_);
  if (watchers_.size() >= kMostWatchers) {
    // Who has left must not keep anybody out until the next look.
    watchers_.remove_if([](const Watcher& watcher) { return !watcher.stream.is_open(); });
  }
  return !is_stopped_ && watchers_.size() < kMostWatchers;
}

void RunEvents::Add(const std::string& tenant_id, const std::string& token_id,
                    const runs::StoredRun& run, const net::server::ResponseStream& stream) {
  const std::string data = DumpJson(RunJson(run));
  stream.Write("retry: 2000\n\n" + FormatEvent("run", data));
  const SteadyTime now = clock_.Steady();
  const std::lock_guard lock(mutex_);
  if (!run.ended_at.empty()) stream.Write(FormatEvent("end", data));
  if (!run.ended_at.empty() || is_stopped_ || watchers_.size() >= kMostWatchers) {
    stream.End();
    return;
  }
  watchers_.push_back(
      {tenant_id, token_id, run.id, data, stream, now, now + kLongest, now + kKeepAlive});
  wake_.notify_all();
}

void RunEvents::Stop() {
  {
    const std::lock_guard lock(mutex_);
    is_stopped_ = true;
    for (const Watcher& watcher : watchers_) watcher.stream.End();
    watchers_.clear();
  }
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

void RunEvents::Follow(std::stop_token stop) {
  WorkerSession session(open_, clock_);
  while (!stop.stop_requested()) {
    {
      std::unique_lock lock(mutex_);
      // Nobody listens: nothing is asked of the database.
      if (!wake_.wait(lock, stop, [this] { return !watchers_.empty(); })) return;
      wake_.wait_for(lock, stop, kBetweenLooks, [] { return false; });
    }
    if (!stop.stop_requested()) LookOnce(session, stop);
    session.Tidy();
  }
}

void RunEvents::LookOnce(WorkerSession& session, std::stop_token stop) {
  std::map<std::pair<std::string, std::string>, std::optional<runs::StoredRun>> runs;
  {
    const std::lock_guard lock(mutex_);
    for (const Watcher& watcher : watchers_)
      runs.emplace(std::pair(watcher.tenant_id, watcher.run_id), std::nullopt);
  }
  for (auto& [key, run] : runs) {
    const auto connection = session.In(key.first, stop);
    if (!connection) break;  // the database is away: listeners hear that we are still here
    Result<runs::StoredRun> loaded = runs::LoadRun(**connection, key.second, stop);
    if (loaded) run = std::move(*loaded);
    session.Tidy();
  }
  const SteadyTime now = clock_.Steady();
  const std::lock_guard lock(mutex_);
  watchers_.remove_if([&](Watcher& watcher) {
    if (is_gone_(watcher.token_id, watcher.since)) {
      watcher.stream.End();
      return true;
    }
    const auto& run = runs[{watcher.tenant_id, watcher.run_id}];
    if (run) {
      const std::string data = DumpJson(RunJson(*run));
      if (data != watcher.last) {
        watcher.stream.Write(FormatEvent("run", data));
        watcher.last = data;
        watcher.alive_at = now + kKeepAlive;
      }
      if (!run->ended_at.empty()) watcher.stream.Write(FormatEvent("end", data));
    }
    if (now >= watcher.alive_at) {
      watcher.stream.Write(": still running\n\n");
      watcher.alive_at = now + kKeepAlive;
    }
    const bool is_over = (run && !run->ended_at.empty()) || now >= watcher.until;
    if (is_over) watcher.stream.End();
    return is_over || !watcher.stream.is_open();
  });
}

}  // namespace pcw::api
