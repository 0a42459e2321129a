#include "pcw/events/event_message.h"

#include <fstream>
#include <sstream>

#include <gmock/gmock.h>

#include "fakes/result_matchers.h"

namespace pcw::events {
namespace {

// AWS's published examples.
std::string SampleEvent(const std::string& name) {
  const std::ifstream file(std::string(PCW_SOURCE_DIR "/tests/fixtures/eventbridge/") + name +
                           ".json");
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

const std::vector<const connector::EntityDef*>& EveryEntity() {
  static const std::vector<const connector::EntityDef*> all(connector::AllEntities().begin(),
                                                            connector::AllEntities().end());
  return all;
}

struct EventCase {
  const char* sample;
  Disposition disposition;
  const char* entity = "";
  const char* operation = "";
  const char* record_key = "";
  const char* detail_key = "";
};

class EventMessageTest : public ::testing::TestWithParam<EventCase> {};

TEST_P(EventMessageTest, NamesTheRecordAndTheCallThatTellsMostOfIt) {
  const EventCase& expected = GetParam();

  const auto event = ReadEvent(SampleEvent(expected.sample));
  ASSERT_THAT(event, Succeeds());
  const auto meaning = Interpret(*event, "AWS", EveryEntity());

  ASSERT_THAT(meaning, Succeeds());
  EXPECT_EQ(meaning->disposition, expected.disposition);
  ASSERT_EQ(meaning->records.empty(), std::string(expected.entity).empty());
  if (meaning->records.empty()) return;
  const NamedRecord& record = meaning->records.front();
  EXPECT_EQ(record.entity->name, expected.entity);
  EXPECT_EQ(record.source->detail->name, expected.operation);
  EXPECT_EQ(record.record_key, expected.record_key);
  EXPECT_EQ(record.detail_key, expected.detail_key);
}

INSTANTIATE_TEST_SUITE_P(
    Samples, EventMessageTest,
    ::testing::Values(
        EventCase{"opportunity-created", Disposition::kFetch, "opportunities", "GetOpportunity",
                  "O1000234599", "O1000234599"},
        EventCase{"opportunity-updated", Disposition::kFetch, "opportunities", "GetOpportunity",
                  "O1000234567", "O1000234567"},
        EventCase{"engagement-created", Disposition::kFetch, "leads", "GetEngagement",
                  "eng-xhyvbgfeme4xh4", "eng-xhyvbgfeme4xh4"},
        EventCase{"engagement-updated", Disposition::kFetch, "leads", "GetEngagement",
                  "eng-xhyvbgfeme4xh4", "eng-xhyvbgfeme4xh4"},
        EventCase{"engagement-invitation-created.lead", Disposition::kFetch, "leads",
                  "GetEngagementInvitation", "eng-xhyvbgfeme4xh4", "engi-5x2rtvhpgoy1z"},
        EventCase{"engagement-invitation-accepted", Disposition::kFetch, "leads", "GetEngagement",
                  "eng-xhyvbgfeme4xh4", "eng-xhyvbgfeme4xh4"},
        EventCase{"engagement-invitation-rejected", Disposition::kFetch, "leads",
                  "GetEngagementInvitation", "eng-xhyvbgfeme4xh4", "engi-5x2rtvhpgoy1z"},
        EventCase{"engagement-invitation-expired", Disposition::kFetch, "leads",
                  "GetEngagementInvitation", "eng-xhyvbgfeme4xh4", "engi-5x2rtvhpgoy1z"},
        EventCase{"engagement-member-added", Disposition::kNothing},
        EventCase{"engagement-resource-snapshot-created", Disposition::kNothing}));

std::string Envelope(const std::string& detail_type, const std::string& detail) {
  return R"({"id":"e1","source":"aws.partnercentral-selling","time":"2026-11-23T09:31:12Z",)"
         R"("detail-type":")" +
         detail_type + R"(","detail":)" + detail + "}";
}

Result<Meaning> MeaningOf(const std::string& detail_type, const std::string& detail) {
  PCW_TRY(const PartnerEvent event, ReadEvent(Envelope(detail_type, detail)));
  return Interpret(event, "AWS", EveryEntity());
}

TEST(InterpretTest, AnOpportunityBringsAwssOwnViewWhereThatIsConfigured) {
  const auto event = ReadEvent(SampleEvent("opportunity-updated"));
  ASSERT_THAT(event, Succeeds());

  const auto all = Interpret(*event, "AWS", EveryEntity());
  ASSERT_THAT(all, Succeeds());
  ASSERT_EQ(all->records.size(), 2U);
  EXPECT_EQ(all->records[1].entity->name, "aws_summaries");
  EXPECT_EQ(all->records[1].source->detail->name, "GetAwsOpportunitySummary");

  const std::vector<const connector::EntityDef*> few{&connector::Leads()};
  const auto none = Interpret(*event, "AWS", few);
  ASSERT_THAT(none, Succeeds());
  EXPECT_EQ(none->disposition, Disposition::kNothing);
}

