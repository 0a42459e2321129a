// pcw serve
#include <memory>

#include <fmt/format.h>

#include "pcw/app/cli.h"
#include "pcw/app/serve.h"

namespace pcw::app {

void AddServe(CLI::App& root, Invocation& invocation) {
  std::vector<std::string> known;
  for (const RoleDef& role : ServeRoles()) known.emplace_back(role.name);
  CLI::App* serve = AddVerb(
      root, "serve", "Run as a service until SIGTERM; many processes share the work",
      "  pcw serve                        # every role, with the embedded database if none is "
      "configured\n"
      "  pcw serve --roles ingest         # one more worker process, here or on another machine\n"
      "  pcw serve | jq -c 'select(.level != \"INFO\")'\n\n"
      "SIGTERM drains within 10 s and exits 0; what was in hand goes on elsewhere, or at the next "
      "start.");
  auto roles = std::make_shared<std::vector<std::string>>();
  serve->add_option("--roles", *roles, "comma-separated; all without it")
      ->delimiter(',')
      ->check(KnownValues(known));
  serve->callback([&invocation, roles] {
    invocation.verb = [&invocation, roles] { return Serve(invocation, *roles); };
  });
}

}  // namespace pcw::app
