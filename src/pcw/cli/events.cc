// pcw events status|redeliver
#include <cstdio>
#include <memory>

#include <fmt/format.h>

#include "pcw/cli/cli.h"
#include "pcw/cli/session.h"
#include "pcw/config/suggest.h"
#include "pcw/events/outbox.h"
#include "pcw/events/status.h"
#include "pcw/wiring/progress_display.h"
#include "pcw/wiring/wiring.h"

namespace pcw::cli {
namespace {

OrderedJson CoverageJson(const events::Coverage& coverage) {
  return OrderedJson{{"told", coverage.told},
                     {"missed", coverage.missed},
                     {"missed_share", fmt::format("{:.4f}", coverage.missed_share())}};
}

OrderedJson InboxJson(const events::InboxStatus& in, const std::string& configured) {
  return OrderedJson{{"queue", TextOrNull(configured)},
                     {"listening_since", TextOrNull(in.listening_since)},
                     {"polled_at", TextOrNull(in.polled_at)},
                     {"newest_event_at", TextOrNull(in.received_at)},
                     {"held", in.events},
                     {"received_24h", in.day},
                     {"duplicates_24h", in.day_duplicates},
                     {"to_fetch_24h", in.day_fetch},
                     {"nothing_to_do_24h", in.day_nothing},
                     {"other_catalog_24h", in.day_other_catalog},
                     {"unknown_24h", in.day_unknown},
                     {"malformed_open", in.malformed},
                     {"pending_records", in.waiting.records},
                     {"pending_since", TextOrNull(in.waiting.oldest_at)},
                     {"fetch_runs_24h", in.day_runs},
                     {"fetched_records_24h", in.day_fetched},
                     {"unjudged_changes", in.unjudged},
                     {"coverage_24h", CoverageJson(in.last_day)},
                     {"coverage_7d", CoverageJson(in.last_week)}};
}

void PrintLine(std::string_view what, const std::string& text) {
  std::printf("%-18.*s %s\n", static_cast<int>(what.size()), what.data(),
              ForTerminal(text).c_str());
}

OrderedJson OutboxJson(const events::OutboxStatus& out, const std::string& configured) {
  return OrderedJson{{"target", TextOrNull(configured)},           {"pending", out.pending},
                     {"pending_since", TextOrNull(out.oldest_at)}, {"tried_before", out.retried},
                     {"delivered_24h", out.day_delivered},         {"given_up", out.failed},
                     {"error", TextOrNull(out.last_error)}};
}

void PrintOutbox(const events::OutboxStatus& out, const std::string& configured) {
  PrintLine("out", configured.empty() ? "off: events.out.url is empty" : configured);
  if (configured.empty() && out.pending + out.failed == 0) return;
  PrintLine("delivered", fmt::format("{} in 24 h", wiring::FormatCount(out.day_delivered)));
  PrintLine("waiting", out.pending == 0
                           ? "nothing"
                           : fmt::format("{} since {}, {} of them tried before",
                                         wiring::FormatCount(out.pending), out.oldest_at,
                                         wiring::FormatCount(out.retried)));
  if (out.failed > 0)
    PrintLine("given up", config::Suggested(fmt::format("{}: pcw events redeliver tries them again",
                                                        wiring::FormatCount(out.failed))));
  if (!out.last_error.empty()) PrintLine("error", out.last_error);
}

void PrintInbox(const events::InboxStatus& in, const std::string& configured) {
  if (configured.empty()) {
    PrintLine("in", "off: events.url is empty, sweeps alone bring changes");
    return;
  }
  PrintLine("in", configured);
  if (in.polled_at.empty()) {
    PrintLine("listening", "never yet: pcw serve listens, in its role events");
    return;
  }
  PrintLine("listening", fmt::format("since {}, last asked {} s ago", in.listening_since,
                                     in.since_poll_seconds));
  PrintLine("newest event", in.received_at.empty() ? "none yet" : in.received_at);
  PrintLine(
      "last 24 h",
      fmt::format("{} events, {} duplicates; {} to fetch, {} nothing to do, {} of "
                  "another catalog, {} of unknown kinds",
                  wiring::FormatCount(in.day), wiring::FormatCount(in.day_duplicates),
                  wiring::FormatCount(in.day_fetch), wiring::FormatCount(in.day_nothing),
                  wiring::FormatCount(in.day_other_catalog), wiring::FormatCount(in.day_unknown)));
  PrintLine("malformed", fmt::format("{} open dead letters", wiring::FormatCount(in.malformed)));
  PrintLine("pending",
            in.waiting.records == 0
                ? "nothing"
                : fmt::format("{} records, the oldest since {}",
                              wiring::FormatCount(in.waiting.records), in.waiting.oldest_at));
  PrintLine("fetched",
            fmt::format("{} records by {} runs in 24 h", wiring::FormatCount(in.day_fetched),
                        wiring::FormatCount(in.day_runs)));
  const auto share = [](const events::Coverage& coverage) {
    return fmt::format("{} of {} changes ({:.2f} %)", wiring::FormatCount(coverage.missed),
                       wiring::FormatCount(coverage.told + coverage.missed),
                       100 * coverage.missed_share());
  };
  PrintLine("without event",
            fmt::format("24 h: {}; 7 days: {}; {} not judged yet", share(in.last_day),
                        share(in.last_week), wiring::FormatCount(in.unjudged)));
}

Result<int> ShowEvents(const wiring::Invocation& invocation) {
  PCW_TRY(Session session, OpenSession(invocation));
  PCW_TRY(const events::InboxStatus in,
          events::LoadInboxStatus(session.connection, invocation.stop));
  PCW_TRY(const events::OutboxStatus out,
          events::LoadOutboxStatus(session.connection, invocation.stop));
  const auto& configured = session.loaded.config.events;
  if (invocation.output != wiring::OutputFormat::kTable) {
    PrintObject(invocation.output,
                {{"in", InboxJson(in, configured.url)},
                 {"out", OutboxJson(out, config::ShownTarget(configured.out.url))}});
    return kExitOk;
  }
  PrintInbox(in, configured.url);
  PrintOutbox(out, config::ShownTarget(configured.out.url));
  return kExitOk;
}

Result<int> Redeliver(const wiring::Invocation& invocation) {
  PCW_TRY(Session session, OpenSession(invocation));
  PCW_TRY(const std::int64_t count, events::RedeliverFailed(session.connection, invocation.stop));
  PrintObject(invocation.output, {{"waiting_again", count}});
  return kExitOk;
}

}  // namespace

void AddEvents(CLI::App& root, wiring::Invocation& invocation) {
  CLI::App* noun =
      root.add_subcommand("events",
                          "Events of Partner Central that came, and pcw's own that go out")
          ->require_subcommand(1);
  CLI::App* status = AddVerb(
      *noun, "status",
      "Events of the last 24 hours, what waits to be fetched, the share of changes that no event "
      "told of; what goes out",
      "  pcw events status\n  pcw events status -o json | jq .in.coverage_24h");
  AddOutputOption(*status, invocation);
  status->callback(
      [&invocation] { invocation.verb = [&invocation] { return ShowEvents(invocation); }; });

  CLI::App* redeliver = AddVerb(
      *noun, "redeliver", "Put events that were given up back into line, after the target is fixed",
      "  pcw events redeliver");
  AddOutputOption(*redeliver, invocation);
  redeliver->callback(
      [&invocation] { invocation.verb = [&invocation] { return Redeliver(invocation); }; });
}

}  // namespace pcw::cli
