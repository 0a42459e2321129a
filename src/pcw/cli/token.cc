// pcw token create|list|revoke
#include <cstdio>
#include <memory>

#include <fmt/format.h>

#include "pcw/base/time.h"
#include "pcw/cli/cli.h"
#include "pcw/cli/session.h"
#include "pcw/identity/token_store.h"
#include "pcw/wiring/wiring.h"

namespace pcw::cli {
namespace {

OrderedJson TokenJson(const identity::StoredToken& token) {
  const char* state = !token.revoked_at.empty() ? "revoked" : token.is_live ? "live" : "expired";
  return {{"id", token.id},
          {"name", token.name},
          {"principal", token.principal},
          {"kind", token.kind},
          {"state", state},
          {"scopes", token.scopes.Names()},
          {"created_at", token.created_at},
          {"expires_at", TextOrNull(token.expires_at)},
          {"revoked_at", TextOrNull(token.revoked_at)},
          {"last_used_at", TextOrNull(token.last_used_at)}};
}

struct TokenArgs {
  std::string name, principal, expires;
  std::string kind = "service";
  std::vector<std::string> scopes;
};

Result<int> CreateTokenVerb(const wiring::Invocation& invocation, const TokenArgs& args) {
  identity::NewToken wanted{.name = args.name,
                            .principal = args.principal,
                            .kind = identity::PrincipalKind::kService,
                            .scopes = {},
                            .lifetime = std::nullopt};
  for (const std::string& name : args.scopes) {
    const Result<identity::Scope> scope = identity::ParseScope(name);
    if (!scope) return wiring::UsageError("--scope: " + scope.error().message());
    wanted.scopes.Add(*scope);
  }
  PCW_TRY(wanted.kind, identity::ParsePrincipalKind(args.kind));
  if (!args.expires.empty()) {
    const Result<std::chrono::milliseconds> lifetime = ParseDuration(args.expires);
    // Ten years are more than any token should live, and far from what a timestamp can hold.
    if (!lifetime || lifetime->count() <= 0 || *lifetime > std::chrono::hours(24 * 3653))
      return wiring::UsageError(
          "--expires: expected a duration of up to ten years, for example 90d or 12h");
    wanted.lifetime = *lifetime;
  }
  wiring::Machine machine;
  PCW_TRY(Session session, OpenSession(invocation));
  Result<identity::CreatedToken> created =
      identity::CreateToken(session.connection, wanted, machine.rng, invocation.stop);
  if (!created && created.error().code() == ErrorCode::kInvalidRequest)
    return wiring::UsageError(created.error().message());
  if (!created) return std::move(created).error();
  OrderedJson json = TokenJson(created->token);
  json["token"] = std::string(created->text.Reveal());
  if (invocation.output == wiring::OutputFormat::kTable) {
    // The token alone on standard output, so that it can be put where it belongs.
    std::printf("%s\n", json["token"].get<std::string>().c_str());
    std::fprintf(stderr,
                 "pcw: this is the only time the token is shown; use it as\n"
                 "  Authorization: Bearer <token>\n");
    return kExitOk;
  }
  PrintObject(invocation.output, json);
  return kExitOk;
}

Result<int> ListTokensVerb(const wiring::Invocation& invocation) {
  PCW_TRY(Session session, OpenSession(invocation));
  PCW_TRY(const auto tokens, identity::ListTokens(session.connection, invocation.stop));
  std::vector<OrderedJson> rows;
  for (const identity::StoredToken& token : tokens) {
    OrderedJson row = TokenJson(token);
    if (invocation.output == wiring::OutputFormat::kTable)
      row["scopes"] = fmt::format("{}", fmt::join(token.scopes.Names(), " "));
    rows.push_back(std::move(row));
  }
  PrintRows(invocation.output,
            {{"id", "ID"},
             {"name", "NAME"},
             {"principal", "PRINCIPAL"},
             {"kind", "KIND"},
             {"state", "STATE"},
             {"scopes", "SCOPES"},
             {"expires_at", "EXPIRES"},
             {"last_used_at", "LAST USED"}},
            rows, "no tokens yet; make one with: pcw token create NAME --scope runs:read");
  return kExitOk;
}

Result<int> RevokeTokenVerb(const wiring::Invocation& invocation, const std::string& name) {
  PCW_TRY(Session session, OpenSession(invocation));
  PCW_TRY(const identity::StoredToken token,
          identity::RevokeToken(session.connection, name, invocation.stop));
  if (invocation.output == wiring::OutputFormat::kTable) {
    std::fprintf(stderr, "pcw: token %s (%s) is revoked; within 5 seconds nobody accepts it\n",
                 token.name.c_str(), token.id.c_str());
    return kExitOk;
  }
  PrintObject(invocation.output, TokenJson(token));
  return kExitOk;
}

}  // namespace

void AddToken(CLI::App& root, wiring::Invocation& invocation) {
  CLI::App* noun = root.add_subcommand("token", "Tokens of the REST interface: who may do what")
                       ->require_subcommand(1);

  std::vector<std::string> scopes;
  std::string meanings;
  for (const identity::ScopeDef& def : identity::AllScopes()) {
    scopes.emplace_back(def.name);
    meanings += fmt::format("  {:<16} {}\n", def.name, def.allows);
  }
  CLI::App* create = AddVerb(*noun, "create", "A new token; its text is shown this once",
                             "  pcw token create ci --scope sync:run --scope runs:read --expires "
                             "90d\n  TOKEN=$(pcw token create alice --kind person --scope "
                             "admin)\n  pcw token create dashboards --scope runs:read -o json | jq "
                             "-r .token\n\nScopes:\n" +
                                 meanings);
  auto args = std::make_shared<TokenArgs>();
  create->add_option("name", args->name, "what the token is called")->required();
  create->add_option("--scope", args->scopes, "what it may do; repeatable")
      ->required()
      ->allow_extra_args(false)
      ->check(KnownValues(scopes));
  create
      ->add_option("--expires", args->expires, "how long it lives: 90d, 12h; until revoked without")
      ->type_name("DURATION");
  create
      ->add_option("--kind", args->kind,
                   "person or service; a service never approves what another proposed")
      ->check(CLI::IsMember({"person", "service"}))
      ->capture_default_str();
  create->add_option("--principal", args->principal,
                     "who acts through it, if that is another name: two tokens of one person");
  AddOutputOption(*create, invocation);
  create->callback([&invocation, args] {
    invocation.verb = [&invocation, args] { return CreateTokenVerb(invocation, *args); };
  });

  CLI::App* list = AddVerb(*noun, "list", "Every token, without its secret",
                           "  pcw token list\n  pcw token list -o json | jq '.[] | "
                           "select(.state == \"live\") | [.name, .expires_at]'");
  AddOutputOption(*list, invocation);
  list->callback(
      [&invocation] { invocation.verb = [&invocation] { return ListTokensVerb(invocation); }; });

  CLI::App* revoke = AddVerb(*noun, "revoke", "Ends a token, everywhere within 5 seconds",
                             "  pcw token revoke ci\n  pcw token revoke 0123456789abcdef");
  auto name = std::make_shared<std::string>();
  revoke->add_option("token", *name, "its name or id")->required();
  AddOutputOption(*revoke, invocation);
  revoke->callback([&invocation, name] {
    invocation.verb = [&invocation, name] { return RevokeTokenVerb(invocation, *name); };
  });
}

}  // namespace pcw::cli
