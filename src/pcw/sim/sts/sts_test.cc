#include "pcw/sim/sts/sts.h"

#include <gmock/gmock.h>

#include "fakes/sim_service.h"

namespace pcw::sim {
namespace {

using namespace std::chrono_literals;
using net::server::Response;
using ::testing::HasSubstr;

class StsTest : public ServiceTest {
 protected:
  static constexpr auto kAssume =
      "Action=AssumeRole&RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2FReader"
      "&RoleSessionName=test&DurationSeconds=900";
  static constexpr auto kWebIdentity =
      "Action=AssumeRoleWithWebIdentity"
      "&RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2FReader&RoleSessionName=pod"
      "&DurationSeconds=900&WebIdentityToken=";

  Response Unsigned(const std::string& form) {
    return Plain(service->Handle({"POST",
                                  "/",
                                  {{"Content-Type", "application/x-www-form-urlencoded"}},
                                  form + "&Version=2011-06-15",
                                  "127.0.0.1"}));
  }
  static std::string Tag(const std::string& xml, const std::string& name) {
    const auto begin = xml.find("<" + name + ">") + name.size() + 2;
    return xml.substr(begin, xml.find("</" + name + ">") - begin);
  }
  /// GetOpportunity, signed by the session that an answer holds.
  Response ReadAs(const Response& assumed) {
    SignedParts parts = Parts("GetOpportunity", GetBody(1));
    parts.access_key_id = Tag(assumed.body, "AccessKeyId");
    parts.secret = Tag(assumed.body, "SecretAccessKey");
    parts.session_token = Tag(assumed.body, "SessionToken");
    return Send(parts);
  }
};

TEST_F(StsTest, SaysWhoCalls) {
  const Response response = Send(StsParts("Action=GetCallerIdentity"));

  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(Tag(response.body, "Account"), "123456789012");
  EXPECT_EQ(Tag(response.body, "Arn"), "arn:aws:iam::123456789012:user/pcw-example");
  EXPECT_THAT(response.body, testing::Not(HasSubstr("@REQUEST_ID@")));
}

TEST_F(StsTest, AKnownRoleAsksForItsOwnExternalId) {
  const auto state = ParseAccountState(
      R"({"roles":[{"arn":"arn:aws:iam::123456789012:role/Reader","external_id":"one"},
                   {"arn":"arn:aws:iam::123456789012:role/Writer","external_id":"two"}]})",
      {});
  ASSERT_THAT(state, Succeeds());
  service->account().Replace(*state);
  const auto assume = [&](std::string form) { return Send(StsParts(std::move(form))).status; };

  EXPECT_EQ(assume(kAssume), 403);
  EXPECT_EQ(assume(std::string(kAssume) + "&ExternalId=two"), 403);
  const Response assumed = Send(StsParts(std::string(kAssume) + "&ExternalId=one"));
  ASSERT_EQ(assumed.status, 200) << assumed.body;
  ASSERT_EQ(ReadAs(assumed).status, 200);
  std::vector<std::string> callers;
  service->ledger().ForEach(
      [&](const CallRecord& call) { callers.emplace_back(call.caller.data()); });
  EXPECT_EQ(callers.back(), "Reader");
  EXPECT_EQ(callers.front(), "pcw-example");
}

TEST_F(StsTest, AnAssumedSessionCanReadUntilItExpires) {
  const Response assumed = Send(StsParts(kAssume));
  ASSERT_EQ(assumed.status, 200) << assumed.body;

  EXPECT_EQ(ReadAs(assumed).status, 200);
  clock.Advance(900s);
  const Response expired = ReadAs(assumed);

  EXPECT_THAT(expired.body, HasSubstr("#ExpiredTokenException"));
  EXPECT_EQ(Tag(assumed.body, "Arn"), "arn:aws:sts::123456789012:assumed-role/Reader/test");
}

TEST_F(StsTest, RefusesBadRolesDurationsAndSignatures) {
  SignedParts wrong = StsParts("Action=GetCallerIdentity");
  wrong.secret = "x";

  EXPECT_THAT(Send(wrong).body, HasSubstr("<Code>SignatureDoesNotMatch</Code>"));
  EXPECT_THAT(Send(StsParts("Action=Nothing")).body, HasSubstr("<Code>InvalidAction</Code>"));
  EXPECT_THAT(Send(StsParts("Action=ListPartners")).body, HasSubstr("<Code>InvalidAction</Code>"));
  EXPECT_THAT(Send(StsParts("Action=AssumeRole&RoleSessionName=ab")).body,
              HasSubstr("<Code>ValidationError</Code>"));
  EXPECT_THAT(Send(StsParts(std::string(kAssume) + "0000")).body,
              HasSubstr("<Code>ValidationError</Code>"));
}

