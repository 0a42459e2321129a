#include "pcw/sim/s3/text.h"

#include <gtest/gtest.h>

#include "pcw/base/digest.h"
#include "pcw/sim/s3/checksum.h"
#include "pcw/sim/s3/part_list.h"

namespace pcw::sim {
namespace {

TEST(S3TextTest, EncodesAsSignaturesAndListingsWant) {
  EXPECT_EQ(PercentEncode("a b+c/\xc3\xa9~.-_*()", Slash::kKeep), "a%20b%2Bc/%C3%A9~.-_%2A%28%29");
  EXPECT_EQ(PercentEncode("a/b", Slash::kEncode), "a%2Fb");
  EXPECT_EQ(ListingEncode("a b+c/\xc3\xa9~"), "a+b%2Bc/%C3%A9%7E");
}

TEST(S3TextTest, DecodesWholeEscapesOnly) {
  EXPECT_EQ(PercentDecode("a%20b+c", Plus::kPlus), "a b+c");
  EXPECT_EQ(PercentDecode("a+b", Plus::kBlank), "a b");
  EXPECT_EQ(PercentDecode("a%2", Plus::kPlus), std::nullopt);
  EXPECT_EQ(PercentDecode("a%zz", Plus::kPlus), std::nullopt);
}

// RFC 4648, section 10.
TEST(S3TextTest, SpeaksBase64) {
  const std::vector<std::pair<std::string, std::string>> vectors{{"", ""},
                                                                 {"f", "Zg=="},
                                                                 {"fo", "Zm8="},
                                                                 {"foo", "Zm9v"},
                                                                 {"foob", "Zm9vYg=="},
                                                                 {"fooba", "Zm9vYmE="},
                                                                 {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, coded] : vectors) {
    EXPECT_EQ(Base64(plain), coded);
    EXPECT_EQ(FromBase64(coded), plain);
  }
  for (const char* bad : {"Zg", "Z===", "Zg=a", "====", "Zm9v!A=="}) {
    EXPECT_EQ(FromBase64(bad), std::nullopt) << bad;
  }
}

TEST(S3TextTest, KnowsUtf8) {
  EXPECT_TRUE(IsUtf8("plain \xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80"));
  for (const char* bad :
       {"\xff", "\xc3", "\xc0\x80", "\xed\xa0\x80", "\xe2\x82", "\xf5\x80\x80\x80"}) {
    EXPECT_FALSE(IsUtf8(bad));
  }
}

// The check values of the CRC catalogue, for "123456789".
TEST(S3ChecksumTest, CrcsGiveTheirCheckValues) {
  EXPECT_EQ(Crc32("123456789"), 0xcbf43926U);
  EXPECT_EQ(Crc32c("123456789"), 0xe3069283U);
  EXPECT_EQ(Crc64Nvme("123456789"), 0xae8b14860a799888ULL);
  EXPECT_EQ(Hex(ChecksumOf(ChecksumAlgorithm::kCrc32, "123456789")), "cbf43926");
}

TEST(S3PartListTest, ReadsWhatSdksSend) {
  const auto parts = ReadPartList(
      "<?xml version=\"1.0\"?>\n<CompleteMultipartUpload xmlns=\"x\"> <Part><ETag>&quot;ab&quot;"
      "</ETag><PartNumber>2</PartNumber><ChecksumCRC32>AAAA</ChecksumCRC32></Part>\n<Part>"
      "<PartNumber>7</PartNumber><ETag>cd</ETag></Part></CompleteMultipartUpload>\n");
  ASSERT_TRUE(parts.has_value());
  ASSERT_EQ(parts->size(), 2U);
  EXPECT_EQ((*parts)[0].number, 2U);
  EXPECT_EQ((*parts)[0].etag, "ab");
  EXPECT_EQ((*parts)[0].checksums.at("ChecksumCRC32"), "AAAA");
  EXPECT_EQ((*parts)[1].etag, "cd");
}

TEST(S3PartListTest, RefusesWhatIsNotThatDocument) {
  for (const char* bad :
       {"", "<a/>", "<CompleteMultipartUpload></CompleteMultipartUpload>",
        "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber></Part></"
        "CompleteMultipartUpload>",
        "<CompleteMultipartUpload><Part><PartNumber>x</PartNumber><ETag>a</ETag></Part>"
        "</CompleteMultipartUpload>",
        "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>a</ETag></Part>",
        "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>a&nbsp;</ETag></Part>"
        "</CompleteMultipartUpload>"}) {
    EXPECT_FALSE(ReadPartList(bad).has_value()) << bad;
  }
}

}  // namespace
}  // namespace pcw::sim
