// The merge of a re-ingest and what it knows of the table beforehand, against a real server.
#include <algorithm>

#include <gmock/gmock.h>

#include "fakes/result_matchers.h"
#include "pcw/connector/entity_def.h"
#include "pcw/connector/mapping.h"
#include "pcw/tables/bulk_table.h"
#include "pcw/tables/held_digests.h"
#include "pg_fixture.h"

namespace pcw {
namespace {

using connector::ColumnMapping;
using connector::ColumnType;
using pg::Connection;
using tables::BulkTable;
using tables::HeldDigests;
using tables::MappedRecord;
using tables::MergeCounts;

constexpr const char* kRun = "019a0000-0000-7000-8000-000000000001";

class BulkMergeTest : public DatabaseTest {
 protected:
  BulkMergeTest()
      : def(*connector::FindEntity(*connector::FindConnector("partner_central"), "opportunities")),
        mapping(*connector::BuiltinMapping("opportunities")),
        table(*BulkTable::Create(def, mapping, std::string(def.table))) {}

  // Opportunities "0" .. of one minute; `payload` is what they hold.
  std::vector<MappedRecord> Records(std::size_t count, std::string_view payload, int minute = 1,
                                    std::string_view version = "v") {
    std::vector<MappedRecord> records(count);
    for (std::size_t i = 0; i < count; ++i) {
      MappedRecord& record = records[i];
      record.id = std::to_string(i);
      record.payload = payload;
      record.payload_sha256 = Sha256(payload);
      record.bronze_key = "a/key";
      record.bronze_line = static_cast<int>(i) + 1;
      record.fetched_run = kRun;
      for (const ColumnMapping& column : mapping.columns) {
        connector::Value& value = record.row.values.emplace_back();
        if (column.column == def.id_column) value = record.id;
        if (column.column == "source_version") value = std::string(version);
        if (column.column == "source_modified_at")
          value = WallTime(std::chrono::minutes(28'000'000 + minute));
        if (column.column == "expected_spend_amount") value = std::string("12.50");
        if (column.column == "delivery_models") value = std::string("[\"Other\"]");
        if (column.column == "stage") value = std::string();
      }
    }
    return records;
  }

  Result<MergeCounts> Merge(const std::vector<MappedRecord>& records) {
    PCW_TRY(const std::vector<tables::EncodedRows> rounds, table.Encode(records));
    Connection service = OpenService();
    PCW_TRY(pg::Transaction transaction, pg::Transaction::Begin(service, "test"));
    PCW_TRY_OK(table.PrepareMerge(service, {}));
    MergeCounts counts;
    for (const tables::EncodedRows& round : rounds) {
      PCW_TRY(const MergeCounts merged,
              table.Merge(service, "AWS", round.copy, round.left_alone, {}));
      counts.inserted += merged.inserted;
      counts.updated += merged.updated;
    }
    PCW_TRY_OK(transaction.Commit());
    return counts;
  }

  std::optional<HeldDigests> Load(std::size_t most_rows) {
    pg::Database database([this](std::stop_token) -> Result<Connection> { return OpenService(); },
                          sleeper, clock);
    auto held = HeldDigests::Load(database, table, "AWS", {}, most_rows);
    EXPECT_TRUE(held) << held.error().message();
    return held ? std::move(*held) : std::nullopt;
  }

