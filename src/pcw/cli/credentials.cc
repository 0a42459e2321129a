// pcw credentials show|policy|rotate
#include <cstdio>
#include <memory>

#include <fmt/format.h>

#include "pcw/aws/credentials/credentials_reference.h"
#include "pcw/aws/partner_central_selling.h"
#include "pcw/aws/sts.h"
#include "pcw/base/time.h"
#include "pcw/cli/cli.h"
#include "pcw/connector/entity_def.h"
#include "pcw/connector/raw_record.h"
#include "pcw/connector/request.h"
#include "pcw/wiring/iam_policy.h"
#include "pcw/wiring/sync_command.h"
#include "pcw/wiring/wiring.h"

namespace pcw::cli {
namespace {

Result<aws::sts::CallerIdentity> AskIdentity(const wiring::AwsIdentity& identity,
                                             wiring::Machine& machine, std::stop_token stop) {
  aws::OpenQuotaGate open;
  PCW_TRY(const auto sts, wiring::OpenCaller(aws::sts::kService, identity, open, machine));
  return aws::sts::GetCallerIdentity(*sts, stop);
}

Result<int> ShowCredentials(const wiring::Invocation& invocation) {
  PCW_TRY(const config::LoadedConfig loaded, invocation.Load());
  wiring::Machine machine;
  PCW_TRY(const auto identity,
          wiring::OpenIdentity(loaded.config, invocation.environment, machine));
  PCW_TRY(const aws::CredentialsPtr keys, identity->credentials->Get(invocation.stop));
  const Result<aws::sts::CallerIdentity> who = AskIdentity(*identity, machine, invocation.stop);
  PCW_TRY(const auto reference, aws::LoadReference(identity->reference_file));
  OrderedJson row{
      {"source", keys->source},
      {"access_key_id", keys->access_key_id},
      {"expires_at",
       keys->expires_at ? OrderedJson(FormatRfc3339(*keys->expires_at)) : OrderedJson(nullptr)},
      {"account_id", TextOrNull(who ? who->account : keys->account_id)},
      {"arn", TextOrNull(who ? who->arn : "")},
      {"rotated_to", reference ? OrderedJson(reference->ToString()) : OrderedJson(nullptr)}};
  PrintObject(invocation.output, row);
  std::fflush(stdout);
  // What is known is shown; whether AWS takes it decides the exit code.
  if (!who) return who.error();
  return kExitOk;
}

Result<int> PrintPolicy(const wiring::Invocation& invocation) {
  PCW_TRY(const config::LoadedConfig loaded, invocation.Load());
  PCW_TRY(const OrderedJson policy, wiring::MakeIamPolicy(loaded.config));
  std::printf("%s\n", DumpJsonPretty(policy).c_str());
  return kExitOk;
}

// One thing that the candidate was tried with.
struct Probe {
  std::string action;
  std::string result;  ///< "ok", "not tried: ..." or the error
};

class Rotation {
 public:
  Rotation(const wiring::Invocation& invocation, const config::LoadedConfig& loaded)
      : invocation_(invocation), loaded_(loaded) {}

  Result<int> Switch(const std::optional<aws::CredentialsReference>& to) {
    const config::Config& config = loaded_.config;
    PCW_TRY(const auto current, wiring::OpenIdentity(config, invocation_.environment, machine_));
    PCW_TRY(const auto candidate,
            wiring::OpenIdentity(config, invocation_.environment, machine_,
                                 {.candidate = to, .ignores_reference = !to.has_value()}));
    // The reason counts, not how far the old ones still are from working.
    const Result<aws::CredentialsPtr> old_keys = current->credentials->Get(invocation_.stop);
    const Status good = Try(*candidate, *current);
    PrintProbes();
    std::fflush(stdout);
    if (!good)
      return Error(good.error()).With("switched", "no; the credentials in force stay as they are");
    PCW_TRY_OK(aws::SaveReference(candidate->reference_file, to));
    std::fprintf(stderr,
                 "pcw: switched to %s; running pcw processes follow within a second and end what "
                 "they are sending with the old ones\n",
                 to ? to->ToString().c_str() : "the configured credentials");
    PCW_TRY(const aws::CredentialsPtr new_keys, candidate->credentials->Get(invocation_.stop));
    // Only long-lived keys are anybody's to deactivate.
    if (old_keys && (*old_keys)->access_key_id.starts_with("AKIA") &&
        (*old_keys)->access_key_id != new_keys->access_key_id) {
      std::fprintf(stderr,
                   "pcw: pcw never deletes keys; see that %s is used no more (aws iam "
                   "get-access-key-last-used --access-key-id %s), then deactivate it\n",
                   (*old_keys)->access_key_id.c_str(), (*old_keys)->access_key_id.c_str());
    }
    return kExitOk;
  }

