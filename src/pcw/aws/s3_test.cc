#include "pcw/aws/s3.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "fakes/fake_http.h"
#include "fakes/fake_time.h"
#include "fakes/result_matchers.h"
#include "pcw/aws/credentials/static_credentials.h"
#include "pcw/base/file.h"
#include "pcw/base/json.h"

namespace pcw::aws::s3 {
namespace {

using net::Reply;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string S3Error(const char* code) {
  return std::string("<Error><Code>") + code + "</Code><Message>why</Message></Error>";
}

class BucketTest : public ::testing::Test {
 protected:
  static Credentials Keys() {
    Credentials keys;
    keys.access_key_id = "AKID";
    keys.secret_access_key = Secret("secret");
    return keys;
  }
  static CallerOptions Options() {
    CallerOptions options;
    options.endpoint = "https://pcw-lake.s3.us-east-1.amazonaws.com";
    return options;
  }
  std::string HeaderOf(std::size_t sent, std::string_view name) const {
    return std::string(net::FindHeader(http.sent.at(sent).headers, name).value_or(""));
  }
  static std::vector<std::string> KeysOf(const ListPage& page) {
    std::vector<std::string> keys;
    for (const ListedObject& object : page.objects) keys.push_back(object.key);
    return keys;
  }

  net::FakeHttpClient http;
  StaticCredentialsProvider credentials{Keys()};
  OpenQuotaGate gate;
  FakeClock clock;
  FakeSleeper sleeper{clock};
  FakeRng rng;
  Caller caller{kService, {http, credentials, gate, clock, sleeper, rng}, Options()};
  Bucket bucket{caller,
                {.bucket = "pcw-lake", .path = "", .expected_owner = "", .sse_kms_key_id = ""}};
  const std::string host = "https://pcw-lake.s3.us-east-1.amazonaws.com";
};

TEST(AddressBucketTest, VirtualHostStyleUnlessTheBucketCannotBeALabel) {
  const struct {
    const char *endpoint, *bucket, *expected_endpoint, *expected_path;
  } cases[] = {
      {"https://s3.eu-west-1.amazonaws.com", "pcw-lake",
       "https://pcw-lake.s3.eu-west-1.amazonaws.com", ""},
      {"https://s3.us-east-1.amazonaws.com", "pcw.lake", "https://s3.us-east-1.amazonaws.com",
       "/pcw.lake"},
      {"http://127.0.0.1:9000", "pcw-lake", "http://127.0.0.1:9000", "/pcw-lake"},
      {"http://localhost:9000", "pcw-lake", "http://localhost:9000", "/pcw-lake"},
      {"https://[::1]:9000", "pcw-lake", "https://[::1]:9000", "/pcw-lake"},
      {"https://10.1.2.3", "pcw-lake", "https://10.1.2.3", "/pcw-lake"},
      {"https://storage.example.com:8443", "pcw-lake", "https://pcw-lake.storage.example.com:8443",
       ""},
  };
  for (const auto& [endpoint, name, expected_endpoint, expected_path] : cases) {
    const auto address = AddressBucket(endpoint, name);
    ASSERT_THAT(address, Succeeds()) << endpoint;
    EXPECT_EQ(address->endpoint, expected_endpoint);
    EXPECT_EQ(address->path, expected_path);
  }
  EXPECT_THAT(AddressBucket("s3.amazonaws.com", "b"), FailsWith(ErrorCode::kConfig));
}

TEST(AddressBucketTest, AProfilesAddressingStyleBeatsTheRule) {
  const char* const aws = "https://s3.eu-west-1.amazonaws.com";
  EXPECT_EQ(AddressBucket(aws, "pcw-lake", "path")->path, "/pcw-lake");
  EXPECT_EQ(AddressBucket(aws, "pcw-lake", "auto")->path, "");
  EXPECT_EQ(AddressBucket("http://localhost:9000", "pcw-lake", "virtual")->endpoint,
            "http://pcw-lake.localhost:9000");
  EXPECT_THAT(AddressBucket("http://127.0.0.1:9000", "pcw-lake", "virtual"),
              FailsWith(ErrorCode::kConfig));
  EXPECT_THAT(AddressBucket(aws, "pcw-lake", "Path"), FailsWith(ErrorCode::kConfig));
}

TEST_F(BucketTest, APutIsConditionalAndCarriesItsChecksum) {
  http.script = {Reply(200)};

  ASSERT_THAT(bucket.PutObject("a/b.json", "{}", Sha256("{}"), {}), Succeeds());

  EXPECT_EQ(http.sent[0].method, "PUT");
  EXPECT_EQ(http.sent[0].url, host + "/a/b.json");
  EXPECT_EQ(http.sent[0].body, "{}");
  EXPECT_EQ(HeaderOf(0, "If-None-Match"), "*");
  EXPECT_EQ(HeaderOf(0, "Content-Type"), "application/json");
  EXPECT_EQ(HeaderOf(0, "x-amz-checksum-sha256"), "RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o=");
  EXPECT_EQ(HeaderOf(0, "x-amz-content-sha256"), Sha256Hex("{}"));
  EXPECT_EQ(HeaderOf(0, "x-amz-server-side-encryption"), "");
  EXPECT_EQ(HeaderOf(0, "x-amz-expected-bucket-owner"), "");
}

TEST_F(BucketTest, EncryptionAndOwnerAreSaidWhereTheyBelong) {
  Bucket strict(caller, {.bucket = "pcw-lake",
                         .path = "/pcw-lake",
                         .expected_owner = "123456789012",
                         .sse_kms_key_id = "alias/lake"});
  http.script = {Reply(200), Reply(200, "x"),
                 Reply(200,
                       "<InitiateMultipartUploadResult><UploadId>u/1+=</UploadId></"
                       "InitiateMultipartUploadResult>"),
                 Reply(200, "", {{"ETag", "\"p1\""}})};

  ASSERT_THAT(strict.PutObject("k", "x", Sha256("x"), {}), Succeeds());
  ASSERT_THAT(strict.GetObject("k", {}), Succeeds());
  const auto upload = strict.CreateMultipartUpload("k", {});
  ASSERT_THAT(upload, Succeeds());
  ASSERT_THAT(strict.UploadPart("k", *upload, 1, "x", Sha256("x"), {}), Succeeds());

  for (const std::size_t creates : {0U, 2U}) {
    EXPECT_EQ(HeaderOf(creates, "x-amz-server-side-encryption"), "aws:kms");
    EXPECT_EQ(HeaderOf(creates, "x-amz-server-side-encryption-aws-kms-key-id"), "alias/lake");
  }
  for (const std::size_t other : {1U, 3U})
    EXPECT_EQ(HeaderOf(other, "x-amz-server-side-encryption"), "");
  for (std::size_t i = 0; i < 4; ++i)
    EXPECT_EQ(HeaderOf(i, "x-amz-expected-bucket-owner"), "123456789012");
  EXPECT_EQ(http.sent[2].url, host + "/pcw-lake/k?uploads");
  EXPECT_EQ(HeaderOf(2, "x-amz-checksum-algorithm"), "SHA256");
  EXPECT_EQ(http.sent[3].url, host + "/pcw-lake/k?partNumber=1&uploadId=u%2F1%2B%3D");
}

TEST_F(BucketTest, KeysOfAnyBytesAreEncodedOnce) {
  http.script = {Reply(200, "x")};
  const struct {
    const char *key, *path;
  } cases[] = {{"a b+c", "/a%20b%2Bc"},
               {"a//b/../c/./", "/a//b/../c/./"},
               {"\xc3\xbc/%41?x=1&y#z", "/%C3%BC/%2541%3Fx%3D1%26y%23z"},
               {"A-Z_a.z~0!*'()", "/A-Z_a.z~0%21%2A%27%28%29"}};
  for (const auto& [key, path] : cases) {
    http.sent.clear();
    ASSERT_THAT(bucket.GetObject(key, {}), Succeeds());
    EXPECT_EQ(http.sent[0].url, host + path);
  }
}

// What the JavaScript SDK puts on the wire: tests/e2e/signer.test.mjs holds it to the same file.
TEST_F(BucketTest, KeysAreEncodedAsTheSdkEncodesThem) {
  const auto text = ReadFile(PCW_SOURCE_DIR "/tests/fixtures/sigv4/s3_keys.json", 1U << 20U);
  ASSERT_THAT(text, Succeeds());
  const Json cases = *ParseJson(*text);
  ASSERT_GE(cases.size(), 15U);
  http.script = {Reply(200, "x")};
  for (const Json& one : cases) {
    http.sent.clear();
    ASSERT_THAT(bucket.GetObject(one["key"].get<std::string>(), {}), Succeeds());
    EXPECT_EQ(http.sent[0].url, host + one["path"].get<std::string>());
  }
}

TEST_F(BucketTest, AGetChecksTheChecksumThatComesBack) {
  const std::string good = Base64(BytesOf(Sha256("bytes")));
  http.script = {Reply(200, "bytes", {{"x-amz-checksum-sha256", good}})};
  EXPECT_EQ(*bucket.GetObject("k", {}), "bytes");
  EXPECT_EQ(HeaderOf(0, "x-amz-checksum-mode"), "ENABLED");

  http.script = {Reply(200, "bytes!", {{"x-amz-checksum-sha256", good}})};
  EXPECT_THAT(bucket.GetObject("k", {}), FailsWith(ErrorCode::kUnavailable));

  // Of an object in parts it is a checksum of checksums.
  http.script = {Reply(200, "bytes!", {{"x-amz-checksum-sha256", good + "-2"}})};
  EXPECT_THAT(bucket.GetObject("k", {}), Succeeds());
  http.script = {Reply(200, "bytes!")};
  EXPECT_THAT(bucket.GetObject("k", {}), Succeeds());
}

TEST_F(BucketTest, AListIsReadPageByPageWithDecodedKeys) {
  http.script = {
      Reply(200,
            "<ListBucketResult><IsTruncated>true</IsTruncated><EncodingType>url</EncodingType>"
            "<NextContinuationToken>t/+=</NextContinuationToken><Contents><Key>p/a+b%2Bc</"
            "Key><Size>3</Size><LastModified>2026-11-24T08:00:00.000Z</LastModified></Contents></"
            "ListBucketResult>"),
      Reply(200,
            "<ListBucketResult><IsTruncated>false</IsTruncated><EncodingType>url</EncodingType>"
            "<Contents><Key>p/%C3%BC</Key><Size>5000000000</Size></Contents></ListBucketResult>")};

  const auto all = bucket.ListAll("p/", {});

  ASSERT_THAT(all, Succeeds());
  ASSERT_EQ(all->size(), 2U);
  EXPECT_EQ((*all)[0].key, "p/a b+c");
  EXPECT_EQ((*all)[0].modified_at, "2026-11-24T08:00:00.000Z");
  EXPECT_EQ((*all)[1].key, "p/\xc3\xbc");
  EXPECT_EQ((*all)[1].bytes, 5'000'000'000U);
  EXPECT_EQ(http.sent[0].url, host + "/?encoding-type=url&list-type=2&max-keys=1000&prefix=p%2F");
  EXPECT_THAT(http.sent[1].url, HasSubstr("?continuation-token=t%2F%2B%3D&encoding-type=url"));
}

TEST_F(BucketTest, AListMayStartBehindAKeyAndKeysThatAreNotEncodedStayAsTheyAre) {
  http.script = {Reply(200,
                       "<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>a+b%2B</"
                       "Key></Contents></ListBucketResult>")};

  const auto page = bucket.ListObjects({.prefix = "a", .start_after = "a b", .max_keys = 7}, {});

  ASSERT_THAT(page, Succeeds());
  EXPECT_THAT(KeysOf(*page), ElementsAre("a+b%2B"));
  EXPECT_THAT(http.sent[0].url, HasSubstr("&max-keys=7&prefix=a&start-after=a%20b"));
}

TEST_F(BucketTest, AListThatCannotBeRightIsRefused) {
  for (const char* inside :
       {"<IsTruncated>true</IsTruncated>", "<Contents><Size>1</Size></Contents>",
        "<Contents><Key>other/a</Key></Contents>"}) {
    http.script = {Reply(200, std::string("<ListBucketResult>") + inside + "</ListBucketResult>")};
    EXPECT_THAT(bucket.ListAll("p/", {}), FailsWith(ErrorCode::kUnavailable)) << inside;
  }
  // The same token again would never end.
  http.script = {Reply(200,
                       "<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>t</"
                       "NextContinuationToken></ListBucketResult>")};
  EXPECT_THAT(bucket.ListAll("p/", {}), FailsWith(ErrorCode::kUnavailable));
  EXPECT_LE(http.sent.size(), 12U);
}

TEST_F(BucketTest, AnUploadInPartsIsCompletedConditionallyWithEveryChecksum) {
  http.script = {Reply(200, "<CompleteMultipartUploadResult></CompleteMultipartUploadResult>")};

  ASSERT_THAT(
      bucket.CompleteMultipartUpload("k", "u", {{1, "\"e1\"", "c1="}, {2, "\"e2\"", "c2="}}, {}),
      Succeeds());

  EXPECT_EQ(http.sent[0].method, "POST");
  EXPECT_EQ(HeaderOf(0, "If-None-Match"), "*");
  EXPECT_EQ(http.sent[0].body,
            "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
            "<Part><ChecksumSHA256>c1=</ChecksumSHA256><ETag>&quot;e1&quot;</ETag>"
            "<PartNumber>1</PartNumber></Part>"
            "<Part><ChecksumSHA256>c2=</ChecksumSHA256><ETag>&quot;e2&quot;</ETag>"
            "<PartNumber>2</PartNumber></Part></CompleteMultipartUpload>");
}

TEST_F(BucketTest, ErrorsSpeakOfTheBucketAndTheNextStep) {
  const auto get = [&](int status, const std::string& body, net::Headers headers = {}) {
    http.script = {Reply(status, body, std::move(headers))};
    return bucket.GetObject("k", {}).error();
  };

  EXPECT_THAT(get(404, S3Error("NoSuchBucket")).message(),
              HasSubstr("bucket pcw-lake does not exist; create it, or correct lake.url"));
  EXPECT_EQ(get(404, S3Error("NoSuchKey")).message(),
            "there is no object \"k\" in bucket pcw-lake");
  EXPECT_THAT(get(403, S3Error("AccessDenied")).message(),
              HasSubstr("S3 does not allow s3:GetObject on bucket pcw-lake"));
  const Error archived = get(403, S3Error("InvalidObjectState"));
  EXPECT_EQ(archived.code(), ErrorCode::kInvalidRequest) << "no matter of rights";
  EXPECT_THAT(archived.message(), HasSubstr("is archived and cannot be read: restore it"));
  EXPECT_THAT(
      get(301, S3Error("PermanentRedirect"), {{"x-amz-bucket-region", "eu-west-1"}}).message(),
      HasSubstr("set lake.region: eu-west-1"));
  EXPECT_THAT(get(400, S3Error("KMS.DisabledException")).message(),
              HasSubstr("check lake.sse_kms_key_id"));
  const Error error = get(403, S3Error("AccessDenied"), {{"x-amz-request-id", "R"}});
  EXPECT_EQ(error.Find("bucket"), "pcw-lake");
  EXPECT_EQ(error.Find("key"), "k");
  EXPECT_EQ(error.Find("request_id"), "R");
  EXPECT_EQ(error.Find("operation"), "GetObject");
}

TEST_F(BucketTest, AHeadBucketThatFailsNamesBucketAndAction) {
  http.script = {Reply(404)};
  EXPECT_THAT(bucket.HeadBucket({}).error().message(), HasSubstr("bucket pcw-lake does not exist"));
  http.script = {Reply(403)};
  EXPECT_THAT(bucket.HeadBucket({}).error().message(), HasSubstr("s3:ListBucket"));
  http.script = {Reply(200)};
  EXPECT_THAT(bucket.HeadBucket({}), Succeeds());
  EXPECT_EQ(http.sent.back().method, "HEAD");
  EXPECT_EQ(http.sent.back().url, host + "/");
}

}  // namespace
}  // namespace pcw::aws::s3
