#include "pcw/lake/part_reader.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/result_matchers.h"
#include "pcw/base/json_form.h"
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

TEST(ScanPartTest, ReadsEveryMemberOfEveryLine) {
  const std::string text = DifficultPart();

  for (const LineDigests digests : {LineDigests::kCheck, LineDigests::kVouched}) {
    const Result<ScannedPart> part = ScanPart(text, digests);

    ASSERT_THAT(part, Succeeds());
    EXPECT_TRUE(part->unreadable.empty());
    ASSERT_EQ(part->lines.size(), 3U);
    const ScannedLine& first = part->lines[0];
    EXPECT_EQ(first.line, 1);
    EXPECT_EQ(first.id, "O\"1\\}");
    EXPECT_EQ(first.operation, "GetOpportunity");
    EXPECT_EQ(first.request_id, "r-1");
    EXPECT_EQ(first.fetched_at, "2026-11-20T08:00:00Z");
    EXPECT_EQ(first.served_at, "2026-11-20T08:00:01Z");
    EXPECT_EQ(first.version, "caf\u00e9 \"}\"");
    EXPECT_EQ(first.source, "list");
    EXPECT_EQ(first.index, 7);
    EXPECT_EQ(first.payload, R"({"Id":"O1","text":"}\",\"companion\":{"})");
    EXPECT_EQ(first.sha256, Sha256(first.payload));
    EXPECT_EQ(first.malformed, "");
    EXPECT_EQ(part->lines[1].payload, "{ \"Id\" : \"O2\"  }");
    EXPECT_TRUE(part->lines[1].is_respaced);
    EXPECT_EQ(part->lines[2].line, 3);
    EXPECT_EQ(part->lines[2].payload, R"({"Id":"O3"})");
    EXPECT_EQ(part->lines[2].companion, "{\"Visibility\": \"PUBLIC\"}");
    EXPECT_EQ(part->lines[2].companion_operation, "GetProfileVisibility");
    EXPECT_EQ(part->lines[2].companion_request_id, "r-2");
  }
}

