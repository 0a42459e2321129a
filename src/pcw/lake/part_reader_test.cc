#include "pcw/lake/part_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/result_matchers.h"
#include "pcw/lake/part.h"
#include "pcw/lake/selection.h"

namespace pcw::lake {
namespace {

using ::testing::HasSubstr;

// A part with what makes a line hard to read: escapes, respaced payloads, companions, braces in
// texts.
std::string DifficultPart() {
  PartBuilder part;
  RecordMeta meta;
  meta.id = "O\"1\\}";
  meta.operation = "GetOpportunity";
  meta.request_id = "r-1";
  meta.fetched_at = "2026-11-20T08:00:00Z";
  meta.served_at = "2026-11-20T08:00:01Z";
  meta.version = "caf\u00e9 \"}\"";
  meta.source = "list";
  meta.index = 7;
  part.Append(meta, R"({"Id":"O1","text":"}\",\"companion\":{"})");
  meta.id = "O2";
  part.Append(meta, "{\n\"Id\" : \"O2\"\r\n}");
  CompanionMeta companion;
  companion.operation = "GetProfileVisibility";
  companion.request_id = "r-2";
  part.Append(meta, R"({"Id":"O3"})", companion, "{\"Visibility\":\n\"PUBLIC\"}");
  return std::string(part.text());
}

TEST(ScanPartTest, ReadsWhatReadPartReads) {
  const std::string text = DifficultPart();

  for (const LineDigests digests : {LineDigests::kCheck, LineDigests::kVouched}) {
    const Result<ScannedPart> scanned = ScanPart(text, digests);
    const Result<std::vector<PartLine>> read = ReadPart(text);

    ASSERT_THAT(scanned, Succeeds());
    ASSERT_THAT(read, Succeeds());
    ASSERT_EQ(scanned->lines.size(), read->size());
    for (std::size_t i = 0; i < read->size(); ++i) {
      const ScannedLine& line = scanned->lines[i];
      const PartLine& expected = (*read)[i];
      EXPECT_EQ(line.line, expected.line);
      EXPECT_EQ(line.id, expected.meta.id);
      EXPECT_EQ(line.operation, expected.meta.operation);
      EXPECT_EQ(line.request_id, expected.meta.request_id);
      EXPECT_EQ(line.fetched_at, expected.meta.fetched_at);
      EXPECT_EQ(line.served_at, expected.meta.served_at);
      EXPECT_EQ(line.version, expected.meta.version);
      EXPECT_EQ(line.sha256, expected.meta.sha256);
      EXPECT_EQ(line.is_respaced, expected.meta.is_respaced);
      EXPECT_EQ(line.payload, expected.payload);
      EXPECT_EQ(line.companion, expected.companion);
      EXPECT_EQ(line.companion_operation, expected.companion_meta.operation);
    }
  }
}

TEST(ScanPartTest, RefusesEveryCutOfAPart) {
  const std::string text = DifficultPart();

  for (std::size_t size = 0; size < text.size(); ++size) {
    const bool is_whole_line = size > 0 && text[size - 1] == '\n';
    EXPECT_EQ(ScanPart(std::string_view(text).substr(0, size), LineDigests::kVouched).has_value(),
              is_whole_line)
        << size;
  }
}

struct Spoilt {
  std::string text;
  std::string what;
};

TEST(ScanPartTest, RefusesWhatIsNoPartAndSaysWhy) {
  const std::string good = DifficultPart();
  std::string altered = good;
  altered[altered.find("\"Id\":\"O3\"") + 6] = 'P';
  std::string with_nul = good;
  with_nul[good.size() - 4] = '\0';
  const std::vector<Spoilt> cases{
      {"", "empty"},
      {"\x1f\x8b\x08" + good, "gzip"},
      {"\xef\xbb\xbf" + good, "byte order mark"},
      {with_nul, "line 3: holds a NUL byte"},
      {good + "<html>\n", "line 4: not a {\"meta\""},
      {altered, "line 3: the payload was altered"},
      {"{\"meta\":{\"operation\":\"x\",\"sha256\":\"\"},\"payload\":{}}\n", "names no record"},
      {"{\"meta\":{\"id\":\"x\",\"operation\":\"y\",\"sha256\":\"12\"},\"payload\":{}}\n",
       "meta.sha256 is not a SHA-256"},
      {"{\"meta\":{\"id\":{}},\"payload\":{}}\n", "meta is not an object of plain members"},
      {"{\"meta\":{\"size\":99,\"id\":\"x\",\"operation\":\"y\"},\"payload\":{}}\n", "meta.size"},
      {std::string(kLongestLine + 1, 'x') + "\n", "bytes long"},
  };

  for (const Spoilt& spoilt : cases) {
    const Result<ScannedPart> part = ScanPart(spoilt.text, LineDigests::kCheck);
    ASSERT_FALSE(part.has_value()) << spoilt.what;
    EXPECT_EQ(part.error().code(), ErrorCode::kSchemaMismatch);
    EXPECT_THAT(part.error().message(), HasSubstr(spoilt.what));
  }
}

TEST(IsBeforeTest, OrdersPartsAsTheyWereWritten) {
  const std::string run = "bronze/partnercentral/opportunities/2026/11/23/run-a/";
  const std::string later = "bronze/partnercentral/opportunities/2026/11/24/run-a/";

  EXPECT_TRUE(IsBefore(run + "data.json", run + "data-00002.json"));
  EXPECT_FALSE(IsBefore(run + "data-00002.json", run + "data.json"));
  EXPECT_TRUE(IsBefore(run + "data-00002.json", run + "data-00010.json"));
  EXPECT_TRUE(IsBefore(run + "data-00010.json", later + "data.json"));
  EXPECT_FALSE(IsBefore(run + "data.json", run + "data.json"));
}

TEST(SplitKeyTest, KnowsRunPartAndWhatIsNeither) {
  const std::string run = "bronze/partnercentral/opportunities/2026/11/23/run-abc/";

  EXPECT_EQ(SplitKey(run + "data-00012.json")->part, 12);
  EXPECT_EQ(SplitKey(run + "data-00012.json")->run_id, "abc");
  EXPECT_EQ(SplitKey(run + "data.json")->part, 1);
  for (const char* name : {"manifest.json", "data-1x.json", "data-00001.json", "notes.txt"})
    EXPECT_EQ(SplitKey(run + name)->part, 0) << name;
  EXPECT_FALSE(SplitKey("bronze/partnercentral/data.json").has_value());
}

}  // namespace
}  // namespace pcw::lake
