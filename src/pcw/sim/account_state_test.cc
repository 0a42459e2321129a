#include "pcw/sim/account_state.h"

#include <thread>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "fakes/result_matchers.h"

namespace pcw::sim {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::vector<std::string> kKnownActions{"partnercentral:GetOpportunity", "sts:AssumeRole"};

AccountState StateOf(std::string_view text) {
  auto state = ParseAccountState(text, kKnownActions);
  EXPECT_THAT(state, Succeeds());
  return state ? std::move(*state) : AccountState{};
}

TEST(ParseAccountStateTest, AnEmptyObjectIsAnAccountThatMayDoEverything) {
  const AccountState state = StateOf("{}");

  EXPECT_TRUE(state.is_linked);
  EXPECT_THAT(state.denied_actions, IsEmpty());
  EXPECT_THAT(state.revoked_keys, IsEmpty());
  EXPECT_THAT(state.keys, IsEmpty());
}

TEST(ParseAccountStateTest, ReadsEveryMember) {
  const AccountState state = StateOf(
      R"({"linked":false,"denied_actions":["sts:AssumeRole"],"revoked_keys":["ASIA000000000001"],
          "keys":[{"access_key_id":"AKIA000000000001","secret_access_key":"s/+=",
                   "user":"rotation@pcw","account_id":"210987654321"}]})");

  EXPECT_FALSE(state.is_linked);
  EXPECT_THAT(state.denied_actions, ElementsAre("sts:AssumeRole"));
  EXPECT_THAT(state.revoked_keys, ElementsAre("ASIA000000000001"));
  ASSERT_EQ(state.keys.size(), 1U);
  EXPECT_EQ(state.keys[0].access_key_id, "AKIA000000000001");
  EXPECT_EQ(state.keys[0].secret, "s/+=");
  EXPECT_EQ(state.keys[0].user, "rotation@pcw");
  EXPECT_EQ(state.keys[0].account, "210987654321");
}

TEST(ParseAccountStateTest, AKeyIsTheDocumentedUsersUnlessItSaysOtherwise) {
  const AccountState state =
      StateOf(R"({"keys":[{"access_key_id":"AKIA000000000001","secret_access_key":"s"}]})");

  EXPECT_EQ(state.keys.at(0).user, "pcw-example");
  EXPECT_EQ(state.keys.at(0).account, "123456789012");
}

TEST(DescribeAccountStateTest, HasEveryMemberAndNoSecret) {
  const AccountState state = StateOf(
      R"({"denied_actions":["sts:AssumeRole"],"keys":[{"access_key_id":"AKIA000000000001","secret_access_key":"hush"}]})");

  EXPECT_EQ(
      DumpJson(DescribeAccountState(state)),
      R"({"linked":true,"denied_actions":["sts:AssumeRole"],"revoked_keys":[],)"
      R"("keys":[{"access_key_id":"AKIA000000000001","user":"pcw-example","account_id":"123456789012"}],"roles":[]})");
}

struct BadState {
  std::string text;
  std::string message;
};

class ParseAccountStateRefusalTest : public ::testing::TestWithParam<BadState> {};

TEST_P(ParseAccountStateRefusalTest, SaysWhereAndWhatWasExpected) {
  const auto state = ParseAccountState(GetParam().text, kKnownActions);

  ASSERT_THAT(state, FailsWith(ErrorCode::kInvalidRequest));
  EXPECT_THAT(state.error().message(), HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    Documents, ParseAccountStateRefusalTest,
    ::testing::Values(
        BadState{"[]", "expected an object"},
        BadState{R"({"linkd":true})", R"(unknown key "linkd"; did you mean "linked"?)"},
        BadState{
            R"({"colour":1})",
            R"(unknown key "colour"; known: linked, denied_actions, revoked_keys, keys, roles)"},
        BadState{R"({"roles":[{"arn":"Reader"}]})", R"(role 1: "arn": expected the ARN of a role)"},
        BadState{R"({"linked":"no"})", R"("linked": expected true or false)"},
        BadState{R"({"denied_actions":"sts:AssumeRole"})",
                 R"("denied_actions": expected a list of action names)"},
        BadState{R"({"denied_actions":[1]})", R"("denied_actions": expected strings)"},
        BadState{R"({"denied_actions":["partnercentral:GetOportunity"]})",
                 R"(did you mean "partnercentral:GetOpportunity"?)"},
        BadState{R"({"denied_actions":["sts:GetCallerIdentity"]})",
                 R"(known: partnercentral:GetOpportunity, sts:AssumeRole)"},
        BadState{R"({"revoked_keys":["AKIA-x"]})", R"("revoked_keys": expected AKIA or ASIA)"},
        BadState{R"({"keys":{}})", R"("keys": expected a list of objects)"},
        BadState{R"({"keys":[1]})", R"(key 1: expected an object)"},
        BadState{R"({"keys":[{"secret":"s"}]})",
                 R"(key 1: unknown key "secret"; known: access_key_id, secret_access_key)"},
        BadState{R"({"keys":[{"access_key_id":"AKIA000000000001"}]})",
                 R"(key 1: "secret_access_key": expected 1 to 128 printable characters)"},
        BadState{R"({"keys":[{"access_key_id":"ASIA000000000001","secret_access_key":"s"}]})",
                 R"(key 1: "access_key_id": expected AKIA and 12 to 124 more)"},
        BadState{R"({"keys":[{"access_key_id":"AKIAIOSFODNN7EXAMPLE","secret_access_key":"s"}]})",
                 R"(key 1: "access_key_id": expected one that is not there yet)"},
        BadState{
            R"({"keys":[{"access_key_id":"AKIA000000000001","secret_access_key":"s"},{"access_key_id":"AKIA000000000001","secret_access_key":"t"}]})",
            R"(key 2: "access_key_id": expected one that is not there yet)"},
        BadState{
            R"({"keys":[{"access_key_id":"AKIA000000000001","secret_access_key":"s","account_id":210987654321}]})",
            R"(key 1: "account_id": expected a string of 12 digits)"},
        BadState{
            R"({"keys":[{"access_key_id":"AKIA000000000001","secret_access_key":"s","user":"a b"}]})",
            R"(key 1: "user": expected 1 to 64 letters)"}));

TEST(AccountTest, IsReplacedAsAWhole) {
  Account account;
  const std::jthread writer([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      account.Replace({.is_linked = false, .denied_actions = {"sts:AssumeRole"}});
      account.Replace({});
    }
  });

  for (int i = 0; i < 1'000; ++i) {
    const auto state = account.state();
    ASSERT_EQ(state->is_linked, state->denied_actions.empty());
  }
}

}  // namespace
}  // namespace pcw::sim
