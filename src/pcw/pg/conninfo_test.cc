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

}  // namespace
}  // namespace pcw::pg
