#include "pcw/reingest/reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/memory_store.h"
#include "fakes/result_matchers.h"
#include "pcw/base/time.h"
#include "pcw/lake/layout.h"

namespace pcw::reingest {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class BronzeReaderTest : public ::testing::Test {
 protected:
  static std::string Folder(const std::string& run, const std::string& day = "2026/11/20") {
    return "bronze/p/leads/" + day + "/run-" + run + "/";
  }
  std::string PutPart(const std::string& folder, int number, int records = 1) {
    lake::PartBuilder part;
    for (int i = 0; i < records; ++i) {
      lake::RecordMeta meta;
      meta.id = "L" + std::to_string(i);
      meta.operation = "GetEngagement";
      meta.source = "get";
      part.Append(meta, "{}");
    }
    std::string key = lake::PartKey(folder, number);
    store.objects[key] = part.text();
    return key;
  }
  void PutManifest(const std::string& folder, std::vector<lake::ManifestPart> parts,
                   const std::string& ended_at = "2026-11-20T09:00:00Z") {
    lake::Manifest manifest;
    manifest.catalog = "Sandbox";
    manifest.ended_at = ended_at;
    manifest.parts = std::move(parts);
    store.objects[lake::ManifestKey(folder)] = lake::FormatManifest(manifest);
  }
  lake::ManifestPart Promised(const std::string& key, int records = 1) {
    const std::string& text = store.objects[key];
    return {key, Sha256Hex(text), text.size(), records};
  }
  /// A run of one part with its manifest.
  std::string PutRun(const std::string& run, const std::string& day = "2026/11/20") {
    const std::string key = PutPart(Folder(run, day), 1);
    PutManifest(Folder(run, day), {Promised(key)});
    return key;
  }
  std::vector<ReadObject> Read(ObjectFilter filter = {}) {
    BronzeReader reader(store, *lake::ListRunFolders(store, "bronze/", {}), std::move(filter), {});
    std::vector<ReadObject> objects;
    for (;;) {
      auto next = reader.Next();
      EXPECT_THAT(next, Succeeds());
      if (!next || !*next) return objects;
      objects.push_back(std::move(**next));
    }
  }
  std::vector<std::string> Keys(ObjectFilter filter = {}) {
    std::vector<std::string> keys;
    for (const ReadObject& object : Read(std::move(filter))) keys.push_back(object.key);
    return keys;
  }
  std::string OnlyRejection() {
    std::vector<std::string> reasons;
    for (const ReadObject& object : Read()) {
      if (object.rejected) reasons.push_back(*object.rejected);
    }
    return reasons.size() == 1 ? reasons.front() : std::to_string(reasons.size()) + " rejections";
  }
  lake::MemoryBronzeStore store;
};

TEST_F(BronzeReaderTest, AnEmptyLakeHasNothing) { EXPECT_THAT(Read(), IsEmpty()); }

TEST_F(BronzeReaderTest, ARunIsReadByItsManifestWhichNamesItsCatalog) {
  const std::string key = PutRun("a");
  const auto objects = Read();
  ASSERT_EQ(objects.size(), 1U);
  EXPECT_EQ(objects[0].key, key);
  EXPECT_EQ(objects[0].run_id, "a");
  EXPECT_EQ(objects[0].catalog, "Sandbox");
  EXPECT_EQ(objects[0].part.lines.size(), 1U);
  EXPECT_FALSE(objects[0].rejected);
}

TEST_F(BronzeReaderTest, ARunThatDidNotFinishIsReadLineByLine) {
  PutPart(Folder("a"), 1, 2);
  const auto objects = Read();
  ASSERT_EQ(objects.size(), 1U);
  EXPECT_EQ(objects[0].catalog, "");
  EXPECT_EQ(objects[0].part.lines.size(), 2U);
}

TEST_F(BronzeReaderTest, PartsComeInTheOrderInWhichTheyWereWritten) {
  const std::string second = PutPart(Folder("a"), 2);
  const std::string first = PutPart(Folder("a"), 1);
  EXPECT_THAT(Keys(), ElementsAre(first, second));
}

TEST_F(BronzeReaderTest, APartThatIsNotWhatTheManifestSaysIsRejected) {
  const std::string key = PutRun("a");
  store.objects[key] += " ";
  EXPECT_THAT(OnlyRejection(), HasSubstr("is not what the manifest says"));
}

TEST_F(BronzeReaderTest, APartWithAnotherNumberOfRecordsIsRejected) {
  const std::string key = PutPart(Folder("a"), 1);
  PutManifest(Folder("a"), {Promised(key, 2)});
  EXPECT_EQ(OnlyRejection(), "holds 1 records, the manifest says 2");
}

TEST_F(BronzeReaderTest, APartThatIsGoneIsRejectedAndTheOthersAreRead) {
  const std::string first = PutPart(Folder("a"), 1);
  const std::string second = PutPart(Folder("a"), 2);
  PutManifest(Folder("a"), {Promised(first), Promised(second)});
  store.objects.erase(first);
  const auto objects = Read();
  ASSERT_EQ(objects.size(), 2U);
  EXPECT_EQ(objects[0].rejected, "is in the manifest but not in the lake");
  EXPECT_FALSE(objects[1].rejected);
}

TEST_F(BronzeReaderTest, AnObjectThatTheManifestDoesNotNameIsRejected) {
  PutRun("a");
  PutPart(Folder("a"), 2);
  EXPECT_EQ(OnlyRejection(), "lies in a run folder but is not in its manifest");
}

TEST_F(BronzeReaderTest, AManifestThatNamesAnothersPartIsRejected) {
  const std::string others = PutRun("b");
  PutManifest(Folder("a"), {Promised(others)});
  EXPECT_THAT(OnlyRejection(), HasSubstr("which is not a part of this run"));
}

TEST_F(BronzeReaderTest, AManifestThatCannotBeReadIsRejectedAndItsPartsAreReadLineByLine) {
  PutPart(Folder("a"), 1);
  store.objects[lake::ManifestKey(Folder("a"))] = "{";
  const auto objects = Read();
  ASSERT_EQ(objects.size(), 2U);
  EXPECT_THAT(*objects[0].rejected, HasSubstr("its parts are read line by line"));
  EXPECT_FALSE(objects[1].rejected);
}

TEST_F(BronzeReaderTest, AStrangerInARunFolderIsRejected) {
  PutPart(Folder("a"), 1);
  store.objects[Folder("a") + "notes.txt"] = "x";
  EXPECT_EQ(OnlyRejection(), "lies in a run folder and is not a part");
}

TEST_F(BronzeReaderTest, ALakeOutOfReachEndsTheReading) {
  const std::string key = PutRun("a");
  store.broken_keys.emplace(key, Error(ErrorCode::kUnavailable, "503"));
  BronzeReader reader(store, *lake::ListRunFolders(store, "bronze/", {}), {}, {});
  EXPECT_THAT(reader.Next(), FailsWith(ErrorCode::kUnavailable));
}

TEST_F(BronzeReaderTest, AnObjectThatThisRoleMayNotReadEndsNothing) {
  const std::string key = PutRun("a");
  PutRun("b");
  store.broken_keys.emplace(key, Error(ErrorCode::kPermissionDenied, "the key is not ours"));
  EXPECT_EQ(OnlyRejection(), "the key is not ours");
}

TEST_F(BronzeReaderTest, OnlyTheRunThatIsNamedIsRead) {
  PutRun("aa");
  const std::string key = PutRun("ab");
  ObjectFilter filter;
  filter.run = "ab";
  EXPECT_THAT(Keys(filter), ElementsAre(key));
}

TEST_F(BronzeReaderTest, RunsThatEndedBeforeAreLeftOut) {
  PutRun("a");
  ObjectFilter filter;
  filter.since = *ParseRfc3339("2026-11-20T09:00:00.001Z");
  EXPECT_THAT(Keys(filter), IsEmpty());
  filter.since = *ParseRfc3339("2026-11-20T09:00:00Z");
  EXPECT_EQ(Keys(filter).size(), 1U);
}

TEST_F(BronzeReaderTest, ARunThatDidNotFinishMayHoldLaterRecordsAndIsRead) {
  const std::string key = PutPart(Folder("a"), 1);
  ObjectFilter filter;
  filter.since = *ParseRfc3339("2027-01-01T00:00:00Z");
  EXPECT_THAT(Keys(filter), ElementsAre(key));
}

TEST_F(BronzeReaderTest, RunsOfLaterDaysAreLeftOut) {
  const std::string key = PutRun("a", "2026/11/20");
  PutRun("b", "2026/11/21");
  ObjectFilter filter;
  filter.until_day = "2026/11/20";
  EXPECT_THAT(Keys(filter), ElementsAre(key));
}

TEST_F(BronzeReaderTest, OnlyTheObjectsThatAreNamedAreRead) {
  const std::string first = PutPart(Folder("a"), 1);
  PutPart(Folder("a"), 2);
  ObjectFilter filter;
  filter.keys = {first};
  EXPECT_THAT(Keys(filter), ElementsAre(first));
}

TEST_F(BronzeReaderTest, WhereNoObjectIsNamedNotEvenTheManifestIsRead) {
  PutRun("a");
  const std::string key = PutRun("b");
  ObjectFilter filter;
  filter.keys = {key};
  EXPECT_THAT(Keys(filter), ElementsAre(key));
  EXPECT_EQ(store.gets, 2) << "the manifest and the part of run b";
}

TEST_F(BronzeReaderTest, GoesOnBehindTheLastObjectThatIsDone) {
  PutRun("a");
  const std::string done = PutPart(Folder("b"), 1);
  const std::string next = PutPart(Folder("b"), 2);
  const std::string last = PutPart(Folder("c"), 1);
  ObjectFilter filter;
  filter.after_key = done;
  EXPECT_THAT(Keys(filter), ElementsAre(next, last));
}

}  // namespace
}  // namespace pcw::reingest
