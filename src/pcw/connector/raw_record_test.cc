#include "pcw/connector/raw_record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/result_matchers.h"
#include "pcw/aws/partner_central_selling.h"
#include "pcw/base/storable_text.h"

namespace pcw::connector {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

const SourceDef& Listed() { return Opportunities().sources.front(); }

std::string PageOf(std::string_view items, std::string_view more = "") {
  return std::string(R"({"OpportunitySummaries":[)").append(items).append("]").append(more) + "}";
}

const std::string kGood = R"({"Id":"O1","LastModifiedDate":"2026-11-01T00:00:00Z","Title":"t"})";

TEST(ReadListPageTest, OneItemThatCannotBeReadCostsNoOther) {
  struct Bad {
    std::string item, id, problem;
  };
  const std::string deep(100'000, '[');
  const std::string undeep(100'000, ']');
  for (const auto& [item, id, problem] : {
           Bad{R"({"Id":"O2","Title":"Caf\ud83d"})", "O2", "a lone surrogate at byte 23"},
           Bad{"{\"Id\":\"O2\",\"Title\":\"\xff\"}", "O2", "not UTF-8"},
           Bad{"\xEF\xBB\xBF{\"Id\":\"O2\"}", "O2", "byte order mark"},
           Bad{"{\"Id\":\"O2\",\"Deep\":" + deep + undeep + "}", "O2", "nested deeper than 200"},
           Bad{R"({"Id":"O2","Title":nonsense})", "O2", "not JSON"},
           Bad{R"({"Title":"x"})", "(no id) sha256:", "has no Id"},
           Bad{R"({"Id":null})", "(no id) sha256:", "has no Id"},
           Bad{R"({"Id":""})", "(no id) sha256:", "has no Id"},
           Bad{R"({"Id":12345})", "(no id) sha256:", "is a number, not a text"},
           Bad{R"({"Id":{"Id":"O9"}})", "(no id) sha256:", "is an object, not a text"},
           Bad{R"({"Id":"O\u00002"})", "(O\\u00002) sha256:", "U+0000"},
           Bad{"{\"Id\":\"O\xff\"}", "(O\\xff) sha256:", "not UTF-8"},
           Bad{"{\"Id\":\"" + std::string(9000, 'x') + "\"}", "(xxx", "has 9000 bytes"},
           Bad{"17", "(no id) sha256:", "is a number, not an object"},
           Bad{"null", "(no id) sha256:", "is null, not an object"},
       }) {
    const auto page = ReadListPage(
        PageOf(kGood + "," + item + R"(,{"Id":"O3","LastModifiedDate":"x"})"), Listed());

    ASSERT_TRUE(page.has_value()) << problem;
    ASSERT_EQ(page->items.size(), 3U) << problem;
    EXPECT_EQ(page->items[0].id, "O1");
    EXPECT_FALSE(page->items[0].problem.has_value());
    EXPECT_FALSE(page->items[2].problem.has_value());
    const PageItem& bad = page->items[1];
    ASSERT_TRUE(bad.problem.has_value()) << problem;
    EXPECT_EQ(bad.problem->code(), ErrorCode::kSchemaMismatch);
    EXPECT_THAT(bad.problem->message(), HasSubstr(problem));
    EXPECT_EQ(bad.problem->Find("index"), "1");
    EXPECT_EQ(bad.bytes, item);
    EXPECT_THAT(bad.id, StartsWith(id));
    EXPECT_EQ(bad.has_id, id == "O2") << problem;
    EXPECT_LE(bad.id.size(), 200U);
    EXPECT_TRUE(IsStorableText(bad.id));
    EXPECT_FALSE(bad.has_detail);
  }
}

TEST(ReadListPageTest, NumbersOfAnySizeAreData) {
  const auto page = ReadListPage(
      PageOf(R"({"Id":"O1","A":18446744073709551616,"B":1e400,"C":)" + std::string(200, '9') + "}"),
      Listed());

  ASSERT_TRUE(page.has_value());
  EXPECT_FALSE(page->items[0].problem.has_value());
}

TEST(ReadListPageTest, IdsAreTextsWithTheirEscapesAndTheLastOfTwoCounts) {
  const auto page =
      ReadListPage(PageOf(R"({"Id":"first","LastModifiedDate":"v","Id":"a\tb\u00e9"})"), Listed());

  ASSERT_TRUE(page.has_value());
  EXPECT_FALSE(page->items[0].problem.has_value());
  EXPECT_EQ(page->items[0].id, "a\tb\xc3\xa9");
  EXPECT_EQ(page->items[0].version, "v");
  EXPECT_TRUE(page->items[0].has_detail);
}

TEST(ReadListPageTest, AVersionThatCannotBeStoredIsTheDigestOfTheBytes) {
  for (const std::string& version :
       {std::string(R"("a\u0000b")"), "\"" + std::string(2000, 'v') + "\"", std::string("7")}) {
    const auto page =
        ReadListPage(PageOf(R"({"Id":"O1","LastModifiedDate":)" + version + "}"), Listed());

    ASSERT_TRUE(page.has_value());
    EXPECT_FALSE(page->items[0].problem.has_value());
    if (version != "7") {
      EXPECT_THAT(page->items[0].version, StartsWith("sha256:"));
    }
  }
}

TEST(ReadListPageTest, ATokenOfAnotherTypeIsAFailedPageAndNotTheLastOne) {
  for (const std::string_view token :
       {"12345", "{\"a\":1}", "[]", "true", "\"a\\ud83d\"", "\"\xff\""}) {
    const auto page = ReadListPage(PageOf(kGood, ",\"NextToken\":" + std::string(token)), Listed());

    ASSERT_THAT(page, FailsWith(ErrorCode::kSchemaMismatch)) << token;
    EXPECT_EQ(page.error().reason(), Reason::kUnreadablePageToken);
  }
  EXPECT_EQ(ReadListPage(PageOf(kGood, R"(,"NextToken":null)"), Listed())->next_token, "");
  EXPECT_EQ(ReadListPage(PageOf(kGood, R"(,"NextToken":"a\/b")"), Listed())->next_token, "a/b");
  EXPECT_EQ(ReadListPage(PageOf(kGood), Listed())->next_token, "");
}

TEST(ReadListPageTest, OnlyACutAnswerIsAnOutage) {
  const std::string body = PageOf(kGood, R"(,"NextToken":"t")");
  for (std::size_t size = 0; size < body.size(); ++size)
    EXPECT_THAT(ReadListPage(body.substr(0, size), Listed()), FailsWith(ErrorCode::kUnavailable));

  EXPECT_TRUE(ReadListPage("\xEF\xBB\xBF" + body, Listed()).has_value());
  EXPECT_THAT(ReadListPage(R"({"OpportunitySummaries":{}})", Listed()),
              FailsWith(ErrorCode::kSchemaMismatch));
  EXPECT_THAT(ReadListPage(R"({"OpportunitySummaries":[],"OpportunitySummaries":[]})", Listed()),
              FailsWith(ErrorCode::kSchemaMismatch));
}

}  // namespace
}  // namespace pcw::connector