TEST_F(StsTest, ARoleOfAnotherAccountIsDeniedByTheCallersName) {
  const Response denied = Send(StsParts(
      "Action=AssumeRole&RoleSessionName=ab&RoleArn=arn:aws:iam::999999999999:role/Other"));

  EXPECT_EQ(denied.status, 403);
  EXPECT_EQ(Tag(denied.body, "Code"), "AccessDenied");
  EXPECT_EQ(Tag(denied.body, "Message"),
            "User: arn:aws:iam::123456789012:user/pcw-example is not authorized to perform: "
            "sts:AssumeRole on resource: arn:aws:iam::999999999999:role/Other");
}

TEST_F(StsTest, ADemandedExternalIdMustBeGiven) {
  Start({.external_id = "pcw-7"});

  EXPECT_EQ(Send(StsParts(kAssume)).status, 403);
  EXPECT_EQ(Send(StsParts(std::string(kAssume) + "&ExternalId=pcw-8")).status, 403);
  EXPECT_EQ(Send(StsParts(std::string(kAssume) + "&ExternalId=pcw-7")).status, 200);
}

TEST_F(StsTest, AWebIdentitySessionCanReadUntilItExpires) {
  const Response assumed = Unsigned(std::string(kWebIdentity) + "eyJh.eyJz.c2ln");
  ASSERT_EQ(assumed.status, 200) << assumed.body;
  EXPECT_EQ(LastCall().operation, Operation::kAssumeRoleWithWebIdentity);
  EXPECT_EQ(LastCall().outcome, Outcome::kOk);

  EXPECT_EQ(ReadAs(assumed).status, 200);
  clock.Advance(900s);

  EXPECT_THAT(ReadAs(assumed).body, HasSubstr("#ExpiredTokenException"));
  EXPECT_EQ(Tag(assumed.body, "Arn"), "arn:aws:sts::123456789012:assumed-role/Reader/pod");
  EXPECT_THAT(assumed.body, HasSubstr("<AssumeRoleWithWebIdentityResult>"));
}

TEST_F(StsTest, AWebIdentityRequestMaySignAsItLikes) {
  SignedParts parts = StsParts(std::string(kWebIdentity) + "eyJh.eyJz.c2ln");
  parts.secret = "wrong";

  EXPECT_EQ(Send(parts).status, 200);
}

TEST_F(StsTest, EachWebIdentityTokenHasASubjectOfItsOwn) {
  const auto subject = [&](const std::string& token) {
    return Tag(Unsigned(kWebIdentity + token).body, "SubjectFromWebIdentityToken");
  };

  EXPECT_EQ(subject("token-1"), subject("token-1"));
  EXPECT_NE(subject("token-1"), subject("token-2"));
  EXPECT_THAT(subject("token-1"), testing::StartsWith("subject-"));
}

TEST_F(StsTest, ExpiredAndInvalidWebIdentityTokensAreRefused) {
  const Response expired = Unsigned(std::string(kWebIdentity) + "expired");
  EXPECT_EQ(LastCall().outcome, Outcome::kUnauthenticated);
  const Response invalid = Unsigned(std::string(kWebIdentity) + "invalid");
  EXPECT_EQ(LastCall().outcome, Outcome::kUnauthenticated);

  EXPECT_EQ(expired.status, 400);
  EXPECT_EQ(Tag(expired.body, "Code"), "ExpiredTokenException");
  EXPECT_EQ(invalid.status, 400);
  EXPECT_EQ(Tag(invalid.body, "Code"), "InvalidIdentityToken");
}

TEST_F(StsTest, AnExpiredTokenFaultExpiresTheWebIdentity) {
  Faults(R"({"operation":"AssumeRoleWithWebIdentity","kind":"expired_token","at":[1]})");
  const auto reply = service->Handle({"POST",
                                      "/",
                                      {{"Content-Type", "application/x-www-form-urlencoded"}},
                                      std::string(kWebIdentity) + "abcd&Version=2011-06-15",
                                      ""});

  EXPECT_THAT(std::get<net::server::RawReply>(reply).bytes,
              HasSubstr("<Code>ExpiredTokenException</Code>"));
}

TEST_F(StsTest, WebIdentityRequestsAreCheckedAgainstTheModel) {
  const auto code = [&](const std::string& form) { return Tag(Unsigned(form).body, "Code"); };
  const std::string role = "&RoleSessionName=ab&RoleArn=arn:aws:iam::123456789012:role/Reader";
  const std::string action = "Action=AssumeRoleWithWebIdentity";

  EXPECT_EQ(code(action + role), "ValidationError");
  EXPECT_EQ(code(action + role + "&WebIdentityToken="), "ValidationError");
  EXPECT_EQ(code(action + role + "&WebIdentityToken=" + std::string(20'001, 't')),
            "ValidationError");
  EXPECT_EQ(code(action + role + "&WebIdentityToken=abcd&DurationSeconds=899"), "ValidationError");
  EXPECT_EQ(code(action + role + "&WebIdentityToken=abcd&RoleSessionName=ab"),
            "MalformedQueryString");
  EXPECT_EQ(code(action + "&WebIdentityToken=abcd&RoleSessionName=ab"
                          "&RoleArn=arn:aws:iam::999999999999:role/Other"),
            "AccessDenied");
}

}  // namespace
}  // namespace pcw::sim
