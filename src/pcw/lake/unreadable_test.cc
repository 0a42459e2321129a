#include "pcw/lake/unreadable.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pcw::lake {
namespace {

using ::testing::HasSubstr;

bool IsTheObjectsOwn(ErrorCode code) { return IsOfTheObject(Error(code, "x")); }

TEST(IsOfTheObjectTest, AnObjectThatIsGoneHoldsUpNoOther) {
  EXPECT_TRUE(IsTheObjectsOwn(ErrorCode::kNotFound));
}

TEST(IsOfTheObjectTest, AnObjectThatThisRoleMayNotReadHoldsUpNoOther) {
  EXPECT_TRUE(IsTheObjectsOwn(ErrorCode::kPermissionDenied));
}

TEST(IsOfTheObjectTest, AnArchivedObjectHoldsUpNoOther) {
  EXPECT_TRUE(IsTheObjectsOwn(ErrorCode::kInvalidRequest));
  EXPECT_TRUE(IsTheObjectsOwn(ErrorCode::kConflict));
}

TEST(IsOfTheObjectTest, ALakeOutOfReachEndsThePass) {
  EXPECT_FALSE(IsTheObjectsOwn(ErrorCode::kUnavailable));
  EXPECT_FALSE(IsTheObjectsOwn(ErrorCode::kTimeout));
}

TEST(IsOfTheObjectTest, AThrottledLakeEndsThePass) {
  EXPECT_FALSE(IsTheObjectsOwn(ErrorCode::kThrottled));
}

TEST(IsOfTheObjectTest, ExpiredCredentialsEndThePass) {
  EXPECT_FALSE(IsTheObjectsOwn(ErrorCode::kUnauthenticated));
}

TEST(IsOfTheObjectTest, AStopEndsThePass) { EXPECT_FALSE(IsTheObjectsOwn(ErrorCode::kCancelled)); }

TEST(WhyUnreadableTest, AListedObjectThatIsGoneWasDeletedSince) {
  EXPECT_THAT(WhyUnreadable(Error(ErrorCode::kNotFound, "404"), true), HasSubstr("gone since"));
}

TEST(WhyUnreadableTest, AnObjectThatOnlyTheManifestNamesIsMissing) {
  EXPECT_EQ(WhyUnreadable(Error(ErrorCode::kNotFound, "404"), false),
            "is in the manifest but not in the lake");
}

TEST(WhyUnreadableTest, AnyOtherFailureSpeaksForItself) {
  EXPECT_EQ(WhyUnreadable(Error(ErrorCode::kPermissionDenied, "the key is not ours"), true),
            "the key is not ours");
}

}  // namespace
}  // namespace pcw::lake
