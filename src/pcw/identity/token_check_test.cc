#include "pcw/identity/token_check.h"

#include <gmock/gmock.h>

#include "fakes/fake_time.h"
#include "fakes/result_matchers.h"

namespace pcw::identity {
namespace {

using std::chrono::seconds;

class TokenCheckTest : public ::testing::Test {
 protected:
  TokenCheckTest() : token(MintToken(rng)), guess{token.id, MintToken(rng).secret} {}

  FoundToken Row(bool is_live = true) const {
    FoundToken row;
    row.tenant_id = "t";
    row.id = token.id;
    row.name = row.principal = "ann";
    row.scopes = {Scope::kRunsRead};
    row.secret_sha256 = HashOf(token);
    row.is_live = is_live;
    return row;
  }

  SystemRng rng;
  FakeClock clock;
  const Token token, guess;
  TokenCheck check{clock};
};

TEST_F(TokenCheckTest, ARightTokenIsBelievedForAWhile) {
  EXPECT_EQ(check.Judge(token), Recalled::kUnknown);
  ASSERT_THAT(check.Learn(token, Row(), clock.Steady()), Succeeds());
  EXPECT_EQ(check.Judge(token), Recalled::kRight);
  EXPECT_EQ(check.Recall(token)->name, "ann");
  clock.Advance(kTokenBelief);
  EXPECT_EQ(check.Judge(token), Recalled::kWasRight);
  EXPECT_FALSE(check.Recall(token).has_value());
}

TEST_F(TokenCheckTest, AGuessCostsOneLookUpAndItsOwnerNothing) {
  EXPECT_THAT(check.Learn(guess, Row(), clock.Steady()), FailsWith(ErrorCode::kUnauthenticated));

  EXPECT_EQ(check.Judge(guess), Recalled::kWrong) << "further guesses are told from memory";
  EXPECT_EQ(check.Judge(token), Recalled::kRight) << "the owner needs no look-up at all";
  clock.Advance(seconds(3'600));
  EXPECT_EQ(check.Judge(guess), Recalled::kWrong);
  EXPECT_EQ(check.Judge(token), Recalled::kWasRight);
}

TEST_F(TokenCheckTest, ATokenThatIsNotInForceIsWrongUntilTheNextLook) {
  ASSERT_THAT(check.Learn(token, Row(), clock.Steady()), Succeeds());
  EXPECT_THAT(check.Learn(token, Row(false), clock.Steady()),
              FailsWith(ErrorCode::kUnauthenticated));
  EXPECT_EQ(check.Judge(token), Recalled::kWrong);
  clock.Advance(kTokenBelief);
  EXPECT_EQ(check.Judge(token), Recalled::kWasRight) << "it may begin to be in force";
}

TEST_F(TokenCheckTest, BeliefEndsWithTheToken) {
  FoundToken row = Row();
  row.lives = seconds(1);
  ASSERT_THAT(check.Learn(token, row, clock.Steady()), Succeeds());
  clock.Advance(seconds(1));
  EXPECT_FALSE(check.Recall(token).has_value());
}

TEST_F(TokenCheckTest, IdsThatDoNotExistAreNotKept) {
  EXPECT_THAT(check.Learn(guess, std::nullopt, clock.Steady()),
              FailsWith(ErrorCode::kUnauthenticated));
  EXPECT_EQ(check.Judge(guess), Recalled::kUnknown);
}

}  // namespace
}  // namespace pcw::identity
