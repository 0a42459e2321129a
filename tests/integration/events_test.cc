// Events in PostgreSQL: requests that outlive what asked for them, verdicts, the outbox; against a
// real server.
#include <gmock/gmock.h>

#include "fakes/result_matchers.h"
#include "pcw/events/coverage.h"
#include "pcw/events/inbox.h"
#include "pcw/runs/fetch_requests.h"
#include "pcw/runs/run_request.h"
#include "pg_fixture.h"

namespace pcw {
namespace {

using std::chrono::milliseconds;

class EventsTest : public DatabaseTest {
 protected:
  EventsTest() : connection(OpenService()) {
    Ask("INSERT INTO connectors (tenant_id, kind, name, status) VALUES "
        "('00000000-0000-0000-0000-000000000001', 'partner_central', 'pc', 'enabled') RETURNING "
        "id");
    connector_id = std::stoll(Ask("SELECT id FROM connectors"));
    scope = {.tenant_id = "00000000-0000-0000-0000-000000000001",
             .connector_id = connector_id,
             .catalog = "AWS",
             .entities = {&connector::Opportunities(), &connector::Leads()},
             .queue_url = "https://sqs.us-east-1.amazonaws.com/1/q"};
  }

  std::string Event(const std::string& id, const std::string& opportunity,
                    const std::string& time = "2026-11-23T09:31:12Z") {
    return R"({"id":")" + id + R"(","source":"aws.partnercentral-selling","time":")" + time +
           R"(","detail-type":"Opportunity Updated","detail":{"catalog":"AWS","opportunity":{"identifier":")" +
           opportunity + R"("}}})";
  }
  events::RecordedEvent Record(const std::string& body) {
    auto recorded = events::RecordEvent(connection, scope, body, {});
    PCW_ASSERT(recorded.has_value());
    return std::move(*recorded);
  }
  std::vector<std::string> RequestRuns() {
    auto runs = runs::RequestFetches(connection, connector_id, "AWS", rng, clock, {});
    PCW_ASSERT(runs.has_value());
    return std::move(*runs);
  }
  runs::FetchScope Opportunities() const {
    return {.connector_id = connector_id, .entity = "opportunities", .catalog = "AWS"};
  }

  pg::Connection connection;
  std::int64_t connector_id = 0;
  events::InboxScope scope;
  SystemClock clock;
  SystemRng rng;
};

TEST_F(EventsTest, ManyEventsOfOneRecordAreOneRequestAndOneRun) {
  EXPECT_TRUE(Record(Event("e1", "O1")).is_new);
  EXPECT_TRUE(Record(Event("e2", "O1")).is_new);
  EXPECT_FALSE(Record(Event("e1", "O1")).is_new);
  EXPECT_EQ(Ask("SELECT count(*) || '/' || max(generation) FROM fetch_requests"), "1/2");

  EXPECT_EQ(RequestRuns().size(), 1U);
  EXPECT_EQ(RequestRuns().size(), 0U) << "one open run is enough";
  EXPECT_EQ(Ask("SELECT mode || '/' || trigger || '/' || status FROM ingestion_runs"),
            "fetch/event/queued");
}

TEST_F(EventsTest, ASweepMayBeAskedForBesideAFetch) {
  Record(Event("e1", "O1"));
  ASSERT_EQ(RequestRuns().size(), 1U);

  const auto sweep = runs::RequestRun(connection, connector_id, "AWS",
                                      {.entity = "opportunities",
                                       .mode = connector::RunMode::kFull,
                                       .requested_by = "scheduler",
                                       .trigger = "schedule"},
                                      rng, clock, {});

  ASSERT_THAT(sweep, Succeeds());
  EXPECT_TRUE(sweep->is_new);
  EXPECT_EQ(sweep->run.mode, "full");
}

TEST_F(EventsTest, ASweepThatWaitsGoesFirst) {
  Record(Event("e1", "O1"));
  const auto sweep = runs::RequestRun(connection, connector_id, "AWS",
                                      {.entity = "opportunities",
                                       .mode = connector::RunMode::kIncremental,
                                       .requested_by = "scheduler",
                                       .trigger = "schedule"},
                                      rng, clock, {});
  ASSERT_THAT(sweep, Succeeds());
  EXPECT_THAT(RequestRuns(), ::testing::IsEmpty());

  // One that waits for its quota does not.
  Ask("UPDATE jobs SET not_before = now() + interval '1 hour' RETURNING 1");
  EXPECT_EQ(RequestRuns().size(), 1U);
}

