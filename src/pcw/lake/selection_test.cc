#include "pcw/lake/selection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/memory_store.h"
#include "fakes/result_matchers.h"

namespace pcw::lake {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const std::string kDay = "bronze/partnercentral/leads/2026/11/23/";

TEST(SplitKeyTest, ReadsFolderRunAndName) {
  const std::string key = kDay + "run-7f/data.json";
  const auto parts = SplitKey(key);
  ASSERT_TRUE(parts);
  EXPECT_EQ(parts->prefix, kDay + "run-7f/");
  EXPECT_EQ(parts->run_id, "7f");
  EXPECT_EQ(parts->name, "data.json");
  EXPECT_EQ(parts->part, 1);
}

TEST(SplitKeyTest, ALaterPartTellsItsNumber) {
  EXPECT_EQ(SplitKey("d/run-7f/data-00042.json")->part, 42);
}

TEST(SplitKeyTest, TheManifestIsNoPart) { EXPECT_EQ(SplitKey("d/run-7f/manifest.json")->part, 0); }

TEST(SplitKeyTest, APartIsNumberedFromTwo) {
  EXPECT_EQ(SplitKey("d/run-7f/data-00001.json")->part, 0) << "part 1 has the plain name";
  EXPECT_EQ(SplitKey("d/run-7f/data-00002.json")->part, 2);
}

TEST(SplitKeyTest, ANumberWithSomethingBehindItIsNoParts) {
  EXPECT_EQ(SplitKey("d/run-7f/data-2x.json")->part, 0);
  EXPECT_EQ(SplitKey("d/run-7f/data-.json")->part, 0);
  EXPECT_EQ(SplitKey("d/run-7f/data--2.json")->part, 0);
}

TEST(SplitKeyTest, ANumberThatNoIntegerHoldsIsNoParts) {
  EXPECT_EQ(SplitKey("d/run-7f/data-99999999999.json")->part, 0);
}

TEST(SplitKeyTest, WhatLiesOutsideRunFoldersIsNobodys) {
  EXPECT_FALSE(SplitKey("data.json"));
  EXPECT_FALSE(SplitKey("/data.json"));
  EXPECT_FALSE(SplitKey("d/sun-7f/data.json"));
  EXPECT_FALSE(SplitKey("run-7f/data.json")) << "a run folder lies in a day";
}

TEST(IsBeforeTest, PartsOfARunGoByTheirNumbers) {
  EXPECT_TRUE(IsBefore("d/run-7f/data.json", "d/run-7f/data-00002.json"));
  EXPECT_FALSE(IsBefore("d/run-7f/data-00002.json", "d/run-7f/data.json"));
}

TEST(IsBeforeTest, NumbersBeyondFiveDigitsStillCountAsNumbers) {
  EXPECT_TRUE(IsBefore("d/run-7f/data-99999.json", "d/run-7f/data-100000.json"));
}

TEST(IsBeforeTest, AnObjectIsNotBeforeItself) {
  EXPECT_FALSE(IsBefore("d/run-7f/data.json", "d/run-7f/data.json"));
}

TEST(IsBeforeTest, FoldersGoByTheirNames) {
  EXPECT_TRUE(IsBefore("2026/11/22/run-9/data-00009.json", "2026/11/23/run-1/data.json"));
  EXPECT_FALSE(IsBefore("2026/11/23/run-1/data.json", "2026/11/22/run-9/data.json"));
}

class ListRunFoldersTest : public ::testing::Test {
 protected:
  void Add(const std::string& key) { store.objects.emplace(kDay + key, "x"); }
  std::vector<RunFolder> Folders() { return *ListRunFolders(store, "bronze/", {}); }
  MemoryBronzeStore store;
};

TEST_F(ListRunFoldersTest, AnEmptyLakeHasNone) { EXPECT_THAT(Folders(), IsEmpty()); }

TEST_F(ListRunFoldersTest, PartsComeInTheOrderInWhichTheyWereWritten) {
  Add("run-1/data-00002.json");
  Add("run-1/data.json");
  Add("run-1/data-100000.json");
  Add("run-1/data-99999.json");
  std::vector<int> parts;
  const auto folders = Folders();
  for (const FolderObject& object : folders.front().objects) parts.push_back(object.part);
  EXPECT_THAT(parts, ElementsAre(1, 2, 99'999, 100'000));
}

TEST_F(ListRunFoldersTest, TheManifestIsNotedAndNotAmongTheObjects) {
  Add("run-1/data.json");
  Add("run-1/manifest.json");
  Add("run-2/data.json");
  const auto folders = Folders();
  ASSERT_THAT(folders, SizeIs(2));
  EXPECT_TRUE(folders[0].has_manifest);
  EXPECT_THAT(folders[0].objects, SizeIs(1));
  EXPECT_FALSE(folders[1].has_manifest);
}

TEST_F(ListRunFoldersTest, AStrangerIsAnObjectWithoutANumber) {
  Add("run-1/data.json");
  Add("run-1/notes.txt");
  const auto folders = Folders();
  ASSERT_THAT(folders, SizeIs(1));
  ASSERT_THAT(folders[0].objects, SizeIs(2));
  EXPECT_EQ(folders[0].objects[0].part, 0);
}

TEST_F(ListRunFoldersTest, ObjectsOutsideRunFoldersAreLeftOut) {
  Add("notes.txt");
  EXPECT_THAT(Folders(), IsEmpty());
}

TEST_F(ListRunFoldersTest, RunsOfOneDayAreFoldersOfTheirOwn) {
  Add("run-1/data.json");
  Add("run-2/data.json");
  const auto folders = Folders();
  ASSERT_THAT(folders, SizeIs(2));
  EXPECT_EQ(folders[0].run_id, "1");
  EXPECT_EQ(folders[1].run_id, "2");
}

}  // namespace
}  // namespace pcw::lake
