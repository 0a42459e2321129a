#include "pcw/sync/denials.h"

#include <gtest/gtest.h>

namespace pcw::sync {
namespace {

const connector::SourceDef& Profiles() { return connector::Profiles().sources.front(); }

DeniedDetail Denied(const char* operation) {
  return {{.source = &Profiles(), .id = "p", .key = "p", .listed_version = "", .is_held = false},
          Error(ErrorCode::kPermissionDenied, "denied").With("operation", operation)};
}

TEST(DenialsTest, TwentyWithoutASuccessAreDecidedAtOnce) {
  Denials denials;
  for (int i = 1; i < 20; ++i) EXPECT_FALSE(denials.Add(Denied("GetPartner"))) << i;
  EXPECT_TRUE(denials.Add(Denied("GetPartner")));
  EXPECT_EQ(denials.Undecided(), std::vector<std::string>{"GetPartner"});
  EXPECT_EQ(denials.Take("GetPartner").size(), 20U);
  EXPECT_TRUE(denials.Undecided().empty());
}

TEST(DenialsTest, EachOperationIsWeighedByItself) {
  Denials denials;
  denials.NoteSuccess("GetPartner");
  denials.Add(Denied("GetProfileVisibility"));

  EXPECT_TRUE(denials.Works("GetPartner"));
  EXPECT_FALSE(denials.Works("GetProfileVisibility"));
  EXPECT_EQ(denials.Undecided(), std::vector<std::string>{"GetProfileVisibility"});
  denials.NoteSuccess("GetProfileVisibility");
  EXPECT_TRUE(denials.Works("GetProfileVisibility"));
}

TEST(DenialsTest, AnErrorWithoutAnOperationIsTheDetailCalls) {
  const DeniedDetail denied = Denied("something else");
  EXPECT_EQ(OperationOf(denied.task, denied.error), "GetPartner");
}

}  // namespace
}  // namespace pcw::sync
