#include "pcw/lake/record_versions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/memory_store.h"
#include "fakes/result_matchers.h"
#include "pcw/lake/part.h"

namespace pcw::lake {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class FindVersionsTest : public ::testing::Test {
 protected:
  struct Line {
    std::string id, served_at, payload;
  };
  std::string Put(const std::string& run, const std::vector<Line>& lines) {
    PartBuilder part;
    for (const Line& line : lines) {
      RecordMeta meta;
      meta.id = line.id;
      meta.operation = "GetOpportunity";
      meta.source = "get";
      meta.fetched_at = line.served_at;
      meta.served_at = line.served_at;
      part.Append(meta, line.payload);
    }
    std::string key = "bronze/p/o/2026/11/23/run-" + run + "/data.json";
    store.objects.emplace(key, part.text());
    return key;
  }
  RecordVersions Find(std::string_view id) { return *FindVersions(store, "bronze/", id, {}); }
  std::vector<std::string> Payloads(std::string_view id) {
    std::vector<std::string> payloads;
    for (const RecordVersion& version : Find(id).versions) payloads.push_back(version.payload);
    return payloads;
  }
  MemoryBronzeStore store;
};

TEST_F(FindVersionsTest, ARecordThatNobodyFetchedHasNone) {
  Put("1", {{"O1", "2026-11-23T08:00:00Z", "{}"}});
  EXPECT_THAT(Find("O2").versions, IsEmpty());
}

TEST_F(FindVersionsTest, VersionsComeAsAwsServedThemWhateverTheirRunsAreCalled) {
  Put("1", {{"O1", "2026-11-23T09:00:00Z", R"({"v":2})"}});
  Put("2", {{"O1", "2026-11-23T08:00:00Z", R"({"v":1})"}});
  EXPECT_THAT(Payloads("O1"), ElementsAre(R"({"v":1})", R"({"v":2})"));
}

TEST_F(FindVersionsTest, AnIdThatOnlyBeginsTheSameIsAnothers) {
  Put("1", {{"O10", "2026-11-23T08:00:00Z", "{}"}});
  EXPECT_THAT(Find("O1").versions, IsEmpty());
}

TEST_F(FindVersionsTest, TheLineIsCountedFromOne) {
  Put("1", {{"O1", "2026-11-23T08:00:00Z", "{}"},
            {"O2", "2026-11-23T08:00:00Z", "{}"},
            {"O3", "2026-11-23T08:00:00Z", "{}"}});
  EXPECT_EQ(Find("O1").versions.front().line, 1);
  EXPECT_EQ(Find("O3").versions.front().line, 3);
}

TEST_F(FindVersionsTest, TwoVersionsInOneObjectHaveTheirOwnLines) {
  Put("1", {{"O1", "2026-11-23T08:00:00Z", R"({"v":1})"},
            {"O2", "2026-11-23T08:00:00Z", "{}"},
            {"O1", "2026-11-23T08:00:01Z", R"({"v":2})"}});
  const RecordVersions found = Find("O1");
  ASSERT_THAT(found.versions, SizeIs(2));
  EXPECT_EQ(found.versions[0].line, 1);
  EXPECT_EQ(found.versions[1].line, 3);
}

TEST_F(FindVersionsTest, AMentionInAnotherRecordsPayloadIsNoVersion) {
  Put("1", {{"O2", "2026-11-23T08:00:00Z", R"({"note":"{\"meta\":{\"id\":\"O1\","})"}});
  EXPECT_THAT(Find("O1").versions, IsEmpty());
}

TEST_F(FindVersionsTest, AnObjectThatCannotBeReadIsAProblemAndTheOthersAreSearched) {
  const std::string key = Put("1", {{"O1", "2026-11-23T08:00:00Z", "{}"}});
  Put("2", {{"O1", "2026-11-23T09:00:00Z", "{}"}});
  store.broken_keys.emplace(key, Error(ErrorCode::kPermissionDenied, "not ours"));
  const RecordVersions found = Find("O1");
  EXPECT_THAT(found.versions, SizeIs(1));
  EXPECT_THAT(found.problems, ElementsAre(key + ": not ours"));
}

TEST_F(FindVersionsTest, ADamagedLineIsAProblemWithItsPlace) {
  const std::string key = Put(
      "1", {{"O2", "2026-11-23T08:00:00Z", "{}"}, {"O1", "2026-11-23T08:00:00Z", R"({"v":1})"}});
  std::string& text = store.objects[key];
  text.replace(text.find(R"({"v":1})"), 7, R"({"v":9})");
  const RecordVersions found = Find("O1");
  EXPECT_THAT(found.versions, IsEmpty());
  EXPECT_THAT(found.problems, ElementsAre(HasSubstr(key + ", line 2: ")));
}

TEST_F(FindVersionsTest, AStoppedStoreEndsTheSearch) {
  const std::string key = Put("1", {{"O1", "2026-11-23T08:00:00Z", "{}"}});
  store.broken_keys.emplace(key, Error(ErrorCode::kCancelled, "stopped"));
  EXPECT_THAT(FindVersions(store, "bronze/", "O1", {}), FailsWith(ErrorCode::kCancelled));
}

TEST_F(FindVersionsTest, AStopEndsTheSearchBeforeTheNextObject) {
  Put("1", {{"O1", "2026-11-23T08:00:00Z", "{}"}});
  std::stop_source stop;
  stop.request_stop();
  EXPECT_THAT(FindVersions(store, "bronze/", "O1", stop.get_token()),
              FailsWith(ErrorCode::kCancelled));
  EXPECT_EQ(store.gets, 0);
}

}  // namespace
}  // namespace pcw::lake