TEST_F(EventsTest, WhatIsAskedForAgainDuringTheFetchIsNotForgotten) {
  Record(Event("e1", "O1"));
  Record(Event("e2", "O2"));
  const auto taken = runs::LoadFetchRequests(connection, Opportunities(), {});
  ASSERT_THAT(taken, Succeeds());
  ASSERT_EQ(taken->size(), 2U);
  Record(Event("e3", "O2"));

  ASSERT_THAT(runs::EndFetchRequests(connection, Opportunities(), *taken, {}), Succeeds());

  EXPECT_EQ(Ask("SELECT string_agg(record_key, ',') FROM fetch_requests"), "O2");
}

TEST_F(EventsTest, WhatWasPutOffWaits) {
  Record(Event("e1", "O1"));
  ASSERT_THAT(runs::PostponeFetchRequests(connection, connector_id, "opportunities", {}),
              Succeeds());
  EXPECT_THAT(RequestRuns(), ::testing::IsEmpty());
  Record(Event("e2", "O1"));
  EXPECT_THAT(RequestRuns(), ::testing::IsEmpty()) << "a new event does not hurry it";
}

TEST_F(EventsTest, OfTwoCallsForOneLeadTheOneThatTellsMoreStays) {
  const auto invitation = [](const std::string& id, const std::string& kind) {
    return R"({"id":")" + id +
           R"(","source":"aws.partnercentral-selling","time":"2026-11-23T09:31:12Z","detail-type":"Engagement Invitation )" +
           kind +
           R"(","detail":{"catalog":"AWS","engagementInvitation":{"id":"engi-1","engagementId":"eng-1","participantType":"Receiver","payloadType":"LeadInvitation"}}})";
  };
  Record(invitation("e1", "Accepted"));
  Record(invitation("e2", "Created"));  // late
  EXPECT_EQ(Ask("SELECT record_key || ' ' || operation || ' ' || detail_key FROM fetch_requests"),
            "eng-1 GetEngagement eng-1");
}

TEST_F(EventsTest, AChangeIsToldIfAnEventOfItsRecordIsNoOlder) {
  ASSERT_THAT(events::NoteListening(connection, scope, {}), Succeeds());
  Ask("UPDATE event_inbox SET listening_since = '2026-11-01' RETURNING 1");
  Record(Event("e1", "O1", "2026-11-23T09:31:12Z"));
  Record(Event("e2", "O2", "2026-11-23T09:00:00Z"));
  const auto change = [](const std::string& id, std::int64_t seconds) {
    return tables::LandedChange{.id = id,
                                .is_new = false,
                                .version = "v",
                                .modified_at = WallTime(std::chrono::seconds(seconds)),
                                .payload_sha256 = "",
                                .columns = {}};
  };
  constexpr std::int64_t kAt = 1'795'426'272;  // 2026-11-23T09:31:12Z
  const std::vector<tables::LandedChange> changes{
      change("O1", kAt), change("O2", kAt), change("O3", kAt),
      change("O4", 1'700'000'000)};  // before anybody listened: not judged
  const tables::ChangeScope run{.run_id = "01a21f55-9d0e-711c-8f4a-052c5464f183",
                                .connector_id = connector_id,
                                .entity = "opportunities",
                                .catalog = "AWS",
                                .mode = connector::RunMode::kIncremental};
  ASSERT_THAT(events::NoteChanges(connection, run, changes, {}), Succeeds());

  EXPECT_EQ(events::JudgeChanges(connection, std::chrono::hours(1), {}).value(), 0);
  EXPECT_EQ(events::JudgeChanges(connection, milliseconds(0), {}).value(), 3);
  const auto coverage = events::LoadCoverage(connection, std::chrono::hours(24), {});
  ASSERT_THAT(coverage, Succeeds());
  EXPECT_EQ(coverage->told, 1);
  EXPECT_EQ(coverage->missed, 2);
  EXPECT_EQ(Ask("SELECT count(*) FROM event_checks"), "0");
}

TEST_F(EventsTest, OldEventsAreForgotten) {
  Record(Event("e1", "O1"));
  Record(Event("e2", "O2"));
  Ask("UPDATE partner_events SET received_at = now() - interval '23 days' WHERE event_id = 'e1' "
      "RETURNING 1");
  ASSERT_THAT(events::PruneEvents(connection, {}), Succeeds());
  EXPECT_EQ(Ask("SELECT string_agg(event_id, ',') FROM partner_events"), "e2");
}

}  // namespace
}  // namespace pcw
