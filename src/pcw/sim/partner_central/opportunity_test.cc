#include "pcw/sim/partner_central/opportunity.h"

#include <set>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "fakes/result_matchers.h"
#include "pcw/base/json.h"
#include "pcw/base/time.h"
#include "pcw/sim/partner_central/words.h"

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
  for (std::uint64_t i = 0; i < 40; ++i) {
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
  for (std::uint64_t i = 0; i < 30; ++i) {
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

std::size_t CountOf(std::string_view text, std::string_view part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++count;
  return count;
}

TEST_F(OpportunityWriterTest, RecordsDifferInTheWaysThatMatter) {
  std::set<std::string_view> stages;
  std::set<std::string_view> reviews;
  std::set<std::size_t> spends;
  std::string all;
  for (std::uint64_t i = 0; i < 400; ++i) {
    const std::string body = writer.Body(Version(i));
    stages.insert(writer.Stage(Version(i)));
    reviews.insert(writer.ReviewStatus(Version(i)));
    spends.insert(CountOf(body, "\"Frequency\":\"Monthly\""));
    all += body;
  }

  EXPECT_EQ(stages.size(), words::Stages().size());
  EXPECT_EQ(reviews.size(), words::ReviewStatuses().size());
  EXPECT_THAT(spends, ::testing::ElementsAre(0, 1, 2));
  for (const auto* currency : {"USD", "EUR", "GBP", "JPY"}) EXPECT_GT(CountOf(all, currency), 0U);
  EXPECT_LT(CountOf(all, "\"Project\":"), 400U);
  EXPECT_LT(CountOf(all, "\"Customer\":"), 400U);
  EXPECT_GT(CountOf(all, "\\u"), 0U);
}

TEST_F(OpportunityWriterTest, TheTotalContractValueStandsAnywhereBesideItsDuration) {
  int totals = 0, totals_first = 0, months_first = 0, trailing_points = 0;
  for (std::uint64_t i = 0; i < 400; ++i) {
    const std::string body = writer.Body(Version(i));
    const auto total = body.find(R"("Frequency":"None","TargetCompany":"Self")");
    const auto monthly = body.find(R"("Frequency":"Monthly","TargetCompany":"AWS")");
    const bool has_total = total != std::string::npos;
    const bool is_told = body.find("\"Project\":") != std::string::npos;
    if (is_told) {
      EXPECT_EQ(has_total, body.find("ExpectedContractDuration") != std::string::npos) << body;
    }
    totals += has_total ? 1 : 0;
    totals_first += has_total && total < monthly ? 1 : 0;
    months_first += has_total && monthly < total ? 1 : 0;
    trailing_points += body.find(R"(.","CurrencyCode")") != std::string::npos ? 1 : 0;
    EXPECT_LE(CountOf(body, R"("TargetCompany":"Self")"), 1U);
    EXPECT_EQ(body, writer.Body(Version(i))) << "by the seed alone";
  }

  EXPECT_GT(totals, 50);
  EXPECT_GT(totals_first, 10);
  EXPECT_GT(months_first, 10);
  EXPECT_GT(trailing_points, 5);
}

}  // namespace
}  // namespace pcw::sim
