#include "pcw/sim/events/event_source.h"

#include <fstream>
#include <set>
#include <sstream>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "fakes/result_matchers.h"
#include "pcw/base/time.h"

namespace pcw::sim {
namespace {

Json SampleOf(const std::string& name) {
  const std::ifstream file(std::string(PCW_SOURCE_DIR "/tests/fixtures/eventbridge/") + name +
                           ".json");
  std::ostringstream text;
  text << file.rdbuf();
  return ParseJson(text.str()).value();
}

class EventSourceTest : public ::testing::Test {
 protected:
  EventSourceTest() {
    source.Connect([this](const std::string&, const std::string& body) {
      bodies.push_back(body);
      return true;
    });
  }
  void Emit(int count) {
    for (int i = 0; i < count; ++i)
      source.Emit(OpportunityEvent(false, Catalog::kAws, "O" + std::to_string(i)), now);
  }

  const WallTime now = ParseRfc3339("2026-11-23T09:31:12.750Z").value();
  EventSource source{EventRule{.is_enabled = true}};
  std::vector<std::string> bodies;
};

TEST_F(EventSourceTest, AnOpportunitysEventHasTheFormOfAwssExample) {
  source.Emit(OpportunityEvent(true, Catalog::kAws, "O1000234599"), now);

  ASSERT_EQ(bodies.size(), 1U);
  Json event = ParseJson(bodies[0]).value();
  Json sample = SampleOf("opportunity-created");
  EXPECT_EQ(event["id"].get<std::string>().size(), sample["id"].get<std::string>().size());
  for (const char* varies : {"id", "account"}) {
    event.erase(varies);
    sample.erase(varies);
  }
  EXPECT_EQ(event, sample);
}

TEST_F(EventSourceTest, WithoutARuleNothingIsSent) {
  source.Replace(EventRule{});
  Emit(3);
  EXPECT_THAT(bodies, ::testing::IsEmpty());
  EXPECT_EQ(source.totals().made, 0U);
}

TEST_F(EventSourceTest, DropsAndDuplicatesTheSharesItIsToldTo) {
  source.Replace(EventRule{.is_enabled = true, .drop = 0.2, .duplicate = 0.1});
  Emit(2000);

  const EventTotals totals = source.totals();
  EXPECT_EQ(totals.made, 2000U);
  EXPECT_NEAR(static_cast<double>(totals.dropped), 400, 60);
  EXPECT_NEAR(static_cast<double>(totals.duplicated), 160, 40);
  EXPECT_EQ(totals.delivered, 2000U - totals.dropped);
  EXPECT_EQ(bodies.size(), totals.delivered + totals.duplicated);
  std::set<std::string> ids;
  for (const std::string& body : bodies) ids.insert(ParseJson(body).value()["id"]);
  EXPECT_EQ(ids.size(), totals.delivered) << "a duplicate keeps its id";
}

TEST(ParseEventRuleTest, TakesKnownMembersInTheirBounds) {
  const auto rule =
      ParseEventRule(R"({"enabled":true,"queue":"q","drop":0.25,"duplicate":1,"seed":7})");
  ASSERT_THAT(rule, Succeeds());
  EXPECT_TRUE(rule->is_enabled);
  EXPECT_EQ(rule->queue, "q");
  EXPECT_DOUBLE_EQ(rule->drop, 0.25);
  EXPECT_DOUBLE_EQ(rule->duplicate, 1.0);
  EXPECT_EQ(rule->seed, 7U);
  for (const char* bad : {"[]", R"({"on":true})", R"({"drop":1.5})", R"({"drop":"x"})",
                          R"({"enabled":1})", R"({"seed":-1})", R"({"queue":7})"})
    EXPECT_THAT(ParseEventRule(bad), FailsWith(ErrorCode::kInvalidRequest)) << bad;
}

}  // namespace
}  // namespace pcw::sim
