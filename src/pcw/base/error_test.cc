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