TEST(InterpretTest, AnotherCatalogIsLeftAlone) {
  const auto event = ReadEvent(SampleEvent("opportunity-updated"));
  ASSERT_THAT(event, Succeeds());
  const auto meaning = Interpret(*event, "Sandbox", EveryEntity());
  ASSERT_THAT(meaning, Succeeds());
  EXPECT_EQ(meaning->disposition, Disposition::kOtherCatalog);
}

TEST(InterpretTest, EngagementsWithoutALeadAndOthersInvitationsAreNoLeads) {
  for (
      const auto& [type, detail] : std::vector<std::pair<std::string, std::string>>{
          {"Engagement Updated",
           R"({"catalog":"AWS","engagement":{"engagementId":"eng-1","ContextTypes":["CustomerProject"]}})"},
          {"Engagement Updated", R"({"catalog":"AWS","engagement":{"engagementId":"eng-1"}})"},
          {"Engagement Invitation Created",
           R"({"catalog":"AWS","engagementInvitation":{"id":"engi-1","engagementId":"eng-1","participantType":"Receiver","payloadType":"OpportunityInvitation"}})"},
          {"Engagement Invitation Created",
           R"({"catalog":"AWS","engagementInvitation":{"id":"engi-1","engagementId":"eng-1","participantType":"Sender","payloadType":"LeadInvitation"}})"}}) {
    const auto meaning = MeaningOf(type, detail);
    ASSERT_THAT(meaning, Succeeds()) << detail;
    EXPECT_EQ(meaning->disposition, Disposition::kNothing) << detail;
  }
}

TEST(InterpretTest, AnInvitationWithoutAnEngagementIsKnownByItsOwnId) {
  const auto meaning = MeaningOf(
      "Engagement Invitation Created",
      R"({"catalog":"AWS","engagementInvitation":{"id":"engi-1","participantType":"RECEIVER","payloadType":"LeadInvitation"}})");
  ASSERT_THAT(meaning, Succeeds());
  ASSERT_EQ(meaning->records.size(), 1U);
  EXPECT_EQ(meaning->records[0].record_key, "engi-1");
}

TEST(InterpretTest, UnknownKindsAndSourcesAreNoMistake) {
  const auto kind = MeaningOf("Opportunity Sang", R"({"catalog":"AWS"})");
  ASSERT_THAT(kind, Succeeds());
  EXPECT_EQ(kind->disposition, Disposition::kUnknown);

  const auto event = ReadEvent(
      R"({"id":"e1","source":"aws.partnercentral-account","time":"2026-11-23T09:31:12Z","detail-type":"Partner Connection Cancelled","detail":{}})");
  ASSERT_THAT(event, Succeeds());
  const auto other = Interpret(*event, "AWS", EveryEntity());
  ASSERT_THAT(other, Succeeds());
  EXPECT_EQ(other->disposition, Disposition::kUnknown);
}

TEST(ReadEventTest, WhatIsNoEventIsRefusedWithItsPlace) {
  for (
      const std::string body :
      {"", "hello", "[]", "{}", R"({"id":1})", R"({"id":""})", R"({"id":"a\u0000b"})",
       R"({"id":"e","source":"s","detail-type":"t","time":"yesterday","detail":{}})",
       R"({"id":"e","source":"s","detail-type":"t","time":"2026-11-23T09:31:12Z","detail":[]})",
       R"({"id":"e","source":"aws.partnercentral-selling","detail-type":"t","time":"2026-11-23T09:31:12Z","detail":{}})"}) {
    EXPECT_THAT(ReadEvent(body), FailsWith(ErrorCode::kSchemaMismatch)) << body;
  }
}

TEST(ReadEventTest, AnIdThatIsMissingOrNoneIsRefusedWithItsPointer) {
  for (const std::string detail :
       {R"({"catalog":"AWS"})", R"({"catalog":"AWS","opportunity":{}})",
        R"({"catalog":"AWS","opportunity":{"identifier":7}})",
        R"({"catalog":"AWS","opportunity":{"identifier":"O1\",\"x\":\""}})",
        R"({"catalog":"AWS","opportunity":{"identifier":"../secrets"}})"}) {
    const auto meaning = MeaningOf("Opportunity Updated", detail);
    ASSERT_THAT(meaning, FailsWith(ErrorCode::kSchemaMismatch)) << detail;
    EXPECT_TRUE(meaning.error().Find("pointer").value_or("").starts_with("/detail/opportunity"))
        << detail;
  }
}

}  // namespace
}  // namespace pcw::events
