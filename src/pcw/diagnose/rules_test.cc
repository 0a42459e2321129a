#include "pcw/diagnose/rules.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pcw/diagnose/catalogue.h"
#include "pcw/diagnose/report.h"

namespace pcw::diagnose {
namespace {

using net::ProbeFailure;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const WallTime kNow(std::chrono::seconds(1'795'000'000));

EndpointFacts Endpoint(const char* service, ProbeFailure failure, const char* address) {
  EndpointFacts endpoint{.service = service,
                         .url = fmt::format("https://{}.us-east-1.api.aws", service),
                         .origin = "AWS's rule",
                         .is_override = false,
                         .probe = net::EndpointProbe{}};
  endpoint.probe->failure = failure;
  endpoint.probe->addresses = {address};
  endpoint.probe->address = address;
  endpoint.probe->server_date = endpoint.probe->asked_at = kNow;
  return endpoint;
}

ActionFacts Tried(const char* action, std::optional<Error> error = std::nullopt) {
  return {.action = action, .was_tried = true, .error = std::move(error), .why_not = ""};
}

Error Denied(const char* message) { return Error(ErrorCode::kPermissionDenied, message); }

// Everything as it should be.
Facts Healthy() {
  Facts facts;
  facts.now = kNow;
  facts.endpoints = {Endpoint("partnercentral-selling", ProbeFailure::kNone, "52.1.2.3"),
                     Endpoint("sts", ProbeFailure::kNone, "52.1.2.4")};
  auto keys = std::make_shared<aws::Credentials>();
  keys->access_key_id = "AKIA1";
  keys->source = "environment";
  facts.credentials = keys;
  facts.identity =
      aws::sts::CallerIdentity{"123456789012", "arn:aws:iam::123456789012:user/u", "U"};
  facts.actions = {Tried("partnercentral:ListOpportunities"),
                   Tried("partnercentral:GetOpportunity")};
  quota::QuotaStatus reads{.aws_account_id = "123456789012",
                           .service = "partnercentral-selling",
                           .quota_class = "read",
                           .per_second = 10,
                           .per_day = 100'000,
                           .bulk_per_day = 95'000,
                           .used_last_minute = 0,
                           .used_last_hour = 0,
                           .used_24h = 0,
                           .left_24h = 100'000,
                           .paused_until = "",
                           .full_again_at = ""};
  facts.ledger = LedgerFacts{};
  facts.ledger->quota = {reads};
  return facts;
}

BronzeFacts Lake() {
  BronzeFacts bronze;
  bronze.was_looked_at = true;
  bronze.lake = "s3://pcw-lake-dev";
  return bronze;
}

// Codes that are no mere information, in order.
std::vector<std::string> Trouble(const Facts& facts) {
  std::vector<std::string> codes;
  for (const Finding& finding : Judge(facts)) {
    if (finding.def->level != Level::kInfo) codes.emplace_back(finding.def->code);
  }
  return codes;
}

Finding First(const Facts& facts) { return Judge(facts).front(); }

std::string Steps(const Finding& finding) {
  return fmt::format("{}", fmt::join(finding.next_steps, "\n"));
}

TEST(JudgeTest, AHealthySystemHasNothingButInformation) {
  EXPECT_THAT(Trouble(Healthy()), IsEmpty());
}

TEST(JudgeTest, ATimeoutBehindAPrivateAddressIsTheVpcEndpointsAndElseTheNats) {
  Facts facts = Healthy();
  facts.endpoints[0] = Endpoint("partnercentral-selling", ProbeFailure::kTimeout, "10.0.3.7");
  ASSERT_THAT(Trouble(facts), ElementsAre("PCW1404"));
  EXPECT_THAT(Steps(First(facts)), HasSubstr("describe-vpc-endpoints"));

  facts.endpoints[0] = Endpoint("partnercentral-selling", ProbeFailure::kTimeout, "52.0.0.1");
  EXPECT_THAT(Steps(First(facts)), HasSubstr("describe-nat-gateways"));
}

TEST(JudgeTest, AProxyOfTheEnvironmentIsTheCauseOfPacketsThatVanish) {
  Facts facts = Healthy();
  facts.endpoints = {Endpoint("partnercentral-selling", ProbeFailure::kTimeout, "52.0.0.1"),
                     Endpoint("sts", ProbeFailure::kTimeout, "52.0.0.2")};
  facts.settings.environment["HTTPS_PROXY"] = "http://user:secret@proxy.example:3128";

  ASSERT_THAT(Trouble(facts), ElementsAre("PCW1408"));
  EXPECT_THAT(Steps(First(facts)), HasSubstr("aws.proxy"));
  EXPECT_THAT(First(facts).message, ::testing::Not(HasSubstr("secret")));
}

TEST(JudgeTest, WhatCannotBeReachedIsNotAlsoBlamedOnCredentials) {
  Facts facts = Healthy();
  facts.endpoints[1] = Endpoint("sts", ProbeFailure::kRefused, "52.0.0.2");
  facts.identity.reset();
  facts.identity_error = Error(ErrorCode::kUnavailable, "cannot connect");
  facts.credentials.reset();
  facts.credentials_error =
      Error(ErrorCode::kUnavailable, "cannot connect").With("role_arn", "arn:aws:iam::1:role/x");

  EXPECT_THAT(Trouble(facts), ElementsAre("PCW1403"));
}

TEST(JudgeTest, ASkewedClockExplainsARefusedSignature) {
  Facts facts = Healthy();
  facts.endpoints[1].probe->asked_at = kNow + std::chrono::minutes(10);
  facts.identity.reset();
  facts.identity_error =
      Error(ErrorCode::kUnauthenticated, "no").With("aws_error", "SignatureDoesNotMatch");

  EXPECT_THAT(Trouble(facts), ElementsAre("PCW1112"));
  EXPECT_THAT(First(facts).message, HasSubstr("ahead of"));
}

TEST(JudgeTest, NoErrorOfACallIsTakenForHealth) {
  for (const ErrorCode code :
       {ErrorCode::kUnauthenticated, ErrorCode::kPermissionDenied, ErrorCode::kThrottled,
        ErrorCode::kUnavailable, ErrorCode::kTimeout, ErrorCode::kInvalidRequest,
        ErrorCode::kConflict, ErrorCode::kInternal}) {
    Facts list = Healthy();
    list.actions[0].error = Error(code, "no");
    EXPECT_EQ(Trouble(list).size(), 1U) << NameOf(code);

    if (code == ErrorCode::kThrottled) continue;  // STS has no budget of ours; its calls come again
    Facts identity = Healthy();
    identity.identity.reset();
    identity.identity_error = Error(code, "no");
    EXPECT_EQ(Trouble(identity).size(), 1U) << NameOf(code);

    Facts role = Healthy();
    role.credentials.reset();
    role.credentials_error = Error(code, "no").With("role_arn", "arn:aws:iam::1:role/x");
    EXPECT_EQ(Trouble(role).size(), 1U) << NameOf(code);
  }
}

TEST(JudgeTest, ARolesRevokedBaseKeyIsNamed) {
  Facts facts = Healthy();
  facts.credentials.reset();
  facts.credentials_error = Error(ErrorCode::kUnauthenticated, "no")
                                .With("aws_error", "InvalidClientTokenId")
                                .With("role_arn", "arn:aws:iam::1:role/x")
                                .With("access_key_id", "AKIABASE")
                                .With("base_source", "profile base");

  ASSERT_THAT(Trouble(facts), ElementsAre("PCW1105"));
  EXPECT_THAT(First(facts).message, HasSubstr("AKIABASE"));
  EXPECT_THAT(First(facts).message, HasSubstr("profile base"));
}

TEST(JudgeTest, ACertificateThatIsNotValidYetPointsAtTheClock) {
  Facts facts = Healthy();
  facts.endpoints[0] =
      Endpoint("partnercentral-selling", ProbeFailure::kCertificateExpired, "52.0.0.1");
  facts.endpoints[0].probe->detail = "SSL certificate problem: certificate is not yet valid";

  EXPECT_THAT(First(facts).message, HasSubstr("clock"));
}

TEST(JudgeTest, AProxyIsNotBlamedForAHostThatNoProxyNames) {
  Facts facts = Healthy();
  facts.endpoints[0] = Endpoint("partnercentral-selling", ProbeFailure::kTimeout, "52.0.0.1");
  facts.settings.environment = {{"HTTPS_PROXY", "proxy:3128"}, {"NO_PROXY", "x.com,.api.aws"}};

  EXPECT_THAT(Trouble(facts), ElementsAre("PCW1404"));
}

TEST(JudgeTest, DenialsThatNameARightAreMissingRightsWithTheStatement) {
  Facts facts = Healthy();
  facts.actions[1] = Tried("partnercentral:GetOpportunity",
                           Denied("User: x is not authorized to perform: "
                                  "partnercentral:GetOpportunity on resource: *"));

  ASSERT_THAT(Trouble(facts), ElementsAre("PCW1110"));
  EXPECT_EQ(First(facts).evidence[1].second,
            R"({"Effect":"Allow","Action":["partnercentral:GetOpportunity"],"Resource":"*",)"
            R"("Condition":{"StringEquals":{"partnercentral:Catalog":["AWS"]}}})");
}

TEST(JudgeTest, DenialsOfEverythingWithoutANameLookLikeAnUnlinkedAccount) {
  Facts facts = Healthy();
  for (ActionFacts& action : facts.actions)
    action.error = Denied("Unable to handle request due to access denied");

  EXPECT_THAT(Trouble(facts), ElementsAre("PCW1109"));
}

TEST(JudgeTest, ASpentDayNamesWhoSpentItAndWhenItFrees) {
  Facts facts = Healthy();
  facts.ledger->quota[0].used_24h = 95'000;
  facts.ledger->quota[0].left_24h = 5'000;
  facts.ledger->quota[0].full_again_at = "2026-11-25T10:00:00Z";
  facts.ledger->last_day = {{.quota_class = "read",
                             .operation = "GetOpportunity",
                             .spender = "sync opportunities full on b",
                             .calls = 94'000,
                             .throttled = 0,
                             .refused = 0,
                             .failed = 0}};

  ASSERT_THAT(Trouble(facts), ElementsAre("PCW1201"));
  EXPECT_THAT(First(facts).message, HasSubstr("2026-11-25T10:00:00Z"));
  EXPECT_THAT(First(facts).evidence.back().second, HasSubstr("on b"));
}

TEST(JudgeTest, AFewThrottlesAreAWarningAndMostAreAStorm) {
  Facts facts = Healthy();
  quota::SpentCalls spent{.quota_class = "read",
                          .operation = "GetOpportunity",
                          .spender = "sync",
                          .calls = 1000,
                          .throttled = 3,
                          .refused = 0,
                          .failed = 0};
  facts.ledger->last_hour = facts.ledger->last_quarter_hour = {spent};
  EXPECT_THAT(Trouble(facts), ElementsAre("PCW1202"));

  spent.throttled = 800;
  facts.ledger->last_hour = facts.ledger->last_quarter_hour = {spent};
  EXPECT_THAT(Trouble(facts), ElementsAre("PCW1208"));
}

TEST(JudgeTest, ListCallsThatFailAloneAskForSmallerPages) {
  Facts facts = Healthy();
  const quota::SpentCalls lists{.quota_class = "read",
                                .operation = "ListOpportunities",
                                .spender = "sync",
                                .calls = 6,
                                .throttled = 0,
                                .refused = 0,
                                .failed = 5};
  quota::SpentCalls details = lists;
  details.operation = "GetOpportunity";
  facts.ledger->last_hour = {lists, details};
  EXPECT_THAT(Trouble(facts), IsEmpty()) << "an outage is not the size of the pages";

  details.failed = 0;
  facts.ledger->last_hour = {lists, details};
  ASSERT_THAT(Trouble(facts), ElementsAre("PCW1205"));
  EXPECT_THAT(Steps(First(facts)), HasSubstr("batch_size: 50"));
}

TEST(JudgeTest, AnIntervalThatEatsTheDayIsNamedWithOneThatDoesNot) {
  Facts facts = Healthy();
  facts.settings.incremental_every = std::chrono::seconds(2);

  ASSERT_THAT(Trouble(facts), ElementsAre("PCW1207"));
  EXPECT_THAT(Steps(First(facts)), HasSubstr("incremental_every: 10s"));
}

TEST(JudgeTest, ASessionInTheEnvironmentThatEndsSoonIsAWarning) {
  Facts facts = Healthy();
  auto keys = std::make_shared<aws::Credentials>(*facts.credentials);
  keys->expires_at = kNow + std::chrono::minutes(20);
  facts.credentials = keys;
  EXPECT_THAT(Trouble(facts), ElementsAre("PCW1111"));

  keys = std::make_shared<aws::Credentials>(*keys);
  keys->source = "role arn:aws:iam::1:role/x (profile p)";
  facts.credentials = keys;
  EXPECT_THAT(Trouble(facts), IsEmpty()) << "pcw renews that one";
}

TEST(JudgeTest, ABrokenConfigurationIsAllThatCanBeSaid) {
  Facts facts;
  facts.config_error = Error(ErrorCode::kConfig, "2 problems:\na.yaml:1: x\na.yaml:2: y");

  ASSERT_THAT(Trouble(facts), ElementsAre("PCW1001"));
  EXPECT_EQ(First(facts).evidence.size(), 2U);
}

TEST(JudgeTest, WhatServeAloneWouldStumbleOverStandsBesideTheRest) {
  Facts facts = Healthy();
  facts.config_problems = {"server.listen: 0.0.0.0:1 is not a loopback address"};
  facts.unused_settings = {{"AWS_MAX_ATTEMPTS", "pcw retries by its own policy"}};

  ASSERT_THAT(Trouble(facts), ElementsAre("PCW1001"));
  EXPECT_EQ(First(facts).resource, "server.listen");
  const std::vector<Finding> all = Judge(facts);
  EXPECT_TRUE(std::any_of(all.begin(), all.end(), [](const Finding& finding) {
    return finding.def->code == "PCW1004" && finding.resource == "AWS_MAX_ATTEMPTS";
  }));
}

TEST(MakeReportTest, ASectionShowsItselfAndWhatBreaksIt) {
  Facts facts = Healthy();
  facts.endpoints[0] = Endpoint("partnercentral-selling", ProbeFailure::kRefused, "52.0.0.1");
  const Section wanted[] = {Section::kAuth};

  const Report report = MakeReport(facts, wanted, DefaultEscalation());

  EXPECT_EQ(report.findings.front().def->code, "PCW1403");
  EXPECT_THAT(report.verdict, HasSubstr("call: SRE"));
  EXPECT_EQ(MakeReport(Healthy(), wanted, DefaultEscalation()).verdict, "healthy: nothing to do");
}

TEST(MakeReportTest, ASectionThatCouldNotBeJudgedSaysWhy) {
  Facts facts = Healthy();
  facts.ledger.reset();
  facts.credentials_error = Error(ErrorCode::kUnauthenticated, "no AWS credentials: x");
  facts.credentials.reset();
  facts.identity.reset();
  const Section wanted[] = {Section::kRateLimits};

  EXPECT_EQ(MakeReport(facts, wanted, DefaultEscalation()).findings.front().def->code, "PCW1101");
}

TEST(FormatReportTest, ForgesNoLines) {
  Facts facts = Healthy();
  facts.database_error = Error(ErrorCode::kUnavailable, "down\nINFO [PCW0000] (x) \x1b[31mforged");
  facts.endpoints[0].probe->certificate =
      net::PeerCertificate{.subject = "",
                           .issuer = "x\nINFO [PCW0000]\xc2\x9b",
                           .names = "",
                           .not_after = "",
                           .expires_at = {}};
  const EscalationMatrix matrix = DefaultEscalation();

  const std::string text = FormatReport(MakeReport(facts, {}, matrix), matrix);

  EXPECT_EQ(text.find("\nINFO [PCW0000]"), std::string::npos);
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
}

TEST(CatalogueTest, EveryCodeIsUniqueWellFormedAndSaysCauseAndFix) {
  std::set<std::string_view> codes;
  for (const FindingDef& def : Catalogue()) {
    EXPECT_TRUE(codes.insert(def.code).second) << def.code;
    EXPECT_EQ(def.code.substr(0, 3), "PCW");
    EXPECT_EQ(def.code.size(), 7U);
    EXPECT_TRUE(def.cause.ends_with('.')) << def.code;
    EXPECT_TRUE(def.fix.ends_with('.')) << def.code;
  }
}

TEST(JudgeBronzeTest, EachTroubleOfTheLakeHasItsCode) {
  const std::vector<std::pair<ErrorCode, std::string>> cases{
      {ErrorCode::kUnavailable, "PCW3201"},
      {ErrorCode::kTimeout, "PCW3201"},
      {ErrorCode::kNotFound, "PCW3202"},
      {ErrorCode::kPermissionDenied, "PCW3203"},
      {ErrorCode::kConfig, "PCW3204"}};
  for (const auto& [code, expected] : cases) {
    Facts facts = Healthy();
    facts.bronze = Lake();
    facts.bronze.error = Error(code, "no");
    EXPECT_THAT(Trouble(facts), ElementsAre(expected));
  }
}

TEST(JudgeBronzeTest, WithoutCredentialsTheLakeIsNotTheCause) {
  Facts facts = Healthy();
  facts.credentials = nullptr;
  facts.credentials_error = Error(ErrorCode::kNotFound, "no credentials");
  facts.bronze = Lake();
  facts.bronze.error = Error(ErrorCode::kNotFound, "no credentials");

  EXPECT_THAT(JudgeBronze(facts), IsEmpty());
}

TEST(JudgeBronzeTest, MissingObjectsAreAnErrorAndOrphansWorthKnowing) {
  Facts facts = Healthy();
  facts.bronze = Lake();
  facts.bronze.missing = {"a", "b", "c", "d"};
  facts.bronze.orphans = {"bronze/x/run-1/"};

  const auto findings = JudgeBronze(facts);

  EXPECT_THAT(Trouble(facts), ElementsAre("PCW3205"));
  ASSERT_EQ(findings.size(), 2U);
  EXPECT_EQ(findings[0].evidence.back().second, "and 1 more");
  EXPECT_EQ(findings[1].def->code, "PCW3206");
}

}  // namespace
}  // namespace pcw::diagnose
