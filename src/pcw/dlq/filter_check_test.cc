#include "pcw/dlq/filter_check.h"

#include <gmock/gmock.h>

#include "fakes/result_matchers.h"

namespace pcw::dlq {
namespace {

using namespace std::literals;

TEST(FilterCheckTest, AnIdIsWrittenFromItsStartWithItsDashes) {
  for (const auto text : {"01a2b3c4"sv, "01a2b3c4-"sv, "01a2b3c4-d5e6-7f80"sv,
                          "01a2b3c4-d5e6-7f80-9182-a3b4c5d6e7f8"sv})
    EXPECT_TRUE(IsUuidStart(text)) << text;
  for (const auto text : {""sv, "01"sv, "01a2b3c"sv, "01a2b3c4d"sv, "01A2B3C4"sv, "--------"sv,
                          "01a2b3c%"sv, "01a2b3c_"sv, "01a2b3c4\0"sv,
                          "\0"
                          "1a2b3c4"sv,
                          "01a2b3c4-d5e6-7f80-9182-a3b4c5d6e7f80"sv})
    EXPECT_FALSE(IsUuidStart(text)) << text;
}

TEST(FilterCheckTest, NothingPassesThatMatchesMoreThanItShows) {
  const auto is_refused = [](std::string DeadLetterFilter::*member, std::string_view value) {
    DeadLetterFilter filter;
    filter.*member = value;
    const Status checked = CheckFilter(filter);
    return !checked && checked.error().code() == ErrorCode::kInvalidRequest;
  };
  std::string DeadLetterFilter::*const members[] = {
      &DeadLetterFilter::id,     &DeadLetterFilter::run_id, &DeadLetterFilter::group,
      &DeadLetterFilter::entity, &DeadLetterFilter::cause,  &DeadLetterFilter::since,
      &DeadLetterFilter::until,  &DeadLetterFilter::stage,  &DeadLetterFilter::state};
  for (const auto member : members) {
    for (const auto value :
         {"%"sv, "_%"sv, "\0ffff"sv, "ffffff\0"sv, "ffffff%"sv, " "sv, "\n"sv, "' OR ''='"sv})
      EXPECT_TRUE(is_refused(member, value)) << value;
  }
  EXPECT_TRUE(is_refused(&DeadLetterFilter::run_id, "01"));
  EXPECT_TRUE(is_refused(&DeadLetterFilter::group, "3f"));
}

TEST(FilterCheckTest, WhatTheCommandsShowPasses) {
  DeadLetterFilter filter;
  EXPECT_THAT(CheckFilter(filter), Succeeds());
  filter.entity = "aws_summaries";
  filter.state = "";
  filter.run_id = "01a2b3c4";
  filter.cause = "schema_mismatch";
  filter.group = "3f2a90c1b7de";
  filter.since = "2026-11-20T08:00:00Z";
  filter.until = "2026-11-21T08:00:00.000000Z";
  filter.stage = "event";
  filter.id = "01a2b3c4-d5e6-7f80-9182-a3b4c5d6e7f8";
  EXPECT_THAT(CheckFilter(filter), Succeeds());
}

TEST(FilterCheckTest, AnEmptyFilterIsNeverAll) {
  DeadLetterFilter filter;
  EXPECT_FALSE(CheckSelection(filter, Meant::kFilter).has_value());
  EXPECT_THAT(CheckSelection(filter, Meant::kAll), Succeeds());
  filter.entity = "leads";
  EXPECT_THAT(CheckSelection(filter, Meant::kFilter), Succeeds());
  EXPECT_FALSE(CheckSelection(filter, Meant::kAll).has_value());
}

}  // namespace
}  // namespace pcw::dlq
