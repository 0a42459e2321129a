#include "pcw/sim/partner_central/dataset.h"

#include <gmock/gmock.h>

namespace pcw::sim {
namespace {

using namespace std::chrono_literals;

const WallTime kDatasetEpoch = std::chrono::sys_days(std::chrono::year(2026) / 11 / 22);

DatasetOptions Options(std::uint64_t count, Granularity granularity = Granularity::kMixed) {
  return {.count = count, .epoch = kDatasetEpoch, .granularity = granularity};
}

TEST(DatasetTest, IdsAscendAndLeadBackToTheirNumber) {
  const Dataset dataset(Options(1'000));

  for (std::uint64_t i = 0; i < 1'000; ++i) {
    EXPECT_EQ(dataset.IndexOf(dataset.IdOf(i)), i);
    EXPECT_LT(dataset.IdOf(i), dataset.IdOf(i + 1));
  }
}

TEST(DatasetTest, IdsNobodyHasLeadNowhere) {
  const Dataset dataset(Options(10));

  EXPECT_EQ(dataset.IndexOf("O1"), std::nullopt);
  EXPECT_EQ(dataset.IndexOf("O99999999999999999999"), std::nullopt);
  EXPECT_EQ(dataset.IndexOf("X1000000010"), std::nullopt);
  EXPECT_EQ(dataset.IndexOf("O01000000010"), std::nullopt);
  EXPECT_EQ(dataset.IndexOf(""), std::nullopt);
}

class DatasetOrderTest : public ::testing::TestWithParam<Granularity> {};

TEST_P(DatasetOrderTest, ModificationNeverDecreasesWithRankAndEndsBeforeTheEpoch) {
  const Dataset dataset(Options(5'000, GetParam()));

  for (std::uint64_t rank = 1; rank < 5'000; ++rank) {
    EXPECT_LE(dataset.ModifiedAtRank(rank - 1), dataset.ModifiedAtRank(rank));
  }
  EXPECT_LT(dataset.ModifiedAtRank(4'999), kDatasetEpoch);
  EXPECT_GE(dataset.ModifiedAtRank(0), kDatasetEpoch - std::chrono::days(731));
}

TEST_P(DatasetOrderTest, CreationNeverDecreasesAndPrecedesModification) {
  const Dataset dataset(Options(5'000, GetParam()));

  for (std::uint64_t i = 1; i < 5'000; ++i) {
    EXPECT_LE(dataset.CreatedOf(i - 1), dataset.CreatedOf(i));
  }
  EXPECT_LT(dataset.CreatedOf(4'999), dataset.ModifiedAtRank(0));
}

INSTANTIATE_TEST_SUITE_P(Granularities, DatasetOrderTest,
                         ::testing::Values(Granularity::kMixed, Granularity::kSeconds,
                                           Granularity::kMillis, Granularity::kMicros));

TEST(DatasetTest, SomeRecordsShareOneModificationTime) {
  const Dataset dataset(Options(5'000));

  EXPECT_EQ(dataset.ModifiedAtRank(1'000), dataset.ModifiedAtRank(1'019));
  EXPECT_LT(dataset.ModifiedAtRank(1'019), dataset.ModifiedAtRank(1'020));
}

TEST(DatasetTest, MixedDatesHaveEveryPrecision) {
  const Dataset dataset(Options(2'000));
  int seconds = 0;
  int millis = 0;
  int micros = 0;

  for (std::uint64_t i = 0; i < 2'000; ++i) {
    const auto fraction = dataset.CreatedOf(i).time_since_epoch() % 1s;
    seconds += fraction == 0us ? 1 : 0;
    millis += fraction != 0us && fraction % 1ms == 0us ? 1 : 0;
    micros += fraction % 1ms != 0us ? 1 : 0;
  }

  EXPECT_GT(seconds, 100);
  EXPECT_GT(millis, 100);
  EXPECT_GT(micros, 100);
}

TEST(CutToTest, DropsWhatIsFiner) {
  const WallTime time = kDatasetEpoch + 1'234'567us;

  EXPECT_EQ(CutTo(time, Granularity::kSeconds), kDatasetEpoch + 1s);
  EXPECT_EQ(CutTo(time, Granularity::kMillis), kDatasetEpoch + 1'234ms);
  EXPECT_EQ(CutTo(time, Granularity::kMicros), time);
}

}  // namespace
}  // namespace pcw::sim
