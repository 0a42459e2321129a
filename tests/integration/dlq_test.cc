// Dead letters: what a filter may choose, and what a replay tells, against a real server.
#include <gmock/gmock.h>

#include "fakes/fake_time.h"
#include "fakes/result_matchers.h"
#include "pcw/dlq/dead_letter.h"
#include "pcw/dlq/drop_all.h"
#include "pcw/dlq/replay.h"
#include "pg_fixture.h"

namespace pcw {
namespace {

using namespace std::literals;
using dlq::DeadLetterFilter;

/// Does what a test says while dead letters are replayed.
class MeanwhileHandler final : public dlq::ReplayHandler {
 public:
  explicit MeanwhileHandler(std::function<void()> meanwhile) : meanwhile_(std::move(meanwhile)) {}
  bool Handles(dlq::Stage /*stage*/, std::string_view /*entity*/) const override { return true; }
  Result<int> VersionOf(std::string_view /*entity*/) const override { return 1; }
  std::string Refuses(const dlq::ReplayTarget& /*target*/, dlq::Stage /*stage*/) const override {
    return "";
  }
  Result<dlq::ReplayResult> Replay(const dlq::ReplayJob& /*job*/,
                                   std::stop_token /*stop*/) override {
    meanwhile_();
    dlq::ReplayResult result;
    result.status = "succeeded";
    return result;
  }

 private:
  const std::function<void()> meanwhile_;
};

class DlqTest : public DatabaseTest {
 protected:
  DlqTest() : connection(OpenService()) {
    Ask("INSERT INTO connectors (tenant_id, kind, name, status) VALUES "
        "('00000000-0000-0000-0000-000000000001', 'partner_central', 'pc', 'enabled') RETURNING "
        "id");
    connector = std::stoll(Ask("SELECT id FROM connectors"));
  }

  void PutLetters(int count) {
    std::vector<dlq::DeadLetter> letters;
    for (int i = 0; i < count; ++i) {
      dlq::DeadLetter letter =
          dlq::MakeDeadLetter(Error(ErrorCode::kSchemaMismatch, "no such column"), dlq::Stage::kMap,
                              "O" + std::to_string(i));
      letter.tenant_id = kTenant;
      letter.connector_id = connector;
      letter.entity = "opportunities";
      letter.catalog = "AWS";
      letter.bronze_key = "bronze/x";
      letter.bronze_line = i + 1;
      letters.push_back(std::move(letter));
    }
    ASSERT_THAT(dlq::PutDeadLetters(connection, letters, {}), Succeeds());
  }
  Result<dlq::ReplayReport> Replay(std::function<void()> meanwhile) {
    MeanwhileHandler handler(std::move(meanwhile));
    dlq::ReplayOptions options;
    options.is_all = true;
    options.actor = "test";
    return dlq::ReplayDeadLetters(connection, kTenant, options, {&handler}, rng, {});
  }
  std::string Open() const { return Ask("SELECT count(*) FROM dead_letters WHERE state = 'open'"); }

  pg::Connection connection;
  std::int64_t connector = 0;
  SystemRng rng;
};

TEST_F(DlqTest, AFilterThatCannotBeMeantDropsNothing) {
  PutLetters(3);
  const auto drop = [&](std::string DeadLetterFilter::*member, std::string_view value) {
    DeadLetterFilter filter;
    filter.*member = value;
    return dlq::DropDeadLetters(connection, kTenant, filter, "x", "test", std::nullopt);
  };

  EXPECT_THAT(drop(&DeadLetterFilter::group, ""), FailsWith(ErrorCode::kInvalidRequest));
  for (const auto value : {"\0ffff"sv, "%"sv, "______"sv, "01"sv}) {
    EXPECT_THAT(drop(&DeadLetterFilter::group, value), FailsWith(ErrorCode::kInvalidRequest));
    EXPECT_THAT(drop(&DeadLetterFilter::run_id, value), FailsWith(ErrorCode::kInvalidRequest));
    EXPECT_THAT(drop(&DeadLetterFilter::id, value), FailsWith(ErrorCode::kInvalidRequest));
  }
  EXPECT_EQ(Open(), "3");
}

TEST_F(DlqTest, AnIdChoosesByItsBeginning) {
  PutLetters(2);
  const std::string id = Ask("SELECT id FROM dead_letters ORDER BY id LIMIT 1");
  DeadLetterFilter filter;
  filter.id = id;
  EXPECT_EQ(*dlq::CountDeadLetters(connection, kTenant, filter), 1);
  filter.id = id.substr(0, 8);
  EXPECT_GE(*dlq::CountDeadLetters(connection, kTenant, filter), 1);
  filter.id.clear();
  filter.group = Ask("SELECT min(fingerprint) FROM dead_letters").substr(0, 6);
  EXPECT_EQ(*dlq::DropDeadLetters(connection, kTenant, filter, "x", "test", 2), 2);
  EXPECT_EQ(Open(), "0");
}

TEST_F(DlqTest, AReplayThatRacesADropTellsWhatWasDropped) {
  PutLetters(4);
  const auto report = Replay([&] {
    Ask("WITH gone AS (UPDATE dead_letters SET state = 'dropped', settled_at = now() WHERE "
        "record_key IN ('O0', 'O1') RETURNING 1), landed AS (UPDATE dead_letters SET state = "
        "'settled', settled_at = now() WHERE record_key = 'O2' RETURNING 1) SELECT (SELECT "
        "count(*) "
        "FROM gone) + (SELECT count(*) FROM landed)");
  });
  ASSERT_THAT(report, Succeeds());
  EXPECT_EQ(report->chosen, 4);
  EXPECT_EQ(report->settled, 1);
  EXPECT_EQ(report->still_open, 1);
  EXPECT_EQ(report->dropped, 2);
}

TEST_F(DlqTest, AReplayWhoseLettersWereAllDroppedSettlesNone) {
  PutLetters(4);
  const auto report = Replay([&] {
    pg::Connection other = OpenService();
    ASSERT_THAT(dlq::DropAllDeadLetters(other, kTenant, "x", "somebody else", 4), Succeeds());
  });
  ASSERT_THAT(report, Succeeds());
  EXPECT_EQ(report->settled, 0);
  EXPECT_EQ(report->dropped, 4);
}

TEST_F(DlqTest, NoParameterHoldsANul) {
  const auto asked = connection.Exec({"test_nul", "SELECT $1::text"}, {std::string("a\0b", 3)});
  EXPECT_THAT(asked, FailsWith(ErrorCode::kInvalidRequest));
  EXPECT_TRUE(connection.is_usable());
}

}  // namespace
}  // namespace pcw
