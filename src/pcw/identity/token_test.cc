#include "pcw/identity/token.h"

#include <set>

#include <gmock/gmock.h>

namespace pcw::identity {
namespace {

using ::testing::MatchesRegex;

TEST(TokenTest, ATokenSurvivesItsText) {
  SystemRng rng;
  const Token token = MintToken(rng);
  const Secret text = FormatToken(token);

  EXPECT_THAT(std::string(text.Reveal()),
              MatchesRegex("pcw_[0-9a-f]{16}_[0-9a-f]{64}_[0-9a-f]{8}"));
  const auto parsed = ParseToken(text.Reveal());
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(parsed->id, token.id);
  EXPECT_EQ(parsed->secret.Reveal(), token.secret.Reveal());
}

TEST(TokenTest, NoTwoAreAlike) {
  SystemRng rng;
  std::set<std::string> ids, secrets;
  for (int i = 0; i < 1000; ++i) {
    const Token token = MintToken(rng);
    ids.insert(token.id);
    secrets.insert(std::string(token.secret.Reveal()));
  }
  EXPECT_EQ(ids.size(), 1000U);
  EXPECT_EQ(secrets.size(), 1000U);
}

TEST(TokenTest, EveryChangeOfOneCharacterIsRefused) {
  SystemRng rng;
  const std::string text(FormatToken(MintToken(rng)).Reveal());
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string changed = text;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    EXPECT_FALSE(ParseToken(changed).has_value()) << i;
    changed = text;
    if (changed[i] >= 'a' && changed[i] <= 'z') {
      changed[i] = static_cast<char>(changed[i] - 'a' + 'A');
      EXPECT_FALSE(ParseToken(changed).has_value()) << i;
    }
  }
}

TEST(TokenTest, WhatIsNearATokenIsNone) {
  SystemRng rng;
  const std::string text(FormatToken(MintToken(rng)).Reveal());
  for (const std::string& near :
       {std::string(), std::string("pcw_"), text + "\n", text + " ", " " + text, text + text,
        text.substr(1), text.substr(0, text.size() - 1), "ghp_" + text.substr(4)}) {
    EXPECT_FALSE(ParseToken(near).has_value()) << near.size();
  }
}

TEST(TokenTest, DigestsAreTheSameOnlyIfEveryByteIs) {
  const Sha256Digest digest = Sha256("a");
  EXPECT_TRUE(IsSameDigest(digest, Sha256("a")));
  for (std::size_t i = 0; i < digest.size(); ++i) {
    Sha256Digest other = digest;
    other[i] = static_cast<std::uint8_t>(other[i] ^ 0x80U);
    EXPECT_FALSE(IsSameDigest(digest, other)) << i;
  }
}

}  // namespace
}  // namespace pcw::identity
