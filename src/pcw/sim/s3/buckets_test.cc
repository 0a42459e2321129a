#include "pcw/sim/s3/buckets.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "fakes/sim_s3.h"
#include "pcw/sim/s3/control.h"
#include "pcw/sim/s3/text.h"

namespace pcw::sim {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class S3ListTest : public S3Test {
 protected:
  void PutAll(const std::vector<std::string>& keys) {
    for (const std::string& key : keys) {
      ASSERT_EQ(Verdict(Put("/pcw-lake-dev/" + PercentEncode(key, Slash::kKeep), key)), "200");
    }
  }
  /// The texts of all elements of that name.
  static std::vector<std::string> AllXml(const std::string& body, const std::string& name) {
    std::vector<std::string> out;
    const std::string open = "<" + name + ">";
    for (std::size_t at = body.find(open); at != std::string::npos; at = body.find(open, at)) {
      at += open.size();
      out.push_back(body.substr(at, body.find("</", at) - at));
    }
    return out;
  }
  /// Keys and groups of every page, page by page.
  std::vector<std::vector<std::string>> Pages(const std::string& query) {
    std::vector<std::vector<std::string>> pages;
    std::string token;
    do {
      const auto answer =
          List(token.empty()
                   ? query
                   : "continuation-token=" + PercentEncode(token, Slash::kEncode) + "&" + query);
      EXPECT_EQ(answer.status, 200) << answer.body;
      std::vector<std::string> page = AllXml(answer.body, "Key");
      // The first Prefix is the request's.
      const auto groups = AllXml(answer.body, "Prefix");
      if (!groups.empty()) page.insert(page.end(), groups.begin() + 1, groups.end());
      EXPECT_EQ(Xml(answer, "KeyCount"), std::to_string(page.size()));
      pages.push_back(std::move(page));
      token = Xml(answer, "NextContinuationToken");
      EXPECT_EQ(Xml(answer, "IsTruncated"), token == "(none)" ? "false" : "true");
    } while (token != "(none)" && pages.size() < 100);
    return pages;
  }
};

TEST_F(S3ListTest, KeysComeInTheOrderOfTheirBytes) {
  PutAll({"b", "B", "a/b", "a", "\xc3\xa9", "z", "a.b", "\xf0\x9f\x98\x80", "\xef\xbf\xbd"});

  EXPECT_THAT(Pages("list-type=2"),
              ElementsAre(ElementsAre("B", "a", "a.b", "a/b", "b", "z", "\xc3\xa9", "\xef\xbf\xbd",
                                      "\xf0\x9f\x98\x80")));
}

TEST_F(S3ListTest, PagesGoOnBehindKeysAndGroups) {
  PutAll({"a", "b/1", "b/2", "c/1/x", "c/2", "d"});

  EXPECT_THAT(Pages("list-type=2&max-keys=4"),
              ElementsAre(ElementsAre("a", "b/1", "b/2", "c/1/x"), ElementsAre("c/2", "d")));
  EXPECT_THAT(Pages("delimiter=%2F&list-type=2&max-keys=2"),
              ElementsAre(ElementsAre("a", "b/"), ElementsAre("d", "c/")));
  EXPECT_THAT(
      Pages("delimiter=%2F&list-type=2&max-keys=1"),
      ElementsAre(ElementsAre("a"), ElementsAre("b/"), ElementsAre("c/"), ElementsAre("d")));
  EXPECT_THAT(Pages("delimiter=%2F&list-type=2&prefix=c%2F"),
              ElementsAre(ElementsAre("c/2", "c/1/")));
  EXPECT_THAT(Pages("list-type=2&start-after=b%2F1"),
              ElementsAre(ElementsAre("b/2", "c/1/x", "c/2", "d")));
  EXPECT_THAT(Pages("list-type=2&max-keys=0"), ElementsAre(IsEmpty()));
  EXPECT_THAT(Pages("list-type=2&prefix=zz"), ElementsAre(IsEmpty()));
}

TEST_F(S3ListTest, APageHoldsAtMostAThousand) {
  for (int i = 0; i < 1'001; ++i) Put(fmt::format("/pcw-lake-dev/k{:04}", i), "");

  const auto pages = Pages("list-type=2&max-keys=5000");

  ASSERT_EQ(pages.size(), 2U);
  EXPECT_EQ(pages[0].size(), 1'000U);
  EXPECT_THAT(pages[1], ElementsAre("k1000"));
}

TEST_F(S3ListTest, EncodesKeysOnRequest) {
  PutAll({"a b+c&d\x01"});

  EXPECT_EQ(Xml(List("encoding-type=url&list-type=2"), "Key"), "a+b%2Bc%26d%01");
  EXPECT_EQ(Xml(List("list-type=2"), "Key"), "a b+c&amp;d&#x1;");
}

TEST_F(S3ListTest, TellsSizeTagAndChecksum) {
  Put("/pcw-lake-dev/k", "body");

  const auto answer = List("fetch-owner=true&list-type=2");

  EXPECT_EQ(Xml(answer, "Size"), "4");
  EXPECT_EQ(Xml(answer, "ETag"), "&quot;841a2d689ad86bd1611447453c22c6fc&quot;");
  EXPECT_EQ(Xml(answer, "ChecksumAlgorithm"), "CRC64NVME");
  EXPECT_EQ(Xml(answer, "ID"), "123456789012");
  EXPECT_EQ(Xml(answer, "LastModified"), S3Time(clock.Now()));
}

TEST_F(S3ListTest, RefusesWhatItCannotRead) {
  EXPECT_EQ(Verdict(List("continuation-token=bWFkZSB1cA%3D%3D&list-type=2")),
            "400 InvalidArgument");
  EXPECT_EQ(Verdict(List("list-type=2&max-keys=-1")), "400 InvalidArgument");
  EXPECT_EQ(Verdict(List("list-type=1")), "400 InvalidArgument");
  EXPECT_EQ(Verdict(List("encoding-type=xml&list-type=2")), "400 InvalidArgument");
  EXPECT_EQ(Verdict(List("list-type=2&versions=")), "501 NotImplemented");
}

TEST_F(S3ListTest, BucketsAreMadeListedAndRemoved) {
  EXPECT_EQ(Verdict(Send(Parts("PUT", "/another"))), "200");
  EXPECT_EQ(Verdict(Send(Parts("PUT", "/another"))), "200");  // one's own, in us-east-1
  EXPECT_THAT(AllXml(Send(Parts("GET", "/")).body, "Name"), ElementsAre("another", "pcw-lake-dev"));
  EXPECT_THAT(AllXml(Send(Parts("GET", "/", "max-buckets=1&prefix=p")).body, "Name"),
              ElementsAre("pcw-lake-dev"));
  EXPECT_EQ(HeaderOf(Send(Parts("HEAD", "/another")), "x-amz-bucket-region"), "us-east-1");
  Put("/another/k", "x");
  EXPECT_EQ(Verdict(Send(Parts("DELETE", "/another"))), "409 BucketNotEmpty");
  Send(Parts("DELETE", "/another/k"));
  EXPECT_EQ(Send(Parts("DELETE", "/another")).status, 204);
  EXPECT_EQ(Verdict(Send(Parts("HEAD", "/another"))), "404 NoSuchBucket");
  EXPECT_EQ(Verdict(Send(Parts("PUT", "/b_d"))), "400 InvalidBucketName");
}

TEST_F(S3ListTest, TheOracleTellsContentAndTakesBucketsAway) {
  Put("/pcw-lake-dev/a%22b", "body");
  const auto ask = [&](const std::string& method, const std::string& target,
                       net::server::Headers headers = {}) {
    EXPECT_TRUE(IsS3Control(target));
    return AnswerS3Control(*s3, {method, target, std::move(headers), "", "127.0.0.1"});
  };
  EXPECT_EQ(ask("GET", "/_sim/s3?bucket=pcw-lake-dev").body,
            R"({"key":"a\"b","size":4,)"
            R"("sha256":"230d8358dc8e8890b4c58deeb62912ee2f20357ae92a5cc861b98e68fe31acb5",)"
            R"("etag":"841a2d689ad86bd1611447453c22c6fc","checksum":"CRC64NVME:)" +
                Base64(ChecksumOf(ChecksumAlgorithm::kCrc64Nvme, "body")) +
                "\",\"encryption\":\"AES256\"}\n");
  EXPECT_EQ(ask("GET", "/_sim/s3").body, ask("GET", "/_sim/s3?bucket=pcw-lake-dev").body);
  EXPECT_EQ(ask("GET", "/_sim/s3?bucket=none").status, 404);
  EXPECT_EQ(ask("GET", "/_sim/s3?b=1").status, 400);
  EXPECT_EQ(ask("POST", "/_sim/s3").status, 405);
  EXPECT_EQ(ask("GET", "/_sim/s3", {{"Origin", "http://evil"}}).status, 403);
  EXPECT_EQ(ask("POST", "/_sim/s3/delete-bucket?bucket=pcw-lake-dev").status, 200);
  EXPECT_EQ(Verdict(Put("/pcw-lake-dev/k", "x")), "404 NoSuchBucket");
  EXPECT_EQ(ask("POST", "/_sim/s3/delete-bucket").status, 404);
}

}  // namespace
}  // namespace pcw::sim
