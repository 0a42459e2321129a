#include "pcw/reingest/order.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/memory_store.h"
#include "fakes/result_matchers.h"
#include "pcw/base/time.h"
#include "pcw/lake/layout.h"
#include "pcw/lake/part.h"

namespace pcw::reingest {
namespace {

using ::testing::ElementsAre;

WallTime Moment(const char* text) { return *ParseRfc3339(text); }

class InServedOrderTest : public ::testing::Test {
 protected:
  static std::string Prefix(const std::string& day, const std::string& run) {
    return "bronze/p/leads/" + day + "/run-" + run + "/";
  }
  /// A run folder whose only part was served then.
  void AddPart(const std::string& day, const std::string& run, const std::string& served_at,
               const std::string& fetched_at) {
    lake::PartBuilder part;
    lake::RecordMeta meta;
    meta.id = "L1";
    meta.operation = "GetEngagement";
    meta.source = "get";
    meta.served_at = served_at;
    meta.fetched_at = fetched_at;
    part.Append(meta, "{}");
    store.objects.emplace(lake::PartKey(Prefix(day, run), 1), part.text());
  }
  void AddManifest(const std::string& day, const std::string& run, const std::string& served_from,
                   const std::string& started_at) {
    lake::Manifest manifest;
    manifest.run_id = run;
    manifest.served_from = served_from;
    manifest.started_at = started_at;
    store.objects.emplace(lake::ManifestKey(Prefix(day, run)), lake::FormatManifest(manifest));
  }
  std::vector<std::string> Order() {
    const auto ordered =
        InServedOrder(*lake::ListRunFolders(store, "bronze/", {}), store, known, {});
    EXPECT_THAT(ordered, Succeeds());
    std::vector<std::string> runs;
    for (const lake::RunFolder& folder : *ordered) runs.push_back(folder.run_id);
    return runs;
  }
  lake::MemoryBronzeStore store;
  KnownRunTimes known;
};

TEST_F(InServedOrderTest, TheRunThatAwsAnsweredFirstComesFirstWhateverItsName) {
  AddPart("2026/11/20", "a", "2026-11-20T10:00:00Z", "");
  AddPart("2026/11/20", "b", "2026-11-20T09:00:00Z", "");
  EXPECT_THAT(Order(), ElementsAre("b", "a"));
}

TEST_F(InServedOrderTest, WhatTheRunsRowKnowsIsNotReadFromTheLake) {
  AddPart("2026/11/20", "a", "2026-11-20T01:00:00Z", "");
  AddPart("2026/11/20", "b", "2026-11-20T02:00:00Z", "");
  known["a"].served = Moment("2026-11-20T10:00:00Z");
  known["b"].served = Moment("2026-11-20T09:00:00Z");
  EXPECT_THAT(Order(), ElementsAre("b", "a"));
  EXPECT_EQ(store.gets, 0);
}

TEST_F(InServedOrderTest, TheManifestIsAskedBeforeAPart) {
  AddPart("2026/11/20", "a", "2026-11-20T01:00:00Z", "");
  AddManifest("2026/11/20", "a", "2026-11-20T10:00:00Z", "2026-11-20T10:00:00Z");
  AddPart("2026/11/20", "b", "2026-11-20T09:00:00Z", "");
  EXPECT_THAT(Order(), ElementsAre("b", "a"));
  EXPECT_EQ(store.gets, 2);
}

TEST_F(InServedOrderTest, RunsOfOneSecondGoByTheirStart) {
  known["a"] = {.served = Moment("2026-11-20T09:00:00Z"),
                .started = Moment("2026-11-20T08:59:59.500Z")};
  known["b"] = {.served = Moment("2026-11-20T09:00:00Z"),
                .started = Moment("2026-11-20T08:59:59.100Z")};
  AddPart("2026/11/20", "a", "", "");
  AddPart("2026/11/20", "b", "", "");
  EXPECT_THAT(Order(), ElementsAre("b", "a"));
}

TEST_F(InServedOrderTest, WhatIsEqualInEverythingKeepsTheOrderOfTheFolders) {
  known["a"] = {.served = Moment("2026-11-20T09:00:00Z"),
                .started = Moment("2026-11-20T09:00:00Z")};
  known["b"] = known["a"];
  AddPart("2026/11/20", "b", "", "");
  AddPart("2026/11/20", "a", "", "");
  EXPECT_THAT(Order(), ElementsAre("a", "b"));
}

TEST_F(InServedOrderTest, WhereAwsSentNoDateTheTimeOfFetchingCounts) {
  AddPart("2026/11/20", "a", "", "2026-11-20T10:00:00Z");
  AddPart("2026/11/20", "b", "2026-11-20T09:00:00Z", "");
  EXPECT_THAT(Order(), ElementsAre("b", "a"));
}

TEST_F(InServedOrderTest, AFolderThatTellsNothingGoesByItsDay) {
  store.objects.emplace(Prefix("2026/11/21", "a") + "data.json", "damaged");
  AddPart("2026/11/20", "b", "2026-11-21T00:00:01Z", "");
  EXPECT_THAT(Order(), ElementsAre("a", "b")) << "midnight of the 21st";
}

TEST_F(InServedOrderTest, AFolderThatTellsNothingGoesByItsRunsStartIfThatIsKnown) {
  store.objects.emplace(Prefix("2026/11/20", "a") + "data.json", "damaged");
  known["a"].started = Moment("2026-11-22T00:00:00Z");
  AddPart("2026/11/20", "b", "2026-11-21T00:00:00Z", "");
  EXPECT_THAT(Order(), ElementsAre("b", "a"));
}

TEST_F(InServedOrderTest, AnObjectThatCannotBeReadTellsNothing) {
  AddPart("2026/11/20", "a", "2026-11-20T10:00:00Z", "");
  AddPart("2026/11/21", "b", "2026-11-19T10:00:00Z", "");
  store.broken_keys.emplace(lake::PartKey(Prefix("2026/11/20", "a"), 1),
                            Error(ErrorCode::kPermissionDenied, "not ours"));
  EXPECT_THAT(Order(), ElementsAre("b", "a"));
}

TEST_F(InServedOrderTest, ALakeOutOfReachIsTold) {
  AddPart("2026/11/20", "a", "2026-11-20T10:00:00Z", "");
  AddPart("2026/11/21", "b", "2026-11-19T10:00:00Z", "");
  store.broken_keys.emplace(lake::PartKey(Prefix("2026/11/20", "a"), 1),
                            Error(ErrorCode::kUnavailable, "503"));
  EXPECT_THAT(InServedOrder(*lake::ListRunFolders(store, "bronze/", {}), store, known, {}),
              FailsWith(ErrorCode::kUnavailable));
}

TEST_F(InServedOrderTest, AStopIsHeardBetweenFolders) {
  AddPart("2026/11/20", "a", "2026-11-20T10:00:00Z", "");
  std::stop_source stop;
  stop.request_stop();
  EXPECT_THAT(
      InServedOrder(*lake::ListRunFolders(store, "bronze/", {}), store, known, stop.get_token()),
      FailsWith(ErrorCode::kCancelled));
}

FolderPlaces PlacesOf(const std::vector<std::string>& prefixes) {
  std::vector<lake::RunFolder> folders;
  for (const std::string& prefix : prefixes)
    folders.push_back({.prefix = prefix, .run_id = "", .objects = {}});
  return FolderPlaces(folders);
}

TEST(FolderPlacesTest, AnEarlierFolderIsEarlierWhateverItsName) {
  const FolderPlaces places = PlacesOf({"d/run-z/", "d/run-a/"});
  EXPECT_TRUE(places.IsEarlierRun("d/run-z/data.json", "d/run-a/data.json"));
  EXPECT_FALSE(places.IsEarlierRun("d/run-a/data.json", "d/run-z/data.json"));
}

TEST(FolderPlacesTest, ObjectsOfOneRunAreNotEarlierThanEachOther) {
  const FolderPlaces places = PlacesOf({"d/run-a/"});
  EXPECT_FALSE(places.IsEarlierRun("d/run-a/data.json", "d/run-a/data-00002.json"));
}

TEST(FolderPlacesTest, AnObjectOfAFolderThatIsGoneIsEarlierThanAny) {
  const FolderPlaces places = PlacesOf({"d/run-a/"});
  EXPECT_TRUE(places.IsEarlierRun("d/run-gone/data.json", "d/run-a/data.json"));
  EXPECT_FALSE(places.IsEarlierRun("d/run-a/data.json", "d/run-gone/data.json"));
}

TEST(FolderPlacesTest, AKeyOutsideRunFoldersIsEarlierThanAny) {
  EXPECT_TRUE(PlacesOf({"d/run-a/"}).IsEarlierRun("notes.txt", "d/run-a/data.json"));
}

}  // namespace
}  // namespace pcw::reingest
