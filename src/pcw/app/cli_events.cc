// pcw events status
#include <cstdio>
#include <memory>

#include <fmt/format.h>

#include "pcw/app/cli.h"
#include "pcw/app/progress.h"
#include "pcw/app/wiring.h"
#include "pcw/events/status.h"

namespace pcw::app {
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

void PrintInbox(const events::InboxStatus& in, const std::string& configured) {
  const auto line = [](std::string_view what, const std::string& text) {
    std::printf("%-18.*s %s\n", static_cast<int>(what.size()), what.data(),
                ForTerminal(text).c_str());
  };
  if (configured.empty()) {
    line("in", "off: events.url is empty, sweeps alone bring changes");
    return;
  }
  line("in", configured);
  if (in.polled_at.empty()) {
    line("listening", "never yet: pcw serve listens, in its role events");
    return;
  }
  line("listening",
       fmt::format("since {}, last asked {} s ago", in.listening_since, in.since_poll_seconds));
  line("newest event", in.received_at.empty() ? "none yet" : in.received_at);
  line("last 24 h", fmt::format("{} events, {} duplicates; {} to fetch, {} nothing to do, {} of "
                                "another catalog, {} of unknown kinds",
                                FormatCount(in.day), FormatCount(in.day_duplicates),
                                FormatCount(in.day_fetch), FormatCount(in.day_nothing),
                                FormatCount(in.day_other_catalog), FormatCount(in.day_unknown)));
  line("malformed", fmt::format("{} open dead letters", FormatCount(in.malformed)));
  line("pending", in.waiting.records == 0
                      ? "nothing"
                      : fmt::format("{} records, the oldest since {}",
                                    FormatCount(in.waiting.records), in.waiting.oldest_at));
  line("fetched", fmt::format("{} records by {} runs in 24 h", FormatCount(in.day_fetched),
                              FormatCount(in.day_runs)));
  const auto share = [](const events::Coverage& coverage) {
    return fmt::format("{} of {} changes ({:.2f} %)", FormatCount(coverage.missed),
                       FormatCount(coverage.told + coverage.missed), 100 * coverage.missed_share());
  };
  line("without event", fmt::format("24 h: {}; 7 days: {}; {} not judged yet", share(in.last_day),
                                    share(in.last_week), FormatCount(in.unjudged)));
}

Result<int> ShowEvents(const Invocation& invocation) {
  PCW_TRY(const LoadedConfig loaded, invocation.Load());
  PCW_TRY(
      const auto database,
      DatabaseAccess::Open(loaded.config, HomeDirectory(invocation.environment), invocation.stop));
  PCW_TRY(pg::Connection connection, database->OpenService(invocation.stop));
  PCW_TRY(const events::InboxStatus in, events::LoadInboxStatus(connection, invocation.stop));
  if (invocation.output != OutputFormat::kTable) {
    PrintObject(invocation.output, {{"in", InboxJson(in, loaded.config.events.url)}});
    return kExitOk;
  }
  PrintInbox(in, loaded.config.events.url);
  return kExitOk;
}

}  // namespace

void AddEvents(CLI::App& root, Invocation& invocation) {
  CLI::App* noun =
      root.add_subcommand("events", "Events of Partner Central: what came, what it led to")
          ->require_subcommand(1);
  CLI::App* status = AddVerb(
      *noun, "status",
      "The queue, events of the last 24 hours, what waits to be fetched, and the share of changes "
      "that no event told of",
      "  pcw events status\n  pcw events status -o json | jq .in.coverage_24h");
  AddOutputOption(*status, invocation);
  status->callback(
      [&invocation] { invocation.verb = [&invocation] { return ShowEvents(invocation); }; });
}

}  // namespace pcw::app