  const connector::EntityDef& def;
  const connector::Mapping mapping;
  const BulkTable table;
  SystemClock clock;
  SystemSleeper sleeper;
};

tables::KnownVersion VersionOf(std::string_view id, std::string_view payload) {
  tables::KnownVersion version;
  version.id = id;
  version.sha256 = Sha256(payload);
  version.rank = 0;
  return version;
}

TEST_F(BulkMergeTest, AnyNumberOfRowsLandsOnceAndKeepsItsValues) {
  for (const std::size_t count : {1U, 63U, 64U, 65U, 200U}) {
    const auto before = std::stoull(Ask("SELECT count(*) FROM partnercentral_opportunities"));

    const Result<MergeCounts> counts = Merge(Records(count, R"({"a": 1})"));

    ASSERT_TRUE(counts) << counts.error().message();
    EXPECT_EQ(static_cast<std::size_t>(counts->inserted), count - before);
    EXPECT_EQ(counts->updated, 0) << "what is there is the same";
  }
  EXPECT_EQ(Ask("SELECT count(DISTINCT bronze_line) || ' ' || min(expected_spend_amount) || ' ' || "
                "min(delivery_models::text) || ' ' || min(payload_json::text) || ' ' || "
                "min(last_seen_run::text) || ' ' || count(arn) || ' ' || count(stage) FROM "
                "partnercentral_opportunities"),
            std::string("200 12.50 [\"Other\"] {\"a\": 1} ") + kRun + " 0 200")
      << "NULL stays NULL, an empty text is none";
}

TEST_F(BulkMergeTest, AColumnThatIsLeftAloneKeepsWhatItHad) {
  const auto spoil = [this](std::vector<MappedRecord> records) {
    for (std::size_t i = 0; i < mapping.columns.size(); ++i) {
      if (mapping.columns[i].column != "expected_spend_amount") continue;
      records[1].row.values[i] = {};
      records[1].row.left_alone = {i};
    }
    return records;
  };
  ASSERT_TRUE(Merge(Records(3, R"({"a": 1})", 1)));

  const Result<MergeCounts> bulk = Merge(spoil(Records(4, R"({"a": 2})", 2)));

  ASSERT_TRUE(bulk) << bulk.error().message();
  EXPECT_EQ(bulk->inserted, 1);
  EXPECT_EQ(bulk->updated, 3);
  const char* amounts =
      "SELECT string_agg(pc_opportunity_id || ':' || coalesce(expected_spend_amount::text, 'NULL') "
      "|| ':' || (payload_json->>'a'), ' ' ORDER BY pc_opportunity_id) FROM "
      "partnercentral_opportunities";
  EXPECT_EQ(Ask(amounts), "0:12.50:2 1:12.50:2 2:12.50:2 3:12.50:2");

  // The same as a sync merges it.
  const auto entity = tables::EntityTable::Create(def, mapping);
  ASSERT_TRUE(entity);
  Connection service = OpenService();
  {
    auto transaction = pg::Transaction::Begin(service, "test");
    ASSERT_TRUE(transaction);
    const auto merged =
        entity->Merge(service, "AWS", kRun, spoil(Records(3, R"({"a": 3})", 3)), {});
    ASSERT_TRUE(merged) << merged.error().message();
    ASSERT_TRUE(transaction->Commit());
  }
  EXPECT_EQ(Ask(amounts), "0:12.50:3 1:12.50:3 2:12.50:3 3:12.50:2");

  // A record that the table does not hold has nothing to keep. Two versions in one batch: the
  // earlier one is merged for what the later one leaves alone.
  ASSERT_TRUE(Merge([&] {
    std::vector<MappedRecord> both = Records(2, R"({"a": 4})", 4);
    std::vector<MappedRecord> later = spoil(Records(2, R"({"a": 5})", 5));
    for (MappedRecord& record : both) record.id = "new" + record.id;
    for (MappedRecord& record : later) record.id = "new" + record.id;
    for (std::vector<MappedRecord>* records : {&both, &later}) {
      for (MappedRecord& record : *records) {
        for (std::size_t i = 0; i < mapping.columns.size(); ++i)
          if (mapping.columns[i].column == def.id_column) record.row.values[i] = record.id;
      }
    }
    both.insert(both.end(), later.begin(), later.end());
    return both;
  }()));
  EXPECT_EQ(Ask("SELECT expected_spend_amount || ' ' || (payload_json->>'a') FROM "
                "partnercentral_opportunities WHERE pc_opportunity_id = 'new1'"),
            "12.50 5");
}

TEST_F(BulkMergeTest, OlderRowsChangeNothingAndNewerOnesReplace) {
  ASSERT_TRUE(Merge(Records(70, R"({"a": 2})", 5)));

  EXPECT_EQ(Merge(Records(70, R"({"a": 1})", 4))->updated, 0);
  EXPECT_EQ(Merge(Records(70, R"({"a": 3})", 6))->updated, 70);
  EXPECT_EQ(Ask("SELECT DISTINCT payload_json->>'a' FROM partnercentral_opportunities"), "3");
}

TEST_F(BulkMergeTest, TheSameBytesTakeTheLaterNameOfTheirVersion) {
  ASSERT_TRUE(Merge(Records(1, "{}", 1, "own name")));

  EXPECT_EQ(Merge(Records(1, "{}", 2, "the list's name"))->updated, 1);
  EXPECT_EQ(Merge(Records(1, "{}", 1, "own name"))->updated, 0) << "never back";
  EXPECT_EQ(Ask("SELECT source_version FROM partnercentral_opportunities"), "the list's name");
}

TEST_F(BulkMergeTest, AValueThatTheServerRefusesIsTheRecordsFault) {
  std::vector<MappedRecord> records = Records(10, R"({"a": "\u0000"})");

  EXPECT_THAT(Merge(records), FailsWith(ErrorCode::kSchemaMismatch));
  EXPECT_EQ(Ask("SELECT count(*) FROM partnercentral_opportunities"), "0");
}

TEST_F(BulkMergeTest, RowsLargerThanAStatementShouldBeLand) {
  const std::string large = "{\"a\": \"" + std::string(3U << 20U, 'x') + "\"}";

  EXPECT_EQ(Merge(Records(3, large))->inserted, 3);
}

TEST_F(BulkMergeTest, DigestsTellWhatTheTableHoldsUntilItIsForgotten) {
  ASSERT_TRUE(Merge(Records(3, "{}")));

  std::optional<HeldDigests> held = Load(3);

  ASSERT_TRUE(held);
  const auto holds = [&](std::string_view id, std::string_view payload) {
    return held->Holds(HeldDigests::HashOf(id), VersionOf(id, payload));
  };
  EXPECT_TRUE(holds("0", "{}"));
  EXPECT_TRUE(holds("2", "{}"));
  EXPECT_FALSE(holds("2", "{ }")) << "other bytes";
  EXPECT_FALSE(holds("3", "{}")) << "no such row";
  held->Forget(HeldDigests::HashOf("2"));
  EXPECT_FALSE(holds("2", "{}"));
  EXPECT_TRUE(holds("0", "{}"));
}

TEST_F(BulkMergeTest, ATableWithMoreRowsIsNotRead) {
  ASSERT_TRUE(Merge(Records(4, "{}")));

  EXPECT_FALSE(Load(3));
}

TEST_F(BulkMergeTest, WhatAnotherMappingMadeIsNotHeld) {
  ASSERT_TRUE(Merge(Records(1, "{}")));
  OpenSuperuser(url)
      .ExecScript("other", "UPDATE partnercentral_opportunities SET mapping_version = 999")
      .value();

  EXPECT_FALSE(Load(3)->Holds(HeldDigests::HashOf("0"), VersionOf("0", "{}")));
}

// Leads of one id, full and sparse ones, as a source of rank 0 tells them.
class SparseMergeTest : public DatabaseTest {
 protected:
  SparseMergeTest()
      : def(*connector::FindEntity(*connector::FindConnector("partner_central"), "leads")),
        mapping(*connector::BuiltinMapping("leads")),
        table(*BulkTable::Create(def, mapping, std::string(def.table))) {}

