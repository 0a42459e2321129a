#include "pcw/config/mapping_book.h"

#include <filesystem>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pcw/config/mapping_choice.h"

namespace pcw::config {
namespace {

class MappingBookTest : public ::testing::Test {
 protected:
  void SetUp() override {
    directory_ = std::filesystem::path(::testing::TempDir()) /
                 ("mapping_book_" +
                  std::string(::testing::UnitTest::GetInstance()->current_test_info()->name()));
    std::filesystem::remove_all(directory_);
    std::filesystem::create_directories(directory_);
    config_.partner_central.mappings = directory_.string();
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  // The built-in mapping of solutions with another version.
  static std::string Version(int version) {
    std::string yaml(*connector::BuiltinMappingText("solutions"));
    const std::size_t at = yaml.find("version: ");
    yaml.replace(at, yaml.find('\n', at) - at, "version: " + std::to_string(version));
    return yaml;
  }
  void Write(const std::string& yaml) {
    std::ofstream(directory_ / "solutions.yaml", std::ios::trunc) << yaml;
  }
  static Status Fits(const connector::Mapping&) { return Ok{}; }
  int InForce(const MappingBook::Check& check = Fits) {
    const auto mapping = book_.InForce(config_, "solutions", check);
    return mapping ? (*mapping)->version : -1;
  }

  std::filesystem::path directory_;
  Config config_;
  MappingBook book_;
};

TEST_F(MappingBookTest, AChangedFileHoldsForTheNextRunAndNotForTheOneThatBegan) {
  Write(Version(7));
  const auto first = book_.InForce(config_, "solutions");
  ASSERT_TRUE(first);

  Write(Version(8));

  EXPECT_EQ(InForce(), 8);
  EXPECT_EQ((*first)->version, 7);
}

TEST_F(MappingBookTest, AFileWithAMistakeLeavesTheOneBeforeInForce) {
  Write(Version(7));
  ASSERT_EQ(InForce(), 7);

  Write("entity: solutions\nversion: [\n");

  EXPECT_EQ(InForce(), 7);
  Write(Version(9));
  EXPECT_EQ(InForce(), 9);
}

TEST_F(MappingBookTest, AFileWithAMistakeAtTheStartIsAnError) {
  Write("entity: solutions\nversion: [\n");

  const auto mapping = book_.InForce(config_, "solutions");

  ASSERT_FALSE(mapping);
  EXPECT_EQ(mapping.error().code(), ErrorCode::kConfig);
}

TEST_F(MappingBookTest, AMappingThatTheTableCannotTakeIsAskedForAgainUntilItCan) {
  Write(Version(7));
  ASSERT_EQ(InForce(), 7);
  bool has_columns = false;
  const auto check = [&](const connector::Mapping&) -> Status {
    if (has_columns) return Ok{};
    return Error(ErrorCode::kConfig, "lacks a column");
  };

  Write(Version(8));
  EXPECT_EQ(InForce(check), 7);
  has_columns = true;

  EXPECT_EQ(InForce(check), 8);
}

TEST_F(MappingBookTest, WhoDoesNotCheckBringsNothingIntoForce) {
  Write(Version(7));
  ASSERT_EQ(InForce(), 7);

  Write(Version(8));

  EXPECT_EQ(InForce(MappingBook::Check()), 7);
  EXPECT_EQ(InForce(), 8);
}

TEST_F(MappingBookTest, ADatabaseThatIsAwayIsNoRefusal) {
  Write(Version(7));
  ASSERT_EQ(InForce(), 7);
  Write(Version(8));

  const auto mapping = book_.InForce(config_, "solutions", [](const connector::Mapping&) -> Status {
    return Error(ErrorCode::kUnavailable, "away");
  });

  ASSERT_FALSE(mapping);
  EXPECT_EQ(InForce(), 8);
}

TEST_F(MappingBookTest, TenantsHaveTheirOwn) {
  Write(Version(7));
  ASSERT_EQ(InForce(), 7);
  Config other;
  other.tenant_id = "00000000-0000-0000-0000-000000000002";

  const auto theirs = book_.InForce(other, "solutions");

  ASSERT_TRUE(theirs);
  EXPECT_EQ((*theirs)->version, connector::BuiltinMapping("solutions")->version);
}

}  // namespace
}  // namespace pcw::config
