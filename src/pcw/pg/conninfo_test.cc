#include "pcw/pg/conninfo.h"

#include <gtest/gtest.h>

#include "fakes/result_matchers.h"

namespace pcw::pg {
namespace {

TEST(SummarizeConninfoTest, FindsAPasswordWhereverLibpqTakesOneFrom) {
  for (const char* url :
       {"postgresql://u:s3cret@h/d", "postgres://u:s3cret@h:5433/d", "host=h password=s3cret",
        "host = h password = s3cret", "postgresql://u@h/d?password=s3cret",
        "postgresql://u@h/d?pass%77ord=s3cret", "postgresql://u@h/d?sslpassword=s3cret",
        "host=h password='s3cret x'"}) {
    const auto summary = SummarizeConninfo(url);
    ASSERT_THAT(summary, Succeeds()) << url;
    EXPECT_TRUE(summary->has_password) << url;
    EXPECT_EQ(summary->shown.find("s3cret"), std::string::npos) << summary->shown;
  }
  EXPECT_EQ(SummarizeConninfo("postgres://u:s3cret@h:5433/d")->shown,
            "postgresql://u:****@h:5433/d");
  EXPECT_FALSE(SummarizeConninfo("postgresql://u@h/d")->has_password);
  EXPECT_EQ(SummarizeConninfo("host=/tmp user=u")->shown, "postgresql://u@/tmp");
}

TEST(SummarizeConninfoTest, WhatLibpqCannotReadIsNotRepeated) {
  for (const char* url : {"postgresql://u:s3cret%zz@h", "s3cret", "host=h pasword=s3cret",
                          "postgresql://u:a/s3cret@h/d", "postgresql://u:a@s3cret@h/d"}) {
    const auto summary = SummarizeConninfo(url);
    ASSERT_THAT(summary, FailsWith(ErrorCode::kConfig)) << url;
    EXPECT_EQ(summary.error().message().find("s3cret"), std::string::npos);
  }
}

TEST(SummarizeConninfoTest, TheAddressIsShownWhereThereIsNoHost) {
  EXPECT_EQ(SummarizeConninfo("hostaddr=10.0.0.1 port=5433 dbname=d")->shown,
            "postgresql://10.0.0.1:5433/d");
}

TEST(SummarizeConninfoTest, TheHostIsShownBeforeItsAddress) {
  EXPECT_EQ(SummarizeConninfo("host=h hostaddr=10.0.0.1")->shown, "postgresql://h");
}

TEST(SummarizeConninfoTest, AKeysPasswordIsAPasswordAndNotTheLogins) {
  const auto summary = SummarizeConninfo("host=h user=u sslpassword=s3cret");
  EXPECT_TRUE(summary->has_password);
  EXPECT_EQ(summary->shown, "postgresql://u@h");
}

TEST(SummarizeConninfoTest, APasswordWithoutAUserIsShownAsOne) {
  EXPECT_EQ(SummarizeConninfo("host=h password=s3cret")->shown, "postgresql://:****@h");
}

TEST(SummarizeConninfoTest, SeveralHostsAndPortsAreTaken) {
  EXPECT_EQ(SummarizeConninfo("postgresql://a:1,b:2/d")->shown, "postgresql://a,b:1,2/d");
}

TEST(SummarizeConninfoTest, AnAtSignInAKeyValueStringIsWhatItSays) {
  EXPECT_EQ(SummarizeConninfo("host=h dbname=a@b")->shown, "postgresql://h/a@b");
}

TEST(ConninfoEnvironmentTest, EverySettingGoesToItsVariable) {
  const auto environment = ConninfoEnvironment("postgresql://u:s3cret@h:5433/d");
  ASSERT_THAT(environment, Succeeds());
  EXPECT_EQ(environment->at("PGHOST"), "h");
  EXPECT_EQ(environment->at("PGPORT"), "5433");
  EXPECT_EQ(environment->at("PGUSER"), "u");
  EXPECT_EQ(environment->at("PGPASSWORD"), "s3cret");
  EXPECT_EQ(environment->at("PGDATABASE"), "d");
}

TEST(ConninfoEnvironmentTest, WhatIsNotSetLeavesTheEnvironmentAlone) {
  EXPECT_FALSE(ConninfoEnvironment("host=h")->contains("PGPASSWORD"));
}

TEST(ConninfoEnvironmentTest, SettingsWithoutAVariableAreLeftOut) {
  EXPECT_EQ(ConninfoEnvironment("host=h keepalives=0")->size(),
            ConninfoEnvironment("host=h")->size());
}

TEST(ConninfoEnvironmentTest, WhatLibpqCannotReadIsRefused) {
  EXPECT_THAT(ConninfoEnvironment("host"), FailsWith(ErrorCode::kConfig));
}

}  // namespace
}  // namespace pcw::pg
