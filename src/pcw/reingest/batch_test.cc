#include "pcw/reingest/batch.h"

#include <gtest/gtest.h>

namespace pcw::reingest {
namespace {

connector::Mapping OfLeads() {
  connector::Mapping mapping;
  for (const char* name : {"source_version", "lead_id"}) {
    connector::ColumnMapping column;
    column.column = name;
    mapping.columns.push_back(column);
  }
  return mapping;
}

connector::Row RowWithId(const char* id) {
  connector::Row row;
  row.values = {std::string("v1"), std::string(id)};
  return row;
}

class ReingestBatchTest : public ::testing::Test {
 protected:
  void Add(const std::string& payload) {
    lake::ScannedLine line;
    line.id = "L1";
    line.operation = "GetEngagement";
    line.payload = payload;
    batch.Add("d/run-a/data.json", line, RowWithId("L1"), connector::Leads().sources.front());
  }
  const connector::Mapping mapping = OfLeads();
  ReingestBatch batch{mapping};
};

TEST_F(ReingestBatchTest, BeginsEmpty) {
  EXPECT_TRUE(batch.is_empty());
  EXPECT_FALSE(batch.is_due(1));
}

TEST_F(ReingestBatchTest, IsDueWithSoManyRecords) {
  Add("{}");
  EXPECT_FALSE(batch.is_due(2));
  Add("{}");
  EXPECT_TRUE(batch.is_due(2));
}

TEST_F(ReingestBatchTest, ADeadLetterFillsItLikeARecord) {
  Add("{}");
  batch.Add(dlq::DeadLetter{});
  EXPECT_TRUE(batch.is_due(2));
}

TEST_F(ReingestBatchTest, ADeadLetterAloneIsABatch) {
  batch.Add(dlq::DeadLetter{});
  EXPECT_FALSE(batch.is_empty());
}

TEST_F(ReingestBatchTest, LargePayloadsFillItBeforeTheirNumberDoes) {
  const std::string large(3U << 20U, 'x');
  Add(large);
  EXPECT_FALSE(batch.is_due(1'000));
  Add(large);
  EXPECT_TRUE(batch.is_due(1'000));
}

TEST_F(ReingestBatchTest, ARowIsOfTheRecordThatItsIdColumnNames) {
  EXPECT_TRUE(ReingestBatch::IsOf("L1", connector::Leads(), mapping, RowWithId("L1")));
  EXPECT_FALSE(ReingestBatch::IsOf("L1", connector::Leads(), mapping, RowWithId("L2")));
}

TEST_F(ReingestBatchTest, ARowWithoutAnIdColumnIsOfNobody) {
  EXPECT_FALSE(
      ReingestBatch::IsOf("L1", connector::Leads(), connector::Mapping{}, connector::Row{}));
}

}  // namespace
}  // namespace pcw::reingest
