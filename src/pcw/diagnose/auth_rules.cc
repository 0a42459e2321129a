// Runbook 1.1: who pcw is, and what it may do.
#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "pcw/base/json.h"
#include "pcw/base/time.h"
#include "pcw/diagnose/catalogue.h"
#include "pcw/diagnose/rules.h"

namespace pcw::diagnose {
namespace {

using std::chrono::minutes;

// A signature is refused from about five minutes on (docs/aws-facts.md 21); pcw corrects from four.
constexpr minutes kWrongClock{4};
constexpr std::chrono::hours kEndsSoon{1};

bool IsOneOf(std::string_view text, std::initializer_list<std::string_view> list) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

std::string AwsErrorOf(const Error& error) {
  return std::string(error.Find("aws_error").value_or(""));
}

bool IsNetworkTrouble(const Error& error) {
  return ReactionOf(error.code()).run == RunReaction::kStopResumable;
}

void AddErrorEvidence(Finding& finding, const Error& error) {
  if (finding.message != error.message()) finding.evidence.emplace_back("said", error.message());
  for (const char* key : {"operation", "request_id", "role_arn", "role_of"}) {
    if (const auto value = error.Find(key)) finding.evidence.emplace_back(key, *value);
  }
}

std::string KeyId(const Facts& facts) {
  return facts.credentials ? facts.credentials->access_key_id : "no key";
}

// How far this machine's clock is from AWS's, if it is worth a word.
std::optional<std::chrono::microseconds> ClockError(const Facts& facts) {
  const auto is_wrong = [](std::chrono::microseconds off) {
    return off > kWrongClock || off < -kWrongClock;
  };
  for (const EndpointFacts& endpoint : facts.endpoints) {
    if (!endpoint.probe || !endpoint.probe->server_date) continue;
    const auto off = endpoint.probe->asked_at - *endpoint.probe->server_date;
    if (is_wrong(off)) return off;
  }
  if (facts.clock_ahead && is_wrong(*facts.clock_ahead)) return facts.clock_ahead;
  return std::nullopt;
}

Finding ClockFinding(std::chrono::microseconds off) {
  const bool is_ahead = off.count() > 0;
  const auto size = std::chrono::duration_cast<std::chrono::milliseconds>(is_ahead ? off : -off);
  Finding finding{.def = &DefOf("PCW1112"),
                  .resource = "clock",
                  .message = fmt::format("this machine's clock is {} {} AWS's",
                                         FormatDuration(size), is_ahead ? "ahead of" : "behind"),
                  .evidence = {{"from", "the Date header of AWS's answers"}},
                  .next_steps = {"timedatectl status",
                                 "systemctl restart systemd-timesyncd   # or "
                                 "chronyc makestep"}};
  return finding;
}

// What failed while credentials were being got.
std::optional<Finding> CredentialsFinding(const Facts& facts, const Error& error) {
  Finding finding{.def = nullptr,
                  .resource = "credentials",
                  .message = error.message(),
                  .evidence = {},
                  .next_steps = {}};
  const bool is_role = error.Find("role_arn").has_value();
  if (error.Is(ErrorMark::kUnreachable) && error.code() == ErrorCode::kTimeout) {
    finding.def = &DefOf("PCW1103");
    finding.next_steps = {"time pcw credentials show   # waits as long as a run does"};
  } else if (error.Is(ErrorMark::kUnreachable)) {
    finding.def = &DefOf("PCW1103");
    finding.next_steps = {
        "aws ec2 modify-instance-metadata-options --instance-id ID --http-put-response-hop-limit 2 "
        "--http-tokens required   # for a container on an instance",
        "pcw credentials show"};
  } else if (is_role && IsNetworkTrouble(error)) {
    if (IsBlocked(facts, "sts")) return std::nullopt;
    finding.def = &DefOf("PCW1103");
    finding.next_steps = {"pcw doctor connectivity"};
  } else if (is_role && error.code() == ErrorCode::kPermissionDenied) {
    finding.def = &DefOf("PCW1108");
    finding.resource = std::string(error.Find("role_arn").value_or("role"));
    finding.next_steps = {
        fmt::format("aws iam get-role --role-name {} --query Role.AssumeRolePolicyDocument",
                    finding.resource.substr(finding.resource.rfind('/') + 1)),
        "pcw config show --origin   # aws.role_arn, aws.external_id"};
  } else if (is_role && error.code() == ErrorCode::kUnauthenticated) {
    return std::nullopt;  // the keys that assume it: judged as keys, below
  } else if (error.code() == ErrorCode::kConfig ||
             (is_role && error.code() == ErrorCode::kInvalidRequest)) {
    finding.def = &DefOf("PCW1102");
    finding.next_steps = {"pcw config show --origin", "pcw credentials show"};
  } else if (error.message().starts_with("no AWS credentials")) {
    finding.def = &DefOf("PCW1101");
    finding.next_steps = {"export AWS_PROFILE=NAME   # or set aws.profile in the configuration",
                          "pcw credentials show"};
  } else {
    finding.def = &DefOf("PCW1103");
    finding.next_steps = {"pcw credentials show"};
  }
  if (!facts.settings.rotated_to.empty() && !is_role) {
    finding.evidence.emplace_back("in force by credentials rotate", facts.settings.rotated_to);
    finding.next_steps.insert(finding.next_steps.begin(), "pcw credentials rotate --to configured");
  }
  AddErrorEvidence(finding, error);
  return finding;
}

// AWS knows nothing of the caller, or does not believe it.
Finding RefusalFinding(const Facts& facts, const Error& error) {
  const std::string type = AwsErrorOf(error);
  // A role's own call was made with the keys of its base.
  const std::string key(error.Find("access_key_id").value_or(KeyId(facts)));
  Finding finding{
      .def = nullptr,
      .resource = key.empty() ? "credentials" : key,
      .message = "",
      .evidence = {},
      .next_steps = {"pcw credentials show",
                     "pcw credentials rotate --to profile:NAME   # or file:/path/of/keys"}};
  const std::string source(
      error.Find("base_source")
          .value_or(facts.credentials ? facts.credentials->source : "the configured source"));
  if (IsOneOf(type, {"ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired"})) {
    finding.def = &DefOf("PCW1104");
    finding.message = fmt::format("the session of {} has expired; it came from {}", key, source);
    finding.next_steps = {
        "renew the session where it comes from; or let pcw assume the role itself: "
        "a profile with role_arn and source_profile",
        "pcw credentials show"};
  } else if (IsOneOf(type, {"InvalidClientTokenId", "UnrecognizedClientException",
                            "InvalidAccessKeyId"})) {
    finding.def = &DefOf("PCW1105");
    finding.message = fmt::format(
        "AWS does not know the key {} (or its session token); it came "
        "from {}",
        key, source);
    // Sessions have no such record.
    if (key.starts_with("AKIA")) {
      finding.next_steps.insert(
          finding.next_steps.begin(),
          fmt::format("aws iam get-access-key-last-used --access-key-id {}   # "
                      "with other credentials: whose was it?",
                      key));
    }
  } else if (IsOneOf(type, {"SignatureDoesNotMatch", "InvalidSignatureException"})) {
    finding.def = &DefOf("PCW1106");
    finding.message = fmt::format("the secret from {} does not belong to the key {}", source, key);
  } else {
    finding.def = &DefOf("PCW1116");
    finding.message = error.message();
  }
  AddErrorEvidence(finding, error);
  return finding;
}

// What no other rule knows better. A throttle is the quota's, a denial a right's.
void JudgeFailures(const Facts& facts, std::vector<Finding>& findings) {
  const auto judge = [&](std::string_view what, std::string_view service,
                         const std::optional<Error>& error, bool is_right) {
    if (!error || error->code() == ErrorCode::kUnauthenticated ||
        error->code() == ErrorCode::kThrottled || IsBlocked(facts, service) ||
        (is_right && error->code() == ErrorCode::kPermissionDenied))
      return;
    Finding finding{.def = &DefOf("PCW1115"),
                    .resource = std::string(what),
                    .message = error->message(),
                    .evidence = {},
                    .next_steps = {"open https://health.aws.amazon.com/health/status",
                                   "pcw doctor   # again: does it stay?"}};
    AddErrorEvidence(finding, *error);
    findings.push_back(std::move(finding));
  };
  judge("sts:GetCallerIdentity", "sts", facts.identity_error, false);
  for (const ActionFacts& action : facts.actions)
    judge(action.action, "partnercentral-selling", action.error, true);
}

std::string StatementFor(const std::vector<std::string>& actions, const std::string& catalog) {
  OrderedJson statement{{"Effect", "Allow"}, {"Action", actions}, {"Resource", "*"}};
  if (std::any_of(actions.begin(), actions.end(), [](const std::string& action) {
        return action.starts_with("partnercentral:");
      })) {
    statement["Condition"] = {{"StringEquals", {{"partnercentral:Catalog", {catalog}}}}};
  }
  return DumpJson(statement);
}

// Denials that name an action are missing rights; those of everything, without a name, look like an
// account that is not linked (docs/aws-facts.md 13).
void JudgeDenials(const Facts& facts, std::vector<Finding>& findings) {
  std::vector<std::string> missing;
  std::string said;
  int tried = 0, denied = 0;
  bool is_named = false;
  for (const ActionFacts& action : facts.actions) {
    if (!action.was_tried || !action.action.starts_with("partnercentral:")) continue;
    ++tried;
    if (!action.error || action.error->code() != ErrorCode::kPermissionDenied) continue;
    ++denied;
    missing.push_back(action.action);
    if (said.empty()) said = action.error->message();
    is_named =
        is_named || action.error->message().find("not authorized to perform") != std::string::npos;
  }
  if (denied == 0) return;
  const std::string who = facts.identity ? facts.identity->arn : KeyId(facts);
  // A partner that ListPartners shows for this account is a link.
  const bool may_be_unlinked = denied == tried && !is_named && !facts.link.has_partner;
  if (may_be_unlinked) {
    const std::string link = !facts.link.was_asked ? "not asked"
                             : facts.link.error    ? facts.link.error->message()
                                                   : "no partner of this account";
    findings.push_back(
        {.def = &DefOf("PCW1109"),
         .resource = facts.identity ? facts.identity->account : "account",
         .message =
             fmt::format("Partner Central denies everything to {}, without naming a right", who),
         .evidence = {{"said", said},
                      {"denied", fmt::format("{}", fmt::join(missing, ", "))},
                      {"partnercentral:ListPartners", link}},
         .next_steps = {
             "an alliance lead or cloud admin: Partner Central console > Account linking",
             "if it is linked: add this statement to the caller's policy: " +
                 StatementFor(missing, facts.settings.catalog)}});
    return;
  }
  findings.push_back(
      {.def = &DefOf("PCW1110"),
       .resource = fmt::format("{}", fmt::join(missing, ", ")),
       .message = fmt::format("{} may not {}", who, fmt::join(missing, ", ")),
       .evidence = {{"said", said}, {"statement", StatementFor(missing, facts.settings.catalog)}},
       .next_steps = {"add the statement to the caller's policy (aws iam put-role-policy)",
                      "pcw doctor auth"}});
}

void AddInformation(const Facts& facts, std::vector<Finding>& findings) {
  if (facts.identity) {
    Finding who{
        .def = &DefOf("PCW1114"),
        .resource = facts.identity->arn,
        .message = fmt::format("account {}, key {} from {}", facts.identity->account, KeyId(facts),
                               facts.credentials ? facts.credentials->source : ""),
        .evidence = {},
        .next_steps = {}};
    if (facts.credentials && facts.credentials->expires_at)
      who.evidence.emplace_back("expires_at", FormatRfc3339(*facts.credentials->expires_at));
    for (const ActionFacts& action : facts.actions) {
      if (action.was_tried && !action.error) who.evidence.emplace_back("may", action.action);
    }
    findings.push_back(std::move(who));
  }
  Finding untried{
      .def = &DefOf("PCW1113"), .resource = "IAM", .message = "", .evidence = {}, .next_steps = {}};
  for (const ActionFacts& action : facts.actions) {
    if (!action.was_tried) untried.evidence.emplace_back(action.action, action.why_not);
  }
  if (untried.evidence.empty()) return;
  untried.message = fmt::format("{} actions were not tried", untried.evidence.size());
  findings.push_back(std::move(untried));
}

void JudgeExpiry(const Facts& facts, std::vector<Finding>& findings) {
  if (!facts.credentials || !facts.credentials->expires_at) return;
  const bool is_renewed =
      facts.credentials->source != "environment" && !facts.credentials->source.starts_with("file ");
  const auto left = *facts.credentials->expires_at - facts.now;
  if (is_renewed || left > kEndsSoon) return;
  findings.push_back(
      {.def = &DefOf("PCW1111"),
       .resource = KeyId(facts),
       .message = fmt::format("the session from {} ends at {}", facts.credentials->source,
                              FormatRfc3339(*facts.credentials->expires_at)),
       .evidence = {},
       .next_steps = {"use a profile with role_arn, so that pcw renews it itself",
                      "pcw credentials show"}});
}

}  // namespace

std::vector<Finding> JudgeAuth(const Facts& facts) {
  std::vector<Finding> findings;
  const auto off = ClockError(facts);
  if (off) findings.push_back(ClockFinding(*off));
  if (facts.credentials_error) {
    if (auto finding = CredentialsFinding(facts, *facts.credentials_error))
      findings.push_back(std::move(*finding));
  }
  // What refused the keys: the role's STS call, GetCallerIdentity, or Partner Central alone.
  const Error* refusal = nullptr;
  if (facts.credentials_error && facts.credentials_error->Find("role_arn") &&
      facts.credentials_error->code() == ErrorCode::kUnauthenticated)
    refusal = &*facts.credentials_error;
  if (refusal == nullptr && facts.identity_error &&
      facts.identity_error->code() == ErrorCode::kUnauthenticated)
    refusal = &*facts.identity_error;
  for (const ActionFacts& action : facts.actions) {
    if (refusal == nullptr && action.error && action.error->code() == ErrorCode::kUnauthenticated)
      refusal = &*action.error;
  }
  if (refusal != nullptr && !off) {
    findings.push_back(RefusalFinding(facts, *refusal));
  }
  const std::string& expected = facts.settings.expected_account;
  if (facts.identity && !expected.empty() && facts.identity->account != expected) {
    findings.push_back(
        {.def = &DefOf("PCW1107"),
         .resource = facts.identity->account,
         .message = fmt::format("{} belongs to account {}, and aws.account_id expects {}",
                                facts.identity->arn, facts.identity->account, expected),
         .evidence = {{"source", facts.credentials ? facts.credentials->source : ""}},
         .next_steps = {"pcw config show --origin   # aws.profile, aws.role_arn, aws.account_id",
                        "pcw credentials show"}});
    return findings;
  }
  JudgeDenials(facts, findings);
  JudgeFailures(facts, findings);
  JudgeExpiry(facts, findings);
  AddInformation(facts, findings);
  return findings;
}

}  // namespace pcw::diagnose
