#include "pcw/sim/s3/multipart.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "fakes/sim_s3.h"
#include "pcw/base/weak_digest.h"
#include "pcw/sim/s3/text.h"

namespace pcw::sim {
namespace {

using ::testing::HasSubstr;

constexpr std::size_t kFiveMebibytes = 5U << 20U;

class S3MultipartTest : public S3Test {
 protected:
  static std::string IdQuery(const std::string& id) {
    return "uploadId=" + PercentEncode(id, Slash::kEncode);
  }
  std::string Create(net::server::Headers headers = {}) {
    const auto answer = Send(Parts("POST", "/pcw-lake-dev/k", "uploads=", "", std::move(headers)));
    EXPECT_EQ(answer.status, 200) << answer.body;
    return Xml(answer, "UploadId");
  }
  net::server::Response Part(const std::string& id, int number, const std::string& body,
                             net::server::Headers headers = {}) {
    return Send(Parts("PUT", "/pcw-lake-dev/k",
                      fmt::format("partNumber={}&{}", number, IdQuery(id)), body,
                      std::move(headers)));
  }
  /// `parts`: number and the elements beside it.
  net::server::Response Complete(const std::string& id,
                                 const std::vector<std::pair<int, std::string>>& parts,
                                 net::server::Headers headers = {}) {
    std::string xml = "<CompleteMultipartUpload>";
    for (const auto& [number, rest] : parts) {
      xml += fmt::format("<Part><PartNumber>{}</PartNumber>{}</Part>", number, rest);
    }
    return Send(Parts("POST", "/pcw-lake-dev/k", IdQuery(id), xml + "</CompleteMultipartUpload>",
                      std::move(headers)));
  }
  static std::string TagElement(const net::server::Response& part) {
    return Element("ETag", HeaderOf(part, "ETag"));
  }
};

TEST_F(S3MultipartTest, PartsBecomeOneObject) {
  const std::string first(kFiveMebibytes, 'a');
  const std::string id = Create({{"content-type", "text/x"}});
  const auto one = Part(id, 3, first);
  const auto two = Part(id, 7, "tail");
  EXPECT_EQ(Verdict(Get("/pcw-lake-dev/k")), "404 NoSuchKey");

  const auto done = Complete(id, {{3, TagElement(one)}, {7, TagElement(two)}});

  EXPECT_EQ(Xml(done, "ETag"), "&quot;" + Hex(Md5(Md5(first) + Md5("tail"))) + "-2&quot;");
  EXPECT_EQ(Xml(done, "ChecksumType"), "FULL_OBJECT");
  const auto got = Get("/pcw-lake-dev/k");
  EXPECT_EQ(got.body, first + "tail");
  EXPECT_EQ(HeaderOf(got, "content-type"), "text/x");
  EXPECT_EQ(Verdict(Complete(id, {{3, TagElement(one)}})), "404 NoSuchUpload");
}

TEST_F(S3MultipartTest, ListedPartsMustBeThoseThatWereUploaded) {
  const std::string id = Create();
  const auto one = Part(id, 1, "small");
  const auto two = Part(id, 2, "small too");

  EXPECT_EQ(Verdict(Complete(id, {{2, TagElement(two)}, {1, TagElement(one)}})),
            "400 InvalidPartOrder");
  EXPECT_EQ(Verdict(Complete(id, {{1, TagElement(one)}, {1, TagElement(one)}})),
            "400 InvalidPartOrder");
  EXPECT_EQ(Verdict(Complete(id, {{1, TagElement(two)}})), "400 InvalidPart");
  EXPECT_EQ(Verdict(Complete(id, {{9, TagElement(one)}})), "400 InvalidPart");
  EXPECT_EQ(Verdict(Complete(id, {{1, TagElement(one)}, {2, TagElement(two)}})),
            "400 EntityTooSmall");
  EXPECT_EQ(Verdict(Complete(id, {})), "400 MalformedXML");
  EXPECT_EQ(Verdict(Complete("nobody", {{1, TagElement(one)}})), "404 NoSuchUpload");
  EXPECT_EQ(Verdict(Complete(id, {{2, TagElement(two)}})), "200");
  EXPECT_EQ(Get("/pcw-lake-dev/k").body, "small too");
}

TEST_F(S3MultipartTest, PartNumbersHaveBounds) {
  const std::string id = Create();
  EXPECT_EQ(Verdict(Part(id, 0, "x")), "400 InvalidArgument");
  EXPECT_EQ(Verdict(Part(id, 10'001, "x")), "400 InvalidArgument");
  EXPECT_EQ(Verdict(Part(id, 10'000, "x")), "200");
  EXPECT_EQ(Verdict(Part("nobody", 1, "x")), "404 NoSuchUpload");
  EXPECT_EQ(Verdict(Part(id, 1, "x", {{"content-md5", "1B2M2Y8AsgTpgAmY7PhCfg=="}})),
            "400 BadDigest");
}

TEST_F(S3MultipartTest, CompositeChecksumsAreDemandedOfEveryPart) {
  const std::string id = Create({{"x-amz-checksum-algorithm", "SHA256"}});
  const std::string raw(BytesOf(Sha256("123456789")));
  const std::string coded = Base64(raw);

  const auto bare = Part(id, 1, "123456789");
  EXPECT_EQ(Verdict(bare), "400 InvalidRequest");
  EXPECT_THAT(bare.body, HasSubstr("expected checksum Type: sha256, actual checksum Type: null"));
  EXPECT_EQ(Verdict(Part(id, 1, "123456789", {{"x-amz-checksum-crc32", "y/Q5Jg=="}})),
            "400 InvalidRequest");
  const auto part = Part(id, 1, "123456789", {{"x-amz-checksum-sha256", coded}});
  EXPECT_EQ(HeaderOf(part, "x-amz-checksum-sha256"), coded);

  EXPECT_THAT(Complete(id, {{1, TagElement(part)}}).body, HasSubstr("It was missing for part 1"));
  EXPECT_EQ(Verdict(Complete(id, {{1, TagElement(part) + Element("ChecksumSHA256", "AAAA")}})),
            "400 InvalidPart");
  const auto done = Complete(id, {{1, TagElement(part) + Element("ChecksumSHA256", coded)}});

  const std::string whole = Base64(BytesOf(Sha256(raw))) + "-1";
  EXPECT_EQ(Xml(done, "ChecksumSHA256"), whole);
  const auto got = Get("/pcw-lake-dev/k", {{"x-amz-checksum-mode", "ENABLED"}});
  EXPECT_EQ(HeaderOf(got, "x-amz-checksum-sha256"), whole);
  EXPECT_EQ(HeaderOf(got, "x-amz-checksum-type"), "COMPOSITE");
}

TEST_F(S3MultipartTest, FullObjectChecksumsAndSizesAreVerified) {
  const std::string id =
      Create({{"x-amz-checksum-algorithm", "CRC32"}, {"x-amz-checksum-type", "FULL_OBJECT"}});
  const auto part = Part(id, 1, "123456789");
  const std::vector<std::pair<int, std::string>> list{{1, TagElement(part)}};

  EXPECT_EQ(Verdict(Complete(id, list, {{"x-amz-checksum-crc32", "AAAAAA=="}})), "400 BadDigest");
  EXPECT_EQ(Verdict(Complete(id, list, {{"x-amz-mp-object-size", "8"}})), "400 InvalidRequest");
  const auto done =
      Complete(id, list, {{"x-amz-checksum-crc32", "y/Q5Jg=="}, {"x-amz-mp-object-size", "9"}});

  EXPECT_EQ(Xml(done, "ChecksumCRC32"), "y/Q5Jg==");
  EXPECT_EQ(Verdict(Send(Parts(
                "POST", "/pcw-lake-dev/k", "uploads=", "",
                {{"x-amz-checksum-algorithm", "SHA1"}, {"x-amz-checksum-type", "FULL_OBJECT"}}))),
            "400 InvalidRequest");
}

TEST_F(S3MultipartTest, CompletingIsConditional) {
  const std::string id = Create();
  const auto part = Part(id, 1, "parts");
  Put("/pcw-lake-dev/k", "there before");

  EXPECT_EQ(Verdict(Complete(id, {{1, TagElement(part)}}, {{"if-none-match", "*"}})),
            "412 PreconditionFailed");

  EXPECT_EQ(Get("/pcw-lake-dev/k").body, "there before");
  EXPECT_EQ(Verdict(Complete(id, {{1, TagElement(part)}})), "200");
  EXPECT_EQ(Get("/pcw-lake-dev/k").body, "parts");
}

TEST_F(S3MultipartTest, AnErrorMayComeWithStatus200) {
  const std::string id = Create();
  const auto part = Part(id, 1, "parts");
  Faults(R"({"operation":"CompleteMultipartUpload","kind":"s3_complete_error","limit":1})");

  const auto failed = Complete(id, {{1, TagElement(part)}});

  EXPECT_EQ(Verdict(failed), "200 InternalError");
  EXPECT_EQ(LastCall().outcome, Outcome::kFailed);
  EXPECT_EQ(Verdict(Get("/pcw-lake-dev/k")), "404 NoSuchKey");
  EXPECT_EQ(Verdict(Complete(id, {{1, TagElement(part)}})), "200");
}

TEST_F(S3MultipartTest, UploadsAndPartsAreListedInPages) {
  const std::string first = Create();
  const std::string second = Create();
  for (int number = 1; number <= 3; ++number) Part(first, number, std::string(number, 'p'));

  const auto parts = Send(Parts("GET", "/pcw-lake-dev/k", "max-parts=2&" + IdQuery(first)));
  EXPECT_EQ(Xml(parts, "NextPartNumberMarker"), "2");
  EXPECT_EQ(Xml(parts, "IsTruncated"), "true");
  const auto rest = Send(Parts("GET", "/pcw-lake-dev/k", "part-number-marker=2&" + IdQuery(first)));
  EXPECT_EQ(Xml(rest, "PartNumber"), "3");
  EXPECT_EQ(Xml(rest, "Size"), "3");

  const auto uploads = Send(Parts("GET", "/pcw-lake-dev", "max-uploads=1&uploads="));
  EXPECT_EQ(Xml(uploads, "UploadId"), first);
  EXPECT_EQ(Xml(uploads, "NextUploadIdMarker"), first);
  const auto more = Send(
      Parts("GET", "/pcw-lake-dev",
            "key-marker=k&upload-id-marker=" + PercentEncode(first, Slash::kEncode) + "&uploads="));
  EXPECT_EQ(Xml(more, "UploadId"), second);
  EXPECT_EQ(Xml(more, "IsTruncated"), "false");
}

TEST_F(S3MultipartTest, AbortingFreesWhatPartsHeld) {
  Start({.s3_capacity_bytes = 10});
  const std::string id = Create();
  Part(id, 1, "12345678");
  EXPECT_EQ(Verdict(Part(id, 2, "123")), "507 InternalError");
  SetAccount(R"({"denied_actions":["s3:AbortMultipartUpload"]})");
  EXPECT_EQ(Verdict(Send(Parts("DELETE", "/pcw-lake-dev/k", IdQuery(id)))), "403 AccessDenied");
  SetAccount("{}");

  EXPECT_EQ(Send(Parts("DELETE", "/pcw-lake-dev/k", IdQuery(id))).status, 204);

  EXPECT_EQ(Verdict(Part(id, 2, "x")), "404 NoSuchUpload");
  EXPECT_EQ(Verdict(Put("/pcw-lake-dev/k", "1234567890")), "200");
}

}  // namespace
}  // namespace pcw::sim
