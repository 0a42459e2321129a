#include "pcw/sim/ledger.h"

#include <gmock/gmock.h>

namespace pcw::sim {
namespace {

using namespace std::chrono_literals;

CallRecord List(std::int64_t arrival_us) {
  CallRecord record;
  record.operation = Operation::kListOpportunities;
  record.arrival_us = arrival_us;
  return record;
}

std::vector<std::uint64_t> SeqsOf(const Ledger& ledger) {
  std::vector<std::uint64_t> seqs;
  ledger.ForEach([&](const CallRecord& call) { seqs.push_back(call.seq); });
  return seqs;
}

TEST(LedgerTest, HoldsCallsInOrderOfArrivalWithTheirOutcome) {
  Ledger ledger(10);
  CallRecord first = List(1'000);
  CallRecord second = List(2'000);
  first.seq = ledger.Arrive(first, SteadyTime(0s));
  second.seq = ledger.Arrive(second, SteadyTime(1ms));

  second.outcome = Outcome::kRefusedSecond;
  ledger.Finish(second);
  first.outcome = Outcome::kOk;
  ledger.Finish(first);

  EXPECT_THAT(SeqsOf(ledger), ::testing::ElementsAre(1, 2));
  const CallTotals totals = ledger.totals();
  EXPECT_EQ(totals.arrivals, 2U);
  EXPECT_EQ(totals.first_arrival_us, 1'000);
  EXPECT_EQ(totals.last_arrival_us, 2'000);
  EXPECT_EQ(totals.by_operation[0][static_cast<std::size_t>(Outcome::kOk)], 1U);
  EXPECT_EQ(totals.by_operation[0][static_cast<std::size_t>(Outcome::kRefusedSecond)], 1U);
}

TEST(LedgerTest, ForgetsTheOldestWhenFull) {
  Ledger ledger(2);
  for (int i = 0; i < 5; ++i) ledger.Arrive(List(i), SteadyTime(0s));

  EXPECT_THAT(SeqsOf(ledger), ::testing::ElementsAre(4, 5));
  EXPECT_EQ(ledger.totals().dropped, 3U);
}

TEST(LedgerTest, MeasuresTheBusiestSlidingSecond) {
  Ledger ledger(100);
  for (const auto at : {0ms, 600ms, 900ms, 1'100ms, 1'500ms, 5'000ms}) {
    ledger.Arrive(List(0), SteadyTime(at));
  }

  EXPECT_EQ(ledger.totals().max_arrivals_per_second, 4U);
}

TEST(LedgerTest, ResetForgetsAndLateEndingsAreIgnored) {
  Ledger ledger(10);
  CallRecord call = List(1);
  call.seq = ledger.Arrive(call, SteadyTime(0s));

  ledger.Reset();
  ledger.Finish(call);

  EXPECT_THAT(SeqsOf(ledger), ::testing::IsEmpty());
  EXPECT_EQ(ledger.totals().arrivals, 0U);
}

}  // namespace
}  // namespace pcw::sim
