#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/result_matchers.h"
#include "pcw/base/file.h"
#include "pcw/base/time.h"
#include "pcw/lake/bronze_store.h"
#include "pcw/lake/layout.h"
#include "pcw/lake/part.h"
#include "pcw/lake/part_reader.h"
#include "pcw/lake/record_versions.h"
#include "pcw/lake/verify.h"

namespace pcw::lake {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

RecordMeta Meta(const std::string& id) {
  RecordMeta meta;
  meta.id = id;
  meta.operation = "GetOpportunity";
  meta.source = "get";
  return meta;
}

class LakeTest : public ::testing::Test {
 protected:
  static fs::path MakeRoot() {
    char name[] = "/tmp/pcw-lake-XXXXXX";
    return ::mkdtemp(name);
  }
  ~LakeTest() override { fs::remove_all(root); }

  // A run of one part with `records` records and its manifest.
  void PutRun(const std::string& prefix, int records) {
    PartBuilder part;
    for (int i = 0; i < records; ++i) part.Append(Meta("O" + std::to_string(i)), R"({"Id":"O"})");
    ASSERT_THAT(store.Put(PartKey(prefix, 1), part.text(), {}), Succeeds());
    Manifest manifest;
    manifest.run_id = "r";
    manifest.parts = {{PartKey(prefix, 1), Sha256Hex(part.text()), part.text().size(), records}};
    ASSERT_THAT(store.Put(ManifestKey(prefix), FormatManifest(manifest), {}), Succeeds());
  }
  std::vector<std::string> Problems() {
    std::vector<std::string> all;
    const auto report = VerifyBronze(store, "bronze/", {});
    for (const VerifyProblem& problem : report->problems) all.push_back(problem.what);
    return all;
  }

  const fs::path root = MakeRoot();
  DirectoryBronzeStore store{root};
  const std::string run = "bronze/partnercentral/opportunities/2026/11/23/run-1/";
};

TEST(LayoutTest, SpellsTheContractsKeys) {
  const std::string run =
      RunPrefix("partnercentral", "opportunities", *ParseRfc3339("2024-01-15T23:59:59Z"), "abc123");

  EXPECT_EQ(run, "bronze/partnercentral/opportunities/2024/01/15/run-abc123/");
  EXPECT_EQ(PartKey(run, 1), run + "data.json");
  EXPECT_EQ(PartKey(run, 2), run + "data-00002.json");
  EXPECT_EQ(ManifestKey(run), run + "manifest.json");
}

TEST(PartTest, KeepsPayloadsByteForByte) {
  PartBuilder part;
  const std::string payload =
      "{ \"Id\" : \"O1\", \"n\":1.10, \"t\":\"caf\\u00e9 \xf0\x9f\x98\x80\" }";

  part.Append(Meta("O\"1\\"), payload);
  const auto read = ScanPart(part.text(), LineDigests::kCheck);

  ASSERT_THAT(read, Succeeds());
  const auto& lines = read->lines;
  EXPECT_EQ(lines[0].payload, payload);
  EXPECT_EQ(lines[0].id, "O\"1\\");
  EXPECT_FALSE(lines[0].is_respaced);
}

TEST(PartTest, RawLineBreaksBetweenTokensBecomeSpacesAndTheDigestIsOfTheOriginal) {
  PartBuilder part;

  const AppendedLine line = part.Append(Meta("O1"), "{\n  \"Id\": \"O1\"\r\n}");
  const auto read = ScanPart(part.text(), LineDigests::kCheck);

  ASSERT_THAT(read, Succeeds());
  const auto& lines = read->lines;
  EXPECT_EQ(lines[0].payload, "{   \"Id\": \"O1\"  }");
  EXPECT_TRUE(lines[0].is_respaced);
  EXPECT_EQ(line.sha256, Sha256("{\n  \"Id\": \"O1\"\r\n}"));
  EXPECT_EQ(lines[0].sha256, line.sha256);
}

TEST(PartTest, ACompanionStandsBehindThePayloadByteForByte) {
  PartBuilder part;
  const std::string payload = R"({"a":",\"companion\":{"})";

  const AppendedLine line = part.Append(
      Meta("p1"), payload,
      {.operation = "GetProfileVisibility", .request_id = "r2", .fetched_at = "", .sha256 = {}},
      "{\"Visibility\":\n\"PUBLIC\"}");
  const auto read = ScanPart(part.text(), LineDigests::kCheck);

  ASSERT_THAT(read, Succeeds());
  const auto& lines = read->lines;
  EXPECT_EQ(lines[0].payload, payload);
  EXPECT_EQ(lines[0].companion, R"({"Visibility": "PUBLIC"})");
  EXPECT_EQ(lines[0].companion_operation, "GetProfileVisibility");
  EXPECT_EQ(lines[0].companion_sha256, line.companion_sha256);
  EXPECT_EQ(part.at(line.companion), R"({"Visibility": "PUBLIC"})");
}

TEST_F(LakeTest, NeverOverwritesAndAcceptsItsOwnBytesAgain) {
  ASSERT_THAT(store.Put(run + "data.json", "one", {}), Succeeds());

  EXPECT_THAT(store.Put(run + "data.json", "one", {}), Succeeds());
  EXPECT_THAT(store.Put(run + "data.json", "two", {}), FailsWith(ErrorCode::kConflict));
  EXPECT_EQ(*store.Get(run + "data.json", {}), "one");
}

