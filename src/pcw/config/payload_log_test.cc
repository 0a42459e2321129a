#include "pcw/config/payload_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/fake_http.h"
#include "fakes/fake_time.h"
#include "pcw/aws/partner_central_selling.h"
#include "pcw/aws/sts.h"

namespace pcw::config {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class PayloadLogTest : public ::testing::Test {
 protected:
  template <typename F>
  static std::string Written(F&& act) {
    testing::internal::CaptureStderr();
    act();
    return testing::internal::GetCapturedStderr();
  }

  FakeClock clock;
  PayloadLog log{clock};
};

TEST_F(PayloadLogTest, EndsByItselfAtItsTime) {
  const WallTime until = clock.Now() + std::chrono::minutes(10);
  EXPECT_FALSE(log.is_open());

  const std::string announced = Written([&] { log.Open(until, connector::Masking::kPii); });

  EXPECT_THAT(announced, HasSubstr("audit=payload_logging_opened"));
  EXPECT_TRUE(log.is_open());
  EXPECT_EQ(Written([&] { log.Open(until, connector::Masking::kPii); }), "") << "nothing new";
  clock.Advance(std::chrono::minutes(10));
  EXPECT_FALSE(log.is_open());
  EXPECT_THAT(Written([&] { log.Close(); }), HasSubstr("audit=payload_logging_closed"));
}

TEST_F(PayloadLogTest, ShowsBodiesMaskedAndNeverThoseOfSts) {
  const std::string line = Written([&] {
    log.OnExchange(aws::partner_central_selling::kGetOpportunity, R"({"Identifier":"O1"})",
                   net::Reply(200, R"({"Customer":{"Account":{"CompanyName":"Acme"}}})"));
  });
  EXPECT_THAT(line, HasSubstr(R"(request={"Identifier":"O1"})"));
  EXPECT_THAT(line, Not(HasSubstr("Acme")));

  EXPECT_EQ(Written([&] {
              log.OnExchange(aws::sts::kAssumeRole, "Action=AssumeRole",
                             net::Reply(200, "<SecretAccessKey>s</SecretAccessKey>"));
            }),
            "");
}

TEST_F(PayloadLogTest, ALargeBodyIsCutWithTheCountOfWhatIsLeftOut) {
  const std::string line = Written([&] {
    log.OnExchange(aws::partner_central_selling::kGetOpportunity, "{}",
                   net::Reply(200, R"({"x":")" + std::string(400'000, 'a') + R"("})"));
  });

  EXPECT_LT(line.size(), 300'000U);
  EXPECT_THAT(line, HasSubstr("bytes more)"));
}

}  // namespace
}  // namespace pcw::config
