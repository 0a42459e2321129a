#include "pcw/base/error.h"

#include <gtest/gtest.h>

#include "pcw/base/result.h"

namespace pcw {
namespace {

TEST(ReactionOfTest, EveryCodeHasItsOwnRow) {
  for (std::size_t i = 0; i < kReactions.size(); ++i) {
    EXPECT_EQ(static_cast<std::size_t>(kReactions[i].code), i) << kReactions[i].name;
  }
  EXPECT_EQ(static_cast<std::size_t>(ErrorCode::kInternal) + 1, kReactions.size());
}

TEST(ErrorTest, InnerContextIsNotOverwritten) {
  Error error = Error(ErrorCode::kThrottled, "rate exceeded").With("operation", "GetOpportunity");

  error.With("operation", "outer").With("run_id", "r1");

  EXPECT_EQ(error.ToString(), "rate exceeded (operation=GetOpportunity, run_id=r1)");
}

TEST(ErrorTest, WhatCodeDecidesByStandsInTheTextToo) {
  const Error error = Error(ErrorCode::kThrottled, "spent")
                          .Because(Reason::kQuotaSpent)
                          .Because(Reason::kDrained)
                          .At(NetStep::kMalformed)
                          .As(ErrorMark::kPermanent)
                          .From(Origin::kDatabase)
                          .From(Origin::kAws);

  EXPECT_TRUE(error.Is(Reason::kQuotaSpent)) << "the inner one knows better";
  EXPECT_EQ(error.net_step(), NetStep::kMalformed);
  EXPECT_TRUE(error.Is(ErrorMark::kPermanent));
  EXPECT_FALSE(error.Is(ErrorMark::kUsage));
  EXPECT_EQ(error.origin(), Origin::kDatabase);
  EXPECT_EQ(error.ToString(), "spent (reason=quota_spent, net=malformed, permanent=true)");
}

TEST(ErrorTest, AnErrorToldOtherwiseKeepsAllElse) {
  const Error inner = Error(ErrorCode::kUnavailable, "TLS failed")
                          .At(NetStep::kTls)
                          .As(ErrorMark::kPermanent)
                          .From(Origin::kAws)
                          .With("bucket", "b");

  const Error told = inner.Retold(ErrorCode::kConfig, "the bucket's certificate is unknown");

  EXPECT_EQ(told.code(), ErrorCode::kConfig);
  EXPECT_EQ(told.ToString(),
            "the bucket's certificate is unknown (net=tls, permanent=true, bucket=b)");
  EXPECT_EQ(told.net_step(), NetStep::kTls);
  EXPECT_TRUE(told.Is(ErrorMark::kPermanent));
  EXPECT_EQ(told.origin(), Origin::kAws);
}

TEST(ErrorTest, NamesAreReadBack) {
  for (const Reaction& reaction : kReactions)
    EXPECT_EQ(ErrorCodeNamed(reaction.name), reaction.code) << reaction.name;
  EXPECT_EQ(ErrorCodeNamed("abandoned"), std::nullopt);
  for (int i = 0; i <= static_cast<int>(Reason::kEndlessEmptyPages); ++i) {
    const auto reason = static_cast<Reason>(i);
    EXPECT_EQ(ReasonNamed(NameOf(reason)), reason) << NameOf(reason);
  }
  EXPECT_EQ(ReasonNamed("listing_shrank"), std::nullopt);
}

Result<int> Half(int n) {
  if (n % 2 != 0) return Error(ErrorCode::kInvalidRequest, "odd");
  return n / 2;
}

Result<int> Quarter(int n) {
  PCW_TRY(const int half, Half(n));
  return Half(half);
}

TEST(ResultTest, TryReturnsTheInnerError) {
  EXPECT_EQ(*Quarter(8), 2);
  EXPECT_EQ(Quarter(6).error().message(), "odd");
  EXPECT_EQ(Half(4).and_then([](int n) { return Half(n); }).value_or(-1), 1);
  EXPECT_EQ(Half(3).transform([](int n) { return n + 1; }).value_or(-1), -1);
}

}  // namespace
}  // namespace pcw
