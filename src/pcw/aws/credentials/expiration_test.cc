#include "pcw/aws/credentials/expiration.h"

#include <gtest/gtest.h>

#include "fakes/result_matchers.h"
#include "pcw/base/time.h"

namespace pcw::aws {
namespace {

TEST(ParseExpirationTest, TakesTheFormsThatCredentialProgramsPrint) {
  for (const char* text :
       {"2026-11-24T08:00:00Z", "2026-11-24T08:00:00.000Z", "2026-11-24T08:00:00+00:00",
        "2026-11-24T08:00:00+0000", "2026-11-24T10:00:00+0200", "2026-11-24T08:00Z",
        "2026-11-24T03:00-0500", "2026-11-24T08:00+00:00", "1795507200"}) {
    const auto time = ParseExpiration(text);
    ASSERT_THAT(time, Succeeds()) << text;
    EXPECT_EQ(FormatRfc3339(*time), "2026-11-24T08:00:00Z") << text;
  }
}

TEST(ParseExpirationTest, RefusesWhatIsNoTime) {
  for (const char* text : {"", "soon", "179550720", "17955072000", "2026-11-24", "2026-11-24T08",
                           "2026-11-24T08:00", "2026-11-24T08:00:00", "2026-11-24T08:00:00+00"})
    EXPECT_THAT(ParseExpiration(text), FailsWith(ErrorCode::kInvalidRequest)) << text;
}

}  // namespace
}  // namespace pcw::aws
