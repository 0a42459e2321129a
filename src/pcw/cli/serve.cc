// pcw serve
#include "pcw/serve/serve.h"

#include <cstdio>
#include <memory>

#include <fmt/format.h>

#include "pcw/api/openapi.h"
#include "pcw/cli/cli.h"

namespace pcw::cli {

void AddServe(CLI::App& root, wiring::Invocation& invocation) {
  std::vector<std::string> known;
  for (const serve::RoleDef& role : serve::ServeRoles()) known.emplace_back(role.name);
  CLI::App* serve = AddVerb(
      root, "serve", "Run as a service until SIGTERM; many processes share the work",
      "  pcw serve                        # every role, with the embedded database if none is "
      "configured\n"
      "  pcw serve --roles ingest         # one more worker process, here or on another machine\n"
      "  pcw serve | jq -c 'select(.level != \"INFO\")'\n\n"
      "REST on server.listen; the first start on a database writes one admin token, for 24 hours, "
      "to $PCW_HOME/first-admin-token. SIGHUP makes it read its files again. SIGTERM drains within "
      "10 s and exits 0; what was in hand goes on elsewhere, or at the next start.");
  auto roles = std::make_shared<std::vector<std::string>>();
  serve->add_option("--roles", *roles, "comma-separated; all without it")
      ->delimiter(',')
      ->check(KnownValues(known));
  auto is_describing = std::make_shared<bool>(false);
  serve->add_flag("--openapi", *is_describing, "print the OpenAPI description instead");
  serve->callback([&invocation, roles, is_describing] {
    invocation.verb = [&invocation, roles, is_describing]() -> Result<int> {
      if (!*is_describing) return serve::Serve(invocation, *roles);
      std::fputs(api::MakeOpenApi(PCW_VERSION).c_str(), stdout);
      return kExitOk;
    };
  });
}

}  // namespace pcw::cli
