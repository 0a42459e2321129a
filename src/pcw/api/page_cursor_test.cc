#include "pcw/api/page_cursor.h"

#include <gmock/gmock.h>

#include "fakes/result_matchers.h"

namespace pcw::api {
namespace {

constexpr const char* kId = "019ab6d0-0000-7000-8000-000000000001";
const std::string kKey(32, 'k');

TEST(PageCursorTest, ACursorGivesItsIdBack) {
  const CursorScope scope{"tenant-a", "runs", "entity=leads"};
  for (const std::string id : {kId, "7", "922337203685477580"}) {
    const auto read = ReadCursor(kKey, scope, MakeCursor(kKey, scope, id));
    ASSERT_THAT(read, Succeeds());
    EXPECT_EQ(*read, id);
  }
}

TEST(PageCursorTest, ItBelongsToItsTenantListFiltersAndDatabase) {
  const CursorScope scope{"tenant-a", "runs", "entity=leads"};
  const std::string cursor = MakeCursor(kKey, scope, kId);
  for (const CursorScope& other :
       {CursorScope{"tenant-b", "runs", "entity=leads"},
        CursorScope{"tenant-a", "dlq", "entity=leads"}, CursorScope{"tenant-a", "runs", ""},
        CursorScope{"tenant-aruns", "", "entity=leads"}}) {
    EXPECT_THAT(ReadCursor(kKey, other, cursor), FailsWith(ErrorCode::kInvalidRequest));
  }
  EXPECT_THAT(ReadCursor(std::string(32, 'x'), scope, cursor),
              FailsWith(ErrorCode::kInvalidRequest));
}

TEST(PageCursorTest, EveryChangedCharacterIsRefused) {
  const CursorScope scope{"tenant-a", "runs", ""};
  const std::string cursor = MakeCursor(kKey, scope, kId);
  for (std::size_t i = 0; i < cursor.size(); ++i) {
    std::string changed = cursor;
    changed[i] = changed[i] == '0' ? '1' : '0';
    EXPECT_THAT(ReadCursor(kKey, scope, changed), FailsWith(ErrorCode::kInvalidRequest)) << i;
  }
  EXPECT_THAT(ReadCursor(kKey, scope, ""), FailsWith(ErrorCode::kInvalidRequest));
  EXPECT_THAT(ReadCursor(kKey, scope, cursor + "0"), FailsWith(ErrorCode::kInvalidRequest));
}

}  // namespace
}  // namespace pcw::api
