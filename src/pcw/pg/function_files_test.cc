#include "pcw/pg/function_files.h"

#include <algorithm>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pcw/base/digest.h"

namespace pcw::pg {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

const FunctionFile kFile{"quota", 3, "-- version 3\nSELECT 1;\n"};

TEST(FunctionFilesTest, AFileThatTheDatabaseHasNotIsPending) {
  EXPECT_EQ(Compare(kFile, {}), SchemaState::kPending);
}

TEST(FunctionFilesTest, AnOlderVersionIsPending) {
  EXPECT_EQ(Compare(kFile, {2, Sha256Hex(kFile.sql), ""}), SchemaState::kPending);
}

TEST(FunctionFilesTest, TheSameVersionWithTheSameTextIsApplied) {
  EXPECT_EQ(Compare(kFile, {3, Sha256Hex(kFile.sql), ""}), SchemaState::kApplied);
}

TEST(FunctionFilesTest, TheSameVersionWithAnotherTextIsAltered) {
  EXPECT_EQ(Compare(kFile, {3, Sha256Hex("SELECT 2"), ""}), SchemaState::kAltered);
}

TEST(FunctionFilesTest, ANewerVersionIsNotOverwrittenWhateverItsText) {
  EXPECT_EQ(Compare(kFile, {4, Sha256Hex(kFile.sql), ""}), SchemaState::kNewer);
}

TEST(FunctionFilesTest, EveryFunctionIsMadeByPcwOwnerAndMayBeMadeAgain) {
  ASSERT_FALSE(FunctionFiles().empty());
  std::set<std::string> functions;
  for (const FunctionFile& file : FunctionFiles()) {
    SCOPED_TRACE(file.name);
    const std::string sql(file.sql);
    EXPECT_THAT(sql, HasSubstr("\nSET LOCAL ROLE pcw_owner;\n"));
    EXPECT_TRUE(sql.ends_with("\nRESET ROLE;\n"));
    for (std::size_t at = sql.find("\nCREATE "); at != std::string::npos;
         at = sql.find("\nCREATE ", at + 1)) {
      const std::string statement = sql.substr(at + 1, sql.find('(', at) - at - 1);
      EXPECT_THAT(statement, StartsWith("CREATE OR REPLACE "));
      EXPECT_TRUE(functions.insert(statement).second) << statement << " stands twice";
    }
  }
  EXPECT_GT(functions.size(), 20U);
}

TEST(FunctionFilesTest, FilesComeInTheOrderOfTheirNames) {
  EXPECT_TRUE(
      std::is_sorted(FunctionFiles().begin(), FunctionFiles().end(),
                     [](const FunctionFile& a, const FunctionFile& b) { return a.name < b.name; }));
}

}  // namespace
}  // namespace pcw::pg
