#include "pcw/sim/opportunity.h"

#include <set>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "fakes/result_matchers.h"
#include "pcw/base/json.h"
#include "pcw/base/time.h"
#include "pcw/sim/words.h"

namespace pcw::sim {
namespace {

class OpportunityWriterTest : public ::testing::Test {
 protected:
  RecordVersion Version(std::uint64_t index, std::uint32_t revision = 0) const {
    return {index, revision, dataset.ModifiedAtRank(dataset.RankOf(index)),
            dataset.CreatedOf(index)};
  }

  const Dataset dataset{{.count = 1'000, .epoch = WallTime(std::chrono::hours(24 * 365 * 56))}};
  const OpportunityWriter writer{dataset, Catalog::kAws};
};

TEST_F(OpportunityWriterTest, BodiesAreJsonOfTheExpectedSizeWithTheRequiredMembers) {
  for (std::uint64_t i = 0; i < 200; ++i) {
    const std::string body = writer.Body(Version(i));

    const auto parsed = ParseJson(body);
    ASSERT_THAT(parsed, Succeeds()) << body;
    EXPECT_EQ((*parsed)["Id"], dataset.IdOf(i));
    EXPECT_EQ((*parsed)["Catalog"], "AWS");
    EXPECT_EQ((*parsed)["LastModifiedDate"], FormatRfc3339(Version(i).modified));
    EXPECT_TRUE(parsed->contains("CreatedDate"));
    EXPECT_TRUE((*parsed)["RelatedEntityIdentifiers"].is_object());
    EXPECT_GT(body.size(), 1'200U);
    EXPECT_LT(body.size(), 6'000U);
  }
}

TEST_F(OpportunityWriterTest, TheSameVersionAlwaysHasTheSameBytes) {
  EXPECT_EQ(writer.Body(Version(42)), writer.Body(Version(42)));
}

TEST_F(OpportunityWriterTest, ANewRevisionHasOtherContent) {
  RecordVersion revised = Version(42);
  revised.revision = 1;

  EXPECT_NE(writer.Body(Version(42)), writer.Body(revised));
}

TEST_F(OpportunityWriterTest, TheSummaryAgreesWithTheBody) {
  for (std::uint64_t i = 0; i < 100; ++i) {
    std::string text;
    writer.AppendSummary(text, Version(i, 3));
    const auto summary = ParseJson(text);
    const auto body = ParseJson(writer.Body(Version(i, 3)));
    ASSERT_THAT(summary, Succeeds()) << text;
    ASSERT_THAT(body, Succeeds());

    EXPECT_EQ((*summary)["Id"], (*body)["Id"]);
    EXPECT_EQ((*summary)["LastModifiedDate"], (*body)["LastModifiedDate"]);
    EXPECT_EQ((*summary)["LifeCycle"]["Stage"], (*body)["LifeCycle"]["Stage"]);
    EXPECT_EQ((*summary)["LifeCycle"]["Stage"], writer.Stage(Version(i, 3)));
    EXPECT_EQ((*summary)["LifeCycle"]["ReviewStatus"], writer.ReviewStatus(Version(i, 3)));
    EXPECT_EQ((*summary)["LifeCycle"]["TargetCloseDate"], writer.TargetCloseDate(Version(i, 3)));
  }
}

TEST_F(OpportunityWriterTest, RecordsDifferInTheWaysThatMatter) {
  std::set<std::string> stages;
  std::set<std::string> reviews;
  std::set<std::string> currencies;
  std::set<std::size_t> spends;
  int without_project = 0;
  int without_customer = 0;
  for (std::uint64_t i = 0; i < 400; ++i) {
    const auto body = ParseJson(writer.Body(Version(i)));
    ASSERT_THAT(body, Succeeds());
    stages.insert((*body)["LifeCycle"]["Stage"]);
    reviews.insert((*body)["LifeCycle"]["ReviewStatus"]);
    without_customer += body->contains("Customer") ? 0 : 1;
    without_project += body->contains("Project") ? 0 : 1;
    const auto spend = body->value("/Project/ExpectedCustomerSpend"_json_pointer, Json::array());
    spends.insert(spend.size());
    for (const Json& item : spend) currencies.insert(item["CurrencyCode"]);
  }

  EXPECT_EQ(stages.size(), words::Stages().size());
  EXPECT_EQ(reviews.size(), words::ReviewStatuses().size());
  EXPECT_THAT(currencies, ::testing::IsSupersetOf({"USD", "EUR", "GBP", "JPY"}));
  EXPECT_THAT(spends, ::testing::IsSupersetOf({0U, 1U, 2U, 3U}));
  EXPECT_GT(without_project, 0);
  EXPECT_GT(without_customer, 0);
}

}  // namespace
}  // namespace pcw::sim