  struct Told {
    int minute;
    bool is_sparse;
    std::string state, company, title;  // empty = not told
  };

  MappedRecord RecordOf(const Told& told) {
    MappedRecord record;
    record.id = "L1";
    record.is_sparse = told.is_sparse;
    record.payload = "{}";
    record.payload_sha256 = Sha256(std::to_string(told.minute));
    record.bronze_key = "a/key";
    record.bronze_line = told.minute;
    record.fetched_run = kRun;
    const auto text = [](const std::string& value) {
      return value.empty() ? connector::Value() : connector::Value(value);
    };
    for (const ColumnMapping& column : mapping.columns) {
      connector::Value& value = record.row.values.emplace_back();
      if (column.column == def.id_column) value = record.id;
      if (column.column == "state") value = text(told.state);
      if (column.column == "customer_company_name") value = text(told.company);
      if (column.column == "title") value = text(told.title);
      if (column.column == "source_version") value = std::to_string(told.minute);
      if (column.column == "source_modified_at")
        value = WallTime(std::chrono::minutes(28'000'000 + told.minute));
    }
    return record;
  }

  // Each in a batch of its own, as runs come, or all in one.
  void Land(const std::vector<Told>& order, std::size_t at_once) {
    Connection service = OpenService();
    for (std::size_t begin = 0; begin < order.size(); begin += at_once) {
      std::vector<MappedRecord> records;
      for (std::size_t i = begin; i < std::min(order.size(), begin + at_once); ++i)
        records.push_back(RecordOf(order[i]));
      const auto rounds = table.Encode(records);
      ASSERT_THAT(rounds, Succeeds());
      auto transaction = pg::Transaction::Begin(service, "test");
      ASSERT_THAT(transaction, Succeeds());
      ASSERT_THAT(table.PrepareMerge(service, {}), Succeeds());
      for (const tables::EncodedRows& round : *rounds)
        ASSERT_THAT(table.Merge(service, "AWS", round.copy, round.left_alone, {}), Succeeds());
      ASSERT_THAT(transaction->Commit(), Succeeds());
    }
  }

  std::string TakeRow() {
    const std::string row =
        Ask("SELECT concat_ws('|', state, coalesce(customer_company_name, '~'), coalesce(title, "
            "'~'), bronze_line, kept_from->>'customer_company_name') FROM partnercentral_leads");
    Ask("WITH gone AS (DELETE FROM partnercentral_leads RETURNING 1) SELECT count(*) FROM gone");
    return row;
  }

  const connector::EntityDef& def;
  const connector::Mapping mapping;
  const BulkTable table;
};

TEST_F(SparseMergeTest, RowsEndTheSameInWhateverOrderRecordsCome) {
  const std::vector<Told> told{{1, false, "invited", "Old Corp", "First"},
                               {2, false, "invited", "New Corp", ""},
                               {3, true, "invited", "", "Renamed"},
                               {4, true, "rejected", "", ""}};
  std::vector<std::size_t> order{0, 1, 2, 3};
  Land(told, 1);
  const std::string expected = TakeRow();
  EXPECT_TRUE(expected.starts_with("rejected|New Corp|Renamed|4|")) << expected;
  do {
    std::vector<Told> shuffled;
    for (const std::size_t place : order) shuffled.push_back(told[place]);
    for (const std::size_t at_once : {1U, 4U}) {
      Land(shuffled, at_once);
      EXPECT_EQ(TakeRow(), expected)
          << order[0] << order[1] << order[2] << order[3] << ", " << at_once << " at once";
    }
  } while (std::next_permutation(order.begin(), order.end()));
}

}  // namespace
}  // namespace pcw
