// pcw sim: the local AWS.
#include <cstdio>
#include <memory>

#include <fmt/format.h>

#include "pcw/base/file.h"
#include "pcw/cli/cli.h"
#include "pcw/sim/server.h"
#include "pcw/wiring/wiring.h"

namespace pcw::cli {
namespace {

Result<int> RunSim(const wiring::Invocation& invocation, const sim::SimOptions& options) {
  PCW_TRY(const auto simulator, sim::SimServer::Start(options));
  std::printf("listening on http://127.0.0.1:%d\n", simulator->port());
  std::fflush(stdout);
  std::fprintf(stderr,
               "Use it with any AWS client:\n"
               "  export AWS_ENDPOINT_URL=http://127.0.0.1:%d AWS_REGION=us-east-1\n"
               "  export AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE "
               "AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\n"
               "What it was asked: curl http://127.0.0.1:%d/_sim/stats\n",
               simulator->port(), simulator->port());
  SystemSleeper sleeper;
  while (sleeper.SleepFor(std::chrono::hours(1), invocation.stop)) {
  }
  return kExitOk;
}

}  // namespace

void AddSim(CLI::App& root, wiring::Invocation& invocation) {
  CLI::App* verb =
      AddVerb(root, "sim", "A strict local AWS: Partner Central, STS and S3 on loopback",
              "  pcw sim --port 8000 --opportunities 1000\n  pcw sim --no-quota "
              "--latency 50 --faults faults.json\n\n"
              "It checks signatures, requests and both quota windows as AWS does. "
              "docs/simulator.md has the faults and control endpoints.");
  auto options = std::make_shared<sim::SimOptions>();
  auto latency = std::make_shared<int>(0);
  auto is_unmetered = std::make_shared<bool>(false);
  auto faults = std::make_shared<std::string>();
  auto tokens = std::make_shared<std::string>("keyset");
  verb->add_option("--port", options->port, "0 = any free port")
      ->check(CLI::Range(0, 65535))
      ->capture_default_str();
  verb->add_option("--opportunities", options->opportunities, "how many, 1 to 1,000,000")
      ->check(CLI::Range(0, 1'000'000))
      ->capture_default_str();
  const auto held = [&](const char* flag, std::uint64_t& count, const char* what) {
    verb->add_option(flag, count, what)->check(CLI::Range(0, 100'000))->capture_default_str();
  };
  held("--leads", options->leads, "engagements and invitations that are leads");
  held("--solutions", options->solutions, "how many");
  held("--profiles", options->profiles, "partners, each with its profile");
  verb->add_option("--seed", options->seed, "the same seed gives the same records")
      ->capture_default_str();
  verb->add_option("--faults", *faults, "JSON file of scripted faults")->type_name("FILE");
  verb->add_flag("--events", options->events.is_enabled,
                 "send an EventBridge event of each change to the queue pcw-events");
  verb->add_flag("--no-quota", *is_unmetered, "do not enforce AWS's quotas");
  verb->add_option("--latency", *latency, "milliseconds added to every answer")
      ->check(CLI::Range(0, 60'000))
      ->capture_default_str();
  verb->add_option(
          "--tokens", *tokens,
          "what page tokens hide: keyset or offset (records modified meanwhile shift the latter)")
      ->check(CLI::IsMember({"keyset", "offset"}))
      ->capture_default_str();
  verb->callback([=, &invocation] {
    invocation.verb = [=, &invocation]() -> Result<int> {
      options->quota = *is_unmetered ? sim::QuotaMode::kOff : sim::QuotaMode::kEnforced;
      options->latency = std::chrono::milliseconds(*latency);
      options->token_style =
          *tokens == "offset" ? sim::TokenStyle::kOffset : sim::TokenStyle::kKeyset;
      if (!faults->empty()) {
        PCW_TRY(const std::string text, ReadFile(*faults, 1U << 20U));
        PCW_TRY(options->faults, sim::ParseFaults(text, *faults));
      }
      return RunSim(invocation, *options);
    };
  });
}

}  // namespace pcw::cli