TEST_F(LakeTest, LeavesNothingButTheObjectInARunFolder) {
  ASSERT_THAT(store.Put(run + "data.json", "one", {}), Succeeds());

  EXPECT_EQ(std::distance(fs::directory_iterator(root / run), fs::directory_iterator()), 1);
  EXPECT_EQ(store.List("bronze/", {})->size(), 1U);
}

TEST_F(LakeTest, KeysCannotLeaveTheLake) {
  fs::create_directories(root / "bronze");
  fs::create_directory_symlink("/tmp", root / "bronze" / "link");
  for (const char* key : {"", "/etc/passwd", "../x", "bronze/../../x", "bronze//x", "bronze/./x"}) {
    EXPECT_THAT(store.Put(key, "x", {}), FailsWith(ErrorCode::kInvalidRequest)) << key;
    EXPECT_THAT(store.Get(key, {}), FailsWith(ErrorCode::kInvalidRequest)) << key;
  }
  EXPECT_THAT(store.Put("bronze/link/x", "x", {}), FailsWith(ErrorCode::kConfig));
}

TEST_F(LakeTest, VerifyIsQuietAboutAWholeLake) {
  PutRun(run, 3);

  const auto report = VerifyBronze(store, "bronze/", {});

  ASSERT_THAT(report, Succeeds());
  EXPECT_THAT(report->problems, IsEmpty());
  EXPECT_EQ(report->records, 3);
  EXPECT_EQ(report->runs_without_manifest, 0);
}

TEST_F(LakeTest, VerifyFindsWhatWasChangedAddedOrTaken) {
  PutRun(run, 2);
  const fs::path part = root / (run + "data.json");
  const std::string good = *ReadFile(part, 1 << 20);

  std::ofstream(part) << good.substr(0, good.size() / 2);
  EXPECT_THAT(Problems(), testing::ElementsAre(HasSubstr("is not what the manifest says")));
  fs::remove(part);
  EXPECT_THAT(Problems(), testing::ElementsAre(HasSubstr("in the manifest but not in the lake")));
  std::ofstream(part) << good;
  std::ofstream(root / (run + "notes.txt")) << "hello";
  EXPECT_THAT(Problems(), testing::ElementsAre(HasSubstr("not in its manifest")));
}

TEST_F(LakeTest, VerifyReadsThePartsOfARunThatWasKilled) {
  PartBuilder part;
  part.Append(Meta("O1"), "{}");
  ASSERT_THAT(store.Put(PartKey(run, 1), part.text(), {}), Succeeds());

  const auto report = VerifyBronze(store, "bronze/", {});

  EXPECT_EQ(report->runs_without_manifest, 1);
  EXPECT_EQ(report->records, 1);
  EXPECT_THAT(report->problems, IsEmpty());
}

TEST_F(LakeTest, VerifyNamesEveryUnreadableLineAndCountsTheOthers) {
  PartBuilder part;
  for (const char* id : {"O1", "O2", "O3"}) part.Append(Meta(id), R"({"a":1})");
  std::string text(part.text());
  text.replace(text.find("\"a\":1"), 5, "\"a\":2");
  text += "<html>\n";
  ASSERT_THAT(store.Put(PartKey(run, 1), text, {}), Succeeds());

  const auto report = VerifyBronze(store, "bronze/", {});

  EXPECT_EQ(report->records, 2);
  EXPECT_THAT(Problems(), testing::ElementsAre(HasSubstr("line 1: the payload was altered"),
                                               HasSubstr("line 4: not a {")));
}

TEST_F(LakeTest, VersionsAreFoundByIdsWithControlCharactersAndQuotes) {
  const std::vector<std::string> ids{"a\tb",
                                     "a\nb",
                                     "a\x01"
                                     "b",
                                     "a\x7f",
                                     "a\"b\\",
                                     "caf\u00e9"};
  PartBuilder part;
  for (const std::string& id : ids) part.Append(Meta(id), "{}");
  ASSERT_THAT(store.Put(PartKey(run, 1), part.text(), {}), Succeeds());

  for (std::size_t i = 0; i < ids.size(); ++i) {
    const auto found = FindVersions(store, "bronze/", ids[i], {});
    ASSERT_THAT(found, Succeeds());
    ASSERT_EQ(found->versions.size(), 1U) << i;
    EXPECT_EQ(found->versions.front().line, static_cast<int>(i) + 1);
  }
}

TEST(ManifestTest, ComesBackAsItWasWritten) {
  Manifest manifest;
  manifest.run_id = "r";
  manifest.mapping_version = 3;
  manifest.parts = {{"k", "aa", 10, 2}};
  manifest.pages = {{"req", 100, "O1", "O9"}};

  const auto back = ParseManifest(FormatManifest(manifest));

  ASSERT_THAT(back, Succeeds());
  EXPECT_EQ(back->mapping_version, 3);
  EXPECT_EQ(back->parts[0].bytes, 10U);
  EXPECT_EQ(back->pages[0].last_id, "O9");
  EXPECT_THAT(ParseManifest("{}"), FailsWith(ErrorCode::kSchemaMismatch));
}

}  // namespace
}  // namespace pcw::lake