 private:
  Status Note(const std::string& action, const Status& status) {
    probes_.push_back({action, status ? "ok" : status.error().message()});
    return status;
  }

  // Every read that pcw makes; the first failure ends it.
  Status Try(const wiring::AwsIdentity& candidate, const wiring::AwsIdentity& current) {
    const Result<aws::sts::CallerIdentity> who = AskIdentity(candidate, machine_, invocation_.stop);
    PCW_TRY_OK(Note("sts:GetCallerIdentity", who ? Status(Ok{}) : Status(who.error())));
    PCW_TRY_OK(Note("the same account", SameAccount(*who, current)));
    const std::unique_ptr<aws::QuotaGate> quota = QuotaOrOpenGate(who->account);
    // Once each: whoever rotates in a hurry does not wait for a throttle to pass.
    aws::CallerOptions once;
    once.retry.max_attempts = 1;
    for (const connector::EntityDef* entity : connector::AllEntities()) {
      if (!wiring::IsConfigured(*entity, loaded_.config)) continue;
      for (const connector::SourceDef& source : entity->sources) {
        // AWS looks at the key before it counts the call, so a throttle has said yes to the key;
        // waiting for it to pass would keep a key in force that may have to go.
        if (is_throttled_) break;
        PCW_TRY(const auto caller,
                wiring::OpenCaller(*source.list->service, candidate, *quota, machine_, once));
        PCW_TRY_OK(TrySource(*caller, source));
      }
    }
    return Ok{};
  }

  // A key may have to be rotated while the database is away: two reads go without the ledger then.
  std::unique_ptr<aws::QuotaGate> QuotaOrOpenGate(const std::string& account) {
    auto database = wiring::DatabaseAccess::Open(
        loaded_.config, config::HomeDirectory(invocation_.environment), invocation_.stop);
    if (database) {
      database_ = std::move(*database);
      auto quota = wiring::OpenQuota(loaded_.config, *database_, account, quota::Purpose::kReserved,
                                     "credentials rotate", machine_, invocation_.stop);
      if (quota) return std::move(*quota);
    }
    std::fprintf(stderr,
                 "pcw: the database cannot be used; the reads are tried without the quota's "
                 "ledger\n");
    return std::make_unique<aws::OpenQuotaGate>();
  }

  Status SameAccount(const aws::sts::CallerIdentity& who, const wiring::AwsIdentity& current) {
    std::string expected = loaded_.config.aws.account_id;
    if (expected.empty()) {
      const Result<aws::sts::CallerIdentity> now = AskIdentity(current, machine_, invocation_.stop);
      if (!now) return Ok{};  // the old ones do not work any more, which is why they are rotated
      expected = now->account;
    }
    if (who.account == expected) return Ok{};
    return Error(ErrorCode::kPermissionDenied,
                 fmt::format("these are credentials of account {}, and the data is that of {}",
                             who.account, expected));
  }

