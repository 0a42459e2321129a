#include "pcw/wiring/escalation_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/result_matchers.h"

namespace pcw::wiring {
namespace {

using ::testing::HasSubstr;

TEST(ParseEscalationTest, ReplacesTheTeamsOfTheRowsItHas) {
  const auto matrix = ParseEscalation(
      "Performance: { first_responder: Night shift, escalation: Anna }\n", "e.yaml");

  ASSERT_THAT(matrix, Succeeds());
  EXPECT_EQ(OwnerOf(*matrix, diagnose::IssueType::kPerformance).first_responder, "Night shift");
  EXPECT_EQ(OwnerOf(*matrix, diagnose::IssueType::kIam).first_responder, "Platform team");
}

TEST(ParseEscalationTest, NamesThePlaceOfWhatItDoesNotKnow) {
  const std::pair<const char*, const char*> cases[] = {
      {"Perfomance: { first_responder: a }\n", "e.yaml:1:1 \"Perfomance\" is not known"},
      {"Performance: { responder: a }\n", "e.yaml:1:16 \"responder\" is not known"},
      {"Performance: nobody\n", "e.yaml:1:14 expected"},
      {"Performance: { first_responder: [a] }\n", "expected the name of a team"},
  };
  for (const auto& [yaml, expected] : cases) {
    const auto matrix = ParseEscalation(yaml, "e.yaml");
    ASSERT_THAT(matrix, FailsWith(ErrorCode::kConfig)) << yaml;
    EXPECT_THAT(matrix.error().message(), HasSubstr(expected)) << yaml;
  }
}

}  // namespace
}  // namespace pcw::wiring
