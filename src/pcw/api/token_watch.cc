#include "pcw/api/token_watch.h"

#include <exception>
#include <utility>

#include "pcw/base/log.h"
#include "pcw/identity/token_store.h"

namespace pcw::api {
namespace {

constexpr std::chrono::seconds kBetweenLooks{2};

}  // namespace

TokenWatch::TokenWatch(OpenSession open, std::string tenant_id, const Clock& clock,
                       Sleeper& sleeper)
    : open_(std::move(open)),
      tenant_id_(std::move(tenant_id)),
      clock_(clock),
      sleeper_(sleeper),
      thread_([this](std::stop_token stop) { Watch(stop); }) {}

std::shared_ptr<const TokenWatch::Seen> TokenWatch::Latest() const {
  const std::lock_guard lock(mutex_);
  return seen_;
}

bool TokenWatch::Knows(const std::string& id) const {
  const auto seen = Latest();
  return seen && seen->ids.contains(id);
}

bool TokenWatch::IsGone(const std::string& id, SteadyTime since) const {
  const auto seen = Latest();
  return seen && seen->began > since && !seen->ids.contains(id);
}

Status TokenWatch::Look(WorkerSession& session, const std::stop_token& stop) {
  auto seen = std::make_shared<Seen>();
  seen->began = clock_.Steady();
  PCW_TRY(pg::Connection * connection, session.In(tenant_id_, stop));
  PCW_TRY(std::vector<std::string> ids, identity::LiveTokenIds(*connection, stop));
  for (std::string& id : ids) seen->ids.insert(std::move(id));
  const std::lock_guard lock(mutex_);
  seen_ = std::move(seen);
  return Ok{};
}

void TokenWatch::Watch(const std::stop_token& stop) {
  WorkerSession session(open_, clock_);
  do {
    try {
      // A database that is away is told of by whoever needs it for an answer.
      if (const Status looked = Look(session, stop); !looked && !stop.stop_requested())
        Log(LogLevel::kDebug, "tokens cannot be looked up", {{"error", looked.error().message()}});
    } catch (const std::exception& problem) {
      LogError("tokens cannot be looked up", Error(ErrorCode::kInternal, problem.what()));
    }
    session.Tidy();
  } while (sleeper_.SleepFor(kBetweenLooks, stop));
}

}  // namespace pcw::api