TEST(ScanPartTest, GivesBackTheBytesOfWhatIsNotWellFormed) {
  const std::string bad = "{\"Id\":\"O1\",\"t\":\"\xff\n\"}";
  const std::string deep = "\xEF\xBB\xBF" + std::string(100'000, '[');
  PartBuilder builder;
  RecordMeta meta;
  meta.id = "O1";
  meta.operation = "GetOpportunity";
  EXPECT_EQ(builder.Append(meta, bad).malformed, "not UTF-8 at byte 16");
  CompanionMeta companion;
  companion.operation = "GetProfileVisibility";
  EXPECT_EQ(builder.Append(meta, bad, companion, "{}").malformed, "not UTF-8 at byte 16");
  EXPECT_EQ(builder.Append(meta, "{\n}", companion, bad).malformed, "not UTF-8 at byte 16");
  EXPECT_EQ(builder.Append(meta, deep).malformed, "a byte order mark at its beginning");
  EXPECT_EQ(builder.Append(meta, R"({"n":1e400,"m":18446744073709551616})").malformed, "");

  const Result<ScannedPart> part = ScanPart(builder.text(), LineDigests::kCheck);

  ASSERT_THAT(part, Succeeds());
  EXPECT_TRUE(part->unreadable.empty());
  ASSERT_EQ(part->lines.size(), 5U);
  EXPECT_EQ(part->lines[0].payload, bad);
  EXPECT_EQ(part->lines[0].malformed, "not UTF-8 at byte 16");
  EXPECT_EQ(part->lines[1].payload, bad);
  EXPECT_EQ(part->lines[1].companion, "{}");
  EXPECT_EQ(part->lines[2].payload, "{ }");
  EXPECT_EQ(part->lines[2].companion, bad);
  EXPECT_EQ(part->lines[2].malformed, "not UTF-8 at byte 16");
  EXPECT_EQ(part->lines[3].payload, deep);
  EXPECT_EQ(part->lines[4].payload, R"({"n":1e400,"m":18446744073709551616})");
}

TEST(ScanPartTest, EveryLineThatIsBuiltIsWellFormedWhateverStandsInMeta) {
  PartBuilder builder;
  RecordMeta meta;
  meta.id = "a\tb\x01";
  meta.operation = "GetOpportunity";
  meta.request_id = "r\xff\"";
  meta.version = "\xed\xa0\xbd";
  builder.Append(meta, "{\"a\":\"\\ud83d\"}");
  std::string_view text = builder.text();
  text.remove_suffix(1);

  EXPECT_EQ(WhyMalformed(text), "");
  const Result<ScannedPart> part = ScanPart(builder.text(), LineDigests::kCheck);
  ASSERT_THAT(part, Succeeds());
  ASSERT_EQ(part->lines.size(), 1U);
  EXPECT_EQ(part->lines[0].id, meta.id);
  EXPECT_EQ(part->lines[0].request_id, "r\\xff\"");
}

TEST(ScanPartTest, ReadsOlderLinesWhoseHeadersWereStoredAsTheyCame) {
  const std::string text =
      "{\"meta\":{\"id\":\"O1\",\"operation\":\"y\",\"request_id\":\"r\xff\\\"\","
      "\"sha256\":\"" +
      Sha256Hex("{}") + "\"},\"payload\":{}}\n";

  const Result<ScannedPart> part = ScanPart(text, LineDigests::kCheck);

  ASSERT_THAT(part, Succeeds());
  EXPECT_TRUE(part->unreadable.empty());
  EXPECT_EQ(part->lines.at(0).request_id, "r\\xff\"");
}

TEST(ScanPartTest, FindsEveryCutOfAPart) {
  const std::string text = DifficultPart();

  for (std::size_t size = 1; size < text.size(); ++size) {
    const std::string_view cut = std::string_view(text).substr(0, size);
    const Result<ScannedPart> part = ScanPart(cut, LineDigests::kVouched);
    ASSERT_THAT(part, Succeeds());
    EXPECT_EQ(part->unreadable.empty(), cut.back() == '\n') << size;
    EXPECT_EQ(part->lines.size(),
              static_cast<std::size_t>(std::count(cut.begin(), cut.end(), '\n')));
  }
}

TEST(ScanPartTest, RefusesWhatIsNoPartAtAll) {
  for (const auto& [text, what] : std::vector<std::pair<std::string, std::string>>{
           {"", "empty"}, {"\x1f\x8b\x08" + DifficultPart(), "gzip"}}) {
    const Result<ScannedPart> part = ScanPart(text, LineDigests::kCheck);
    ASSERT_FALSE(part.has_value()) << what;
    EXPECT_EQ(part.error().code(), ErrorCode::kSchemaMismatch);
    EXPECT_THAT(part.error().message(), HasSubstr(what));
  }
}

TEST(ScanPartTest, OneUnreadableLineTakesNoNeighbourAndSaysWhy) {
  const std::string good = DifficultPart();
  std::string altered = good;
  altered[altered.find("\"Id\":\"O3\"") + 6] = 'P';
  std::string with_nul = good;
  with_nul[good.size() - 4] = '\0';
  const auto line = [](std::string_view meta, std::string_view payload) {
    return fmt::format("{{\"meta\":{{{}}},\"payload\":{}}}\n", meta, payload);
  };
  for (const auto& [text, what] : std::vector<std::pair<std::string, std::string>>{
           {"\xef\xbb\xbf" + good, "line 1: begins with a byte order mark"},
           {with_nul, "line 3: holds a NUL byte"},
           {good + "<html>\n", "line 4: not a {\"meta\""},
           {"\n" + good, "line 1: not a {\"meta\""},
           {altered, "line 3: the payload was altered"},
           {line(R"("operation":"x","sha256":"")", "{}") + good, "names no record"},
           {line(R"("id":"x","operation":"y","sha256":"12")", "{}") + good,
            "meta.sha256 is not a SHA-256"},
           {line("\"id\":{}", "{}") + good, "meta is not an object of plain members"},
           {line(R"("size":99,"id":"x","operation":"y")", "{}") + good, "meta.size"},
           {line(R"("id":"x","operation":"y","malformed":"m")", "null") + good,
            "payload_base64 is missing"},
           {line(R"("id":"x","operation":"y","malformed":"m")", R"(null,"payload_base64":"?")") +
                good,
            "payload_base64 is not base64"}}) {
    const Result<ScannedPart> part = ScanPart(text, LineDigests::kCheck);
    ASSERT_THAT(part, Succeeds());
    ASSERT_EQ(part->unreadable.size(), 1U) << what;
    EXPECT_THAT(part->unreadable.front().why, HasSubstr(what));
    EXPECT_EQ(part->size(), static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')));
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