  Status TrySource(aws::Caller& caller, const connector::SourceDef& source) {
    const std::string& catalog = loaded_.config.partner_central.catalog;
    const auto action = [](const aws::Operation& operation) {
      return fmt::format("partnercentral:{}", operation.name);
    };
    const auto listed =
        caller.Call(*source.list,
                    connector::ListRequest(source, {.catalog = catalog,
                                                    .page_size = 1,
                                                    .next_token = {},
                                                    .sort_by = source.full_sort,
                                                    .modified_after = std::nullopt}),
                    invocation_.stop);
    if (!listed && listed.error().code() == ErrorCode::kThrottled) {
      is_throttled_ = true;
      probes_.push_back({action(*source.list), "throttled: the key is taken, the right not tried"});
      return Ok{};
    }
    PCW_TRY_OK(Note(action(*source.list), listed ? Status(Ok{}) : Status(listed.error())));
    if (source.detail == nullptr) return Ok{};
    PCW_TRY(const connector::Page page, connector::ReadListPage(listed->body, source));
    for (const aws::Operation* operation : {source.detail, source.companion}) {
      if (operation == nullptr) continue;
      if (page.items.empty()) {
        probes_.push_back({action(*operation), "not tried: there is no record to get"});
        continue;
      }
      const auto got =
          caller.Call(*operation, connector::DetailRequest(source, catalog, page.items.front().key),
                      invocation_.stop);
      PCW_TRY_OK(Note(action(*operation), got ? Status(Ok{}) : Status(got.error())));
    }
    return Ok{};
  }

  void PrintProbes() const {
    std::vector<OrderedJson> rows;
    for (const Probe& probe : probes_)
      rows.push_back({{"action", probe.action}, {"result", probe.result}});
    PrintRows(invocation_.output, {{"action", "TRIED"}, {"result", "RESULT"}}, rows,
              "nothing was tried");
  }

  const wiring::Invocation& invocation_;
  const config::LoadedConfig& loaded_;
  wiring::Machine machine_;
  std::unique_ptr<wiring::DatabaseAccess> database_;
  std::vector<Probe> probes_;
  bool is_throttled_ = false;  ///< the account: what is left is not tried
};

Result<int> Rotate(const wiring::Invocation& invocation, const std::string& to) {
  PCW_TRY(const config::LoadedConfig loaded, invocation.Load());
  std::optional<aws::CredentialsReference> reference;
  if (to != "configured") {
    Result<aws::CredentialsReference> parsed = aws::ParseReference(to);
    if (!parsed) return std::move(parsed).error().As(ErrorMark::kUsage);
    reference = std::move(*parsed);
  }
  return Rotation(invocation, loaded).Switch(reference);
}

}  // namespace

void AddCredentials(CLI::App& root, wiring::Invocation& invocation) {
  CLI::App* noun =
      root.add_subcommand("credentials", "Which AWS credentials are in force, and changing them")
          ->require_subcommand(1);
  CLI::App* show =
      AddVerb(*noun, "show", "Source, key id, expiry and account; never the secret",
              "  pcw credentials show\n  pcw credentials show -o json | jq -r .account_id");
  AddOutputOption(*show, invocation);
  show->callback(
      [&invocation] { invocation.verb = [&invocation] { return ShowCredentials(invocation); }; });

  CLI::App* policy = AddVerb(
      *noun, "policy",
      "The IAM policy that this configuration needs, made from the operations that pcw calls",
      "  pcw credentials policy > policy.json\n"
      "  aws iam put-role-policy --role-name pcw --policy-name pcw --policy-document "
      "file://policy.json");
  policy->callback(
      [&invocation] { invocation.verb = [&invocation] { return PrintPolicy(invocation); }; });

  CLI::App* rotate = AddVerb(
      *noun, "rotate",
      "Try other credentials with every read that pcw makes, then switch every pcw process of this "
      "$PCW_HOME to them",
      "  pcw credentials rotate --to profile:partner-2026\n"
      "  (umask 077; aws iam create-access-key --user-name pcw > /etc/pcw/key.json)\n"
      "  pcw credentials rotate --to file:/etc/pcw/key.json\n"
      "  pcw credentials rotate --to configured      # back to what the configuration says");
  auto to = std::make_shared<std::string>();
  rotate
      ->add_option("--to", *to,
                   "profile:NAME, file:/absolute/path (JSON or INI, mode 600), or configured")
      ->required();
  AddOutputOption(*rotate, invocation);
  rotate->callback([&invocation, to] {
    invocation.verb = [&invocation, to] { return Rotate(invocation, *to); };
  });
}

}  // namespace pcw::cli
