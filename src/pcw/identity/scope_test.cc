#include "pcw/identity/scope.h"

#include <gmock/gmock.h>

#include "fakes/result_matchers.h"

namespace pcw::identity {
namespace {

using ::testing::HasSubstr;

TEST(ScopeTest, EveryScopeIsFoundByItsName) {
  for (const ScopeDef& def : AllScopes()) {
    const auto found = ParseScope(def.name);
    ASSERT_THAT(found, Succeeds());
    EXPECT_EQ(*found, def.scope);
    EXPECT_EQ(NameOf(def.scope), def.name);
  }
}

TEST(ScopeTest, AMisspeltScopeNamesTheNearest) {
  const auto found = ParseScope("sync:runs");
  ASSERT_THAT(found, FailsWith(ErrorCode::kInvalidRequest));
  EXPECT_THAT(found.error().message(), HasSubstr("did you mean sync:run?"));
}

TEST(ScopeTest, AdminAllowsEverythingAndOthersOnlyThemselves) {
  for (const ScopeDef& def : AllScopes()) {
    EXPECT_TRUE(ScopeSet{Scope::kAdmin}.Allows(def.scope)) << def.name;
    EXPECT_EQ(ScopeSet{Scope::kRunsRead}.Allows(def.scope), def.scope == Scope::kRunsRead)
        << def.name;
    EXPECT_FALSE(ScopeSet{}.Allows(def.scope)) << def.name;
  }
}

TEST(ScopeTest, SetsSurviveTheDatabaseAndUnknownNamesAllowNothing) {
  const ScopeSet set{Scope::kSyncRun, Scope::kDlqRead};
  EXPECT_EQ(ScopesToArray(set), "{sync:run,dlq:read}");
  EXPECT_EQ(ScopesFromArray("{sync:run,future:thing,dlq:read}").Names(), set.Names());
  EXPECT_TRUE(ScopesFromArray("{}").empty());
  EXPECT_TRUE(ScopesFromArray("").empty());
}

}  // namespace
}  // namespace pcw::identity
