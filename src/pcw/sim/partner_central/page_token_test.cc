#include "pcw/sim/partner_central/page_token.h"

#include <gmock/gmock.h>

#include "fakes/result_matchers.h"

namespace pcw::sim {
namespace {

using namespace std::chrono_literals;

const WallTime kMintedAt{1'795'000'000s};
const SortKey kKey{123, "Łódź | 9", 77};

TEST(TokenMintTest, AKeyTokenLeadsBehindItsKey) {
  TokenMint mint(TokenStyle::kKeyset, 1, 1h);

  const auto read = mint.Read(mint.Make(kKey, 40, 5, kMintedAt), 5, kMintedAt);

  ASSERT_THAT(read, Succeeds());
  EXPECT_EQ(read->position.after, kKey);
  EXPECT_EQ(read->position.skip, 0U);
}

TEST(TokenMintTest, AnOffsetTokenLeadsBehindItsCount) {
  TokenMint mint(TokenStyle::kOffset, 1, 1h);

  const auto read = mint.Read(mint.Make(kKey, 40, 5, kMintedAt), 5, kMintedAt);

  ASSERT_THAT(read, Succeeds());
  EXPECT_EQ(read->position.after, std::nullopt);
  EXPECT_EQ(read->position.skip, 40U);
}

TEST(TokenMintTest, ATokenOfTheStartLeadsToTheStart) {
  TokenMint mint(TokenStyle::kKeyset, 1, 1h);

  const auto read = mint.Read(mint.Make(std::nullopt, 0, 5, kMintedAt), 5, kMintedAt);

  ASSERT_THAT(read, Succeeds());
  EXPECT_EQ(read->position.after, std::nullopt);
}

TEST(TokenMintTest, NoTwoTokensAreEqual) {
  TokenMint mint(TokenStyle::kKeyset, 1, 1h);

  EXPECT_NE(mint.Make(kKey, 40, 5, kMintedAt), mint.Make(kKey, 40, 5, kMintedAt));
}

TEST(TokenMintTest, RefusesOtherRequestsOldTokensAndAnythingElse) {
  TokenMint mint(TokenStyle::kKeyset, 1, 1h);
  const std::string token = mint.Make(kKey, 40, 5, kMintedAt);
  std::string bent = token;
  bent[10] = bent[10] == '3' ? '4' : '3';

  EXPECT_THAT(mint.Read(token, 6, kMintedAt), FailsWith(ErrorCode::kInvalidRequest));
  EXPECT_THAT(mint.Read(token, 5, kMintedAt + 61min), FailsWith(ErrorCode::kInvalidRequest));
  EXPECT_THAT(mint.Read(bent, 5, kMintedAt), FailsWith(ErrorCode::kInvalidRequest));
  EXPECT_THAT(mint.Read("", 5, kMintedAt), FailsWith(ErrorCode::kInvalidRequest));
  EXPECT_THAT(mint.Read("AAMA-zz", 5, kMintedAt), FailsWith(ErrorCode::kInvalidRequest));
  EXPECT_THAT(TokenMint(TokenStyle::kKeyset, 2, 1h).Read(token, 5, kMintedAt),
              FailsWith(ErrorCode::kInvalidRequest));
}

TEST(TokenMintTest, TokensOutliveARestartWithTheSameSeed) {
  TokenMint before(TokenStyle::kKeyset, 1, 1h);
  const TokenMint after(TokenStyle::kKeyset, 1, 1h);

  EXPECT_THAT(after.Read(before.Make(kKey, 40, 5, kMintedAt), 5, kMintedAt), Succeeds());
}

}  // namespace
}  // namespace pcw::sim
