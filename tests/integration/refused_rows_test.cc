// Rows that PostgreSQL refuses, and what is stored about them, against a real server.
#include "pcw/tables/refused_rows.h"

#include <gmock/gmock.h>

#include "fakes/result_matchers.h"
#include "pcw/connector/entity_def.h"
#include "pcw/connector/mapping.h"
#include "pcw/dlq/dead_letter.h"
#include "pcw/tables/drift_store.h"
#include "pcw/tables/entity_table.h"
#include "pg_fixture.h"

namespace pcw {
namespace {

using connector::ColumnMapping;
using pg::Connection;
using tables::EntityTable;
using tables::MappedRecord;
using std::string_view_literals::operator""sv;

constexpr const char* kRun = "019a0000-0000-7000-8000-000000000001";

class RefusedRowsTest : public DatabaseTest {
 protected:
  RefusedRowsTest()
      : def(*connector::FindEntity(*connector::FindConnector("partner_central"), "opportunities")),
        mapping(*connector::BuiltinMapping("opportunities")),
        table(*EntityTable::Create(def, mapping)) {}

  void Own(const std::string& sql) {
    ASSERT_THAT(OpenSuperuser(url).ExecScript("own", sql), Succeeds());
  }

  // Opportunities "0" .. with those stages.
  std::vector<MappedRecord> Records(const std::vector<std::string>& stages) {
    std::vector<MappedRecord> records(stages.size());
    for (std::size_t i = 0; i < stages.size(); ++i) {
      MappedRecord& record = records[i];
      record.id = std::to_string(i);
      record.payload = "{}";
      record.payload_sha256 = Sha256("{}");
      record.bronze_key = "a/key";
      record.bronze_line = static_cast<int>(i) + 1;
      record.fetched_run = kRun;
      for (const ColumnMapping& column : mapping.columns) {
        connector::Value& value = record.row.values.emplace_back();
        if (column.column == def.id_column) value = record.id;
        if (column.column == "source_version") value = std::string("v");
        if (column.column == "source_modified_at") value = WallTime(std::chrono::hours(500'000));
        if (column.column == "stage" && !stages[i].empty()) value = stages[i];
      }
    }
    return records;
  }

  // "2:23514 5:23505": which rows are refused, and why.
  std::string Refused(const std::vector<MappedRecord>& records) {
    Connection service = OpenService();
    auto transaction = pg::Transaction::Begin(service, "test");
    EXPECT_THAT(transaction, Succeeds());
    const auto refused = tables::FindRefusedRows(
        service, records.size(), [&](std::size_t begin, std::size_t end) -> Status {
          PCW_TRY_OK(table.Merge(service, "AWS", kRun,
                                 std::span(records).subspan(begin, end - begin), {}));
          return Ok{};
        });
    if (!refused) return refused.error().ToString();
    std::string told;
    for (const tables::RefusedRow& row : *refused) {
      EXPECT_EQ(row.error.code(), ErrorCode::kSchemaMismatch);
      told += std::to_string(row.index) + ":" +
              std::string(row.error.Find("sqlstate").value_or("")) + " ";
    }
    return told;
  }

  const connector::EntityDef& def;
  const connector::Mapping mapping;
  const EntityTable table;
};

TEST_F(RefusedRowsTest, AConstraintOfTheOwnerCostsItsRowAlone) {
  Own("ALTER TABLE partnercentral_opportunities ADD CONSTRAINT no_b CHECK (stage <> 'b')");
  EXPECT_EQ(Refused(Records({"a", "b", "c", "b", "a", "a", "a"})), "1:23514 3:23514 ");
}

TEST_F(RefusedRowsTest, AColumnThatMayNotBeNullCostsItsRowAlone) {
  Own("ALTER TABLE partnercentral_opportunities ALTER COLUMN stage SET NOT NULL");
  EXPECT_EQ(Refused(Records({"", "a", ""})), "0:23502 2:23502 ");
}

TEST_F(RefusedRowsTest, OfTwoRowsThatAUniqueIndexDoesNotAllowTheLaterIsRefused) {
  Own("CREATE UNIQUE INDEX one_stage ON partnercentral_opportunities (tenant_id, stage)");
  EXPECT_EQ(Refused(Records({"a", "b", "c", "a", "d", "b"})), "3:23505 5:23505 ");
}

TEST_F(RefusedRowsTest, AConstraintThatWaitsForTheCommitIsAskedBefore) {
  Own("ALTER TABLE partnercentral_opportunities ADD CONSTRAINT one_stage UNIQUE (tenant_id, stage) "
      "DEFERRABLE INITIALLY DEFERRED");
  EXPECT_EQ(Refused(Records({"a", "b", "a"})), "2:23505 ");
}

TEST_F(RefusedRowsTest, ATriggersWordAndALimitOfTheServerAreTheRows) {
  Own("CREATE FUNCTION no_b() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF new.stage = 'b' THEN "
      "RAISE EXCEPTION 'b is not ours'; END IF; RETURN new; END $$; CREATE TRIGGER no_b BEFORE "
      "INSERT ON partnercentral_opportunities FOR EACH ROW EXECUTE FUNCTION no_b(); CREATE INDEX "
      "by_stage ON partnercentral_opportunities (stage)");
  std::string incompressible;
  for (int i = 0; i < 300; ++i) incompressible += Sha256Hex(std::to_string(i));
  EXPECT_EQ(Refused(Records({"a", "b", incompressible, "c"})), "1:P0001 2:54000 ");
}

TEST_F(RefusedRowsTest, EveryRowMayBeRefused) {
  Own("ALTER TABLE partnercentral_opportunities ADD CONSTRAINT none CHECK (stage IS NULL)");
  EXPECT_EQ(Refused(Records({"a", "a", "a"})), "0:23514 1:23514 2:23514 ");
  EXPECT_EQ(Refused(Records({})), "");
}

TEST_F(RefusedRowsTest, WhatIsStoredAboutARecordCanAlwaysBeStored) {
  Own("INSERT INTO connectors (tenant_id, kind, name, status, config_json) VALUES "
      "('00000000-0000-0000-0000-000000000001', 'partner_central', 'p', 'enabled', '{}')");
  const std::int64_t connector = std::stoll(Ask("SELECT id FROM connectors"));
  Connection service = OpenService();
  const std::string_view foreign[] = {"a\0b"sv,       "caf\xc3",      "\xff\xfe", "\xed\xa0\xbd",
                                      "\xef\xbf\xbf", "\x01\x1b[31m", "\\u0000",  "\xf0\x9f\x9a"};
  std::vector<dlq::DeadLetter> letters;
  for (const std::string_view text : foreign) {
    // Nothing of it went through MakeDeadLetter's hands.
    dlq::DeadLetter letter = dlq::MakeDeadLetter(
        Error(ErrorCode::kSchemaMismatch, std::string(text)).With("fields", std::string(text)),
        dlq::Stage::kMap, std::string(text));
    letter.error = text;
    letter.record_key = text;
    letter.original = text;
    letter.error_context_json = R"({"fields":"\u0000 \ud83d"})";
    letter.tenant_id = kTenant;
    letter.connector_id = connector;
    letter.entity = "opportunities";
    letter.catalog = "AWS";
    letters.push_back(std::move(letter));
  }
  std::string long_id;  // an index cannot hold it
  for (int i = 0; i < 141; ++i) long_id += Sha256Hex(std::to_string(i));
  letters.push_back(letters.front());
  letters.back().record_key = long_id;

  ASSERT_THAT(dlq::PutDeadLetters(service, letters, {}), Succeeds());
  EXPECT_EQ(Ask("SELECT count(DISTINCT record_key) FROM dead_letters"), "9");
  EXPECT_EQ(Ask("SELECT count(*) FROM dead_letters WHERE record_key LIKE '" +
                long_id.substr(0, 100) + "%'"),
            "1");

  const auto settled = dlq::SettleDeadLetters(
      service, kTenant, connector, "opportunities", "AWS",
      {long_id, std::string(foreign[0]), std::string(foreign[4]), std::string(foreign[6])}, {});
  ASSERT_THAT(settled, Succeeds());
  EXPECT_EQ(*settled, 4);
}

TEST_F(RefusedRowsTest, ANulIsRefusedAndNeverCutsAValueShort) {
  Connection service = OpenService();
  const auto kept = service.Exec({"nul", "SELECT length($1)"}, {std::string("a\0b", 3)});
  EXPECT_THAT(kept, FailsWith(ErrorCode::kInvalidRequest));
  EXPECT_THAT(service.Exec({"nul", "SELECT length($1)"}, {std::string("ab")}), Succeeds());
}

}  // namespace
}  // namespace pcw
