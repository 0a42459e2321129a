#include "pcw/sim/s3/signature.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "fakes/sim_s3.h"
#include "pcw/base/time.h"
#include "pcw/sim/s3/text.h"

namespace pcw::sim {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class S3SignatureTest : public S3Test {
 protected:
  S3Parts PutParts() const { return Parts("PUT", "/pcw-lake-dev/key", "", "body"); }

  static void DropHeader(net::server::Request& request, const std::string& name) {
    std::erase_if(request.headers, [&](const auto& header) { return header.first == name; });
  }
};

// AWS's published example of a GET with a range ("Signature Calculations for the Authorization
// Header", S3 API reference), with its keys, date and host.
TEST_F(S3SignatureTest, AcceptsThePublishedExample) {
  net::server::Request request;
  request.method = "GET";
  request.target = "/test.txt";
  request.headers = {
      {"Host", "examplebucket.s3.amazonaws.com"},
      {"Authorization",
       "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
       "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,"
       "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"},
      {"Range", "bytes=0-9"},
      {"x-amz-content-sha256", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
      {"x-amz-date", "20130524T000000Z"}};
  clock.JumpWall(*ParseRfc3339("2013-05-24T00:00:00Z") - clock.Now());

  const auto answer = Send(request);

  EXPECT_EQ(Verdict(answer), "404 NoSuchBucket");  // it passed the signature
  EXPECT_EQ(Xml(answer, "BucketName"), "examplebucket");
}

TEST_F(S3SignatureTest, RefusesByNameAndStatus) {
  const auto with = [&](auto change) {
    S3Parts parts = PutParts();
    change(parts);
    return Verdict(Send(parts));
  };
  EXPECT_EQ(with([](S3Parts& p) { p.secret = "wrong"; }), "403 SignatureDoesNotMatch");
  EXPECT_EQ(with([](S3Parts& p) { p.access_key_id = "AKIA0000000000000000"; }),
            "403 InvalidAccessKeyId");
  EXPECT_EQ(with([](S3Parts& p) { p.session_token = "t"; }), "400 InvalidToken");
  EXPECT_EQ(with([](S3Parts& p) { p.region = "eu-west-1"; }), "400 AuthorizationHeaderMalformed");
  EXPECT_EQ(with([](S3Parts& p) { p.payload_hash = "abc"; }), "400 InvalidArgument");
  EXPECT_EQ(with([](S3Parts& p) { p.payload_hash = std::string(64, 'a'); }),
            "400 XAmzContentSHA256Mismatch");
  EXPECT_EQ(with([](S3Parts&) {}), "200");
}

TEST_F(S3SignatureTest, NamesTheRightRegion) {
  S3Parts parts = PutParts();
  parts.region = "eu-west-1";

  const auto answer = Send(parts);

  EXPECT_EQ(Xml(answer, "Region"), "us-east-1");
  EXPECT_EQ(HeaderOf(answer, "x-amz-bucket-region"), "us-east-1");
}

TEST_F(S3SignatureTest, AllowsFifteenMinutesOfSkew) {
  S3Parts parts = PutParts();
  parts.at = clock.Now() - std::chrono::minutes(15);
  EXPECT_EQ(Verdict(Send(parts)), "200");
  parts.at = clock.Now() + std::chrono::minutes(15);
  EXPECT_EQ(Verdict(Send(parts)), "200");

  parts.at = clock.Now() - std::chrono::minutes(15) - std::chrono::seconds(1);
  const auto late = Send(parts);
  EXPECT_EQ(Verdict(late), "403 RequestTimeTooSkewed");
  EXPECT_EQ(Xml(late, "MaxAllowedSkewMilliseconds"), "900000");
  EXPECT_EQ(LastCall().outcome, Outcome::kUnauthenticated);
}

TEST_F(S3SignatureTest, DemandsPayloadHashAndSignedHeaders) {
  net::server::Request request = SignForS3(PutParts()).request;
  DropHeader(request, "x-amz-content-sha256");
  EXPECT_THAT(Send(request).body, HasSubstr("Missing required header"));

  request = SignForS3(PutParts()).request;
  request.headers.emplace_back("x-amz-storage-class", "STANDARD_IA");
  const auto unsigned_header = Send(request);
  EXPECT_EQ(Verdict(unsigned_header), "403 AccessDenied");
  EXPECT_EQ(Xml(unsigned_header, "HeadersNotSigned"), "x-amz-storage-class");

  request = SignForS3(PutParts()).request;
  request.body = "other";
  EXPECT_EQ(Verdict(Send(request)), "400 XAmzContentSHA256Mismatch");
  DropHeader(request, "Authorization");
  EXPECT_EQ(Verdict(Send(request)), "403 AccessDenied");
  request.headers.emplace_back("Authorization", "AWS AKIAIOSFODNN7EXAMPLE:c2lnbmF0dXJl");
  EXPECT_THAT(Send(request).body, HasSubstr("Please use AWS4-HMAC-SHA256"));
}

TEST_F(S3SignatureTest, ExpiredSessionsAreToldSo) {
  const Key session = service->keys().IssueSession("arn:aws:iam::123456789012:role/lake", "s",
                                                   clock.Now() + std::chrono::hours(1));
  S3Parts parts = PutParts();
  parts.access_key_id = session.access_key_id;
  parts.secret = session.secret;
  parts.session_token = session.session_token;
  EXPECT_EQ(Verdict(Send(parts)), "200");

  clock.Advance(std::chrono::hours(1));
  parts.at = clock.Now();

  EXPECT_EQ(Verdict(Send(parts)), "400 ExpiredToken");
  EXPECT_EQ(LastCall().outcome, Outcome::kUnauthenticated);
}

TEST_F(S3SignatureTest, PathsAreEncodedOnceAndNotNormalised) {
  const auto put = [&](const std::string& path) { return Verdict(Put(path, "x")); };
  EXPECT_EQ(put("/pcw-lake-dev/a//b/../c"), "200");
  EXPECT_EQ(put("/pcw-lake-dev/a%20b%2Bc%28%C3%A9"), "200");
  // AWS signs the encoded form, whatever the wire had.
  EXPECT_EQ(put("/pcw-lake-dev/a+b"), "403 SignatureDoesNotMatch");
  EXPECT_EQ(put("/pcw-lake-dev/a(b"), "403 SignatureDoesNotMatch");
  EXPECT_EQ(put("/pcw-lake-dev/%7e"), "403 SignatureDoesNotMatch");

  EXPECT_THAT(*s3->Describe("pcw-lake-dev"), HasSubstr("\"key\":\"a//b/../c\""));
}

TEST_F(S3SignatureTest, CountsPayloadsThatAreNotSigned) {
  S3Parts parts = PutParts();
  Send(parts);
  EXPECT_EQ(service->ledger().totals().unsigned_payloads, 0U);

  parts.payload_hash = "UNSIGNED-PAYLOAD";

  EXPECT_EQ(Verdict(Send(parts)), "200");
  EXPECT_EQ(service->ledger().totals().unsigned_payloads, 1U);
}

/// A presigned URL of the published algorithm, valid for `seconds`.
net::server::Request Presign(WallTime at, int seconds) {
  const std::string date = FormatIso8601Basic(at);
  const std::string scope = date.substr(0, 8) + "/us-east-1/s3/aws4_request";
  const std::string query = fmt::format(
      "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={}&X-Amz-Date={}&X-Amz-"
      "Expires={}&X-Amz-SignedHeaders=host",
      PercentEncode(std::string(kAccessKeyId) + "/" + scope, Slash::kEncode), date, seconds);
  const std::string canonical =
      "GET\n/pcw-lake-dev/key\n" + query + "\nhost:h\n\nhost\nUNSIGNED-PAYLOAD";
  S3Parts parts;
  parts.at = at;
  const std::string signature =
      Hex(HmacSha256(SignForS3(parts).signing_key, fmt::format("AWS4-HMAC-SHA256\n{}\n{}\n{}", date,
                                                               scope, Sha256Hex(canonical))));
  return {"GET",
          "/pcw-lake-dev/key?" + query + "&X-Amz-Signature=" + signature,
          {{"Host", "h"}},
          "",
          "127.0.0.1"};
}

TEST_F(S3SignatureTest, PresignedUrlsHoldUntilTheyExpire) {
  Send(PutParts());
  const net::server::Request request = Presign(clock.Now(), 3'600);

  EXPECT_EQ(Send(request).body, "body");
  clock.Advance(std::chrono::seconds(3'601));
  EXPECT_THAT(Send(request).body, HasSubstr("Request has expired"));

  EXPECT_EQ(Verdict(Send(Presign(clock.Now(), 604'801))), "400 AuthorizationQueryParametersError");
  EXPECT_EQ(service->ledger().totals().unsigned_payloads, 0U);
}

TEST_F(S3SignatureTest, TellsItsRequestsFromThoseOfOtherServices) {
  const auto is_s3 = [](const std::string& method, const std::string& target,
                        const std::string& authorization = "") {
    net::server::Request request{method, target, {{"Host", "h"}}, "", ""};
    if (!authorization.empty()) request.headers.emplace_back("Authorization", authorization);
    return IsS3(request);
  };
  const std::string scope = "AWS4-HMAC-SHA256 Credential=K/20261120/us-east-1/";
  const std::string rest = "/aws4_request, SignedHeaders=host, Signature=0";
  EXPECT_FALSE(is_s3("GET", "/"));
  EXPECT_TRUE(is_s3("GET", "/", scope + "s3" + rest));
  EXPECT_TRUE(is_s3("GET", "/pcw-lake-dev"));
  EXPECT_TRUE(is_s3("GET", "/?list-type=2"));
  EXPECT_TRUE(is_s3("PUT", "/pcw-lake-dev/key"));
  EXPECT_TRUE(is_s3("POST", "/pcw-lake-dev/key?uploads"));
  EXPECT_FALSE(is_s3("POST", "/"));
  EXPECT_FALSE(is_s3("POST", "/", scope + "sts" + rest));
  EXPECT_FALSE(is_s3("GET", "/v1/things", scope + "aws-marketplace" + rest));
}

// Bodies in the coding aws-chunked.

class S3ChunkedTest : public S3Test {
 protected:
  /// A signed body of one chunk, with a trailer if `trailer` is not empty.
  net::server::Request Chunked(const std::string& data, const std::string& trailer) {
    S3Parts parts = Parts("PUT", "/pcw-lake-dev/chunked", "", "",
                          {{"content-encoding", "aws-chunked"},
                           {"x-amz-decoded-content-length", std::to_string(data.size())}});
    parts.payload_hash = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";
    if (!trailer.empty()) {
      parts.payload_hash += "-TRAILER";
      parts.headers.emplace_back("x-amz-trailer", trailer.substr(0, trailer.find(':')));
    }
    S3Signed made = SignForS3(parts);
    std::string previous = made.signature;
    const auto link = [&](const std::string& algorithm, const std::string& hashes) {
      previous =
          Hex(HmacSha256(made.signing_key, fmt::format("{}\n{}\n{}\n{}\n{}", algorithm, made.date,
                                                       made.scope, previous, hashes)));
      return previous;
    };
    std::string body;
    for (const std::string& chunk : {data, std::string()}) {
      body +=
          fmt::format("{:x};chunk-signature={}\r\n", chunk.size(),
                      link("AWS4-HMAC-SHA256-PAYLOAD", Sha256Hex("") + "\n" + Sha256Hex(chunk)));
      if (!chunk.empty()) body += chunk + "\r\n";
    }
    if (!trailer.empty()) {
      body += trailer + "\r\nx-amz-trailer-signature:" +
              link("AWS4-HMAC-SHA256-TRAILER", Sha256Hex(trailer + "\n")) + "\r\n";
    }
    made.request.body = body + "\r\n";
    return made.request;
  }
};

TEST_F(S3ChunkedTest, DecodesSignedChunksAndTheirTrailer) {
  EXPECT_EQ(Verdict(Send(Chunked("data", ""))), "200");
  EXPECT_EQ(Get("/pcw-lake-dev/chunked").body, "data");
  EXPECT_EQ(HeaderOf(Get("/pcw-lake-dev/chunked"), "content-encoding"), "(none)");

  const auto answer = Send(Chunked("123456789", "x-amz-checksum-crc32:y/Q5Jg=="));
  EXPECT_EQ(HeaderOf(answer, "x-amz-checksum-crc32"), "y/Q5Jg==");
  EXPECT_EQ(service->ledger().totals().unsigned_payloads, 0U);
}

TEST_F(S3ChunkedTest, RefusesChangedChunksTrailersAndLengths) {
  net::server::Request request = Chunked("data", "");
  request.body.replace(request.body.find("data"), 4, "DATA");
  EXPECT_EQ(Verdict(Send(request)), "403 SignatureDoesNotMatch");

  request = Chunked("123456789", "x-amz-checksum-crc32:y/Q5Jg==");
  request.body.replace(request.body.find("y/Q5Jg"), 6, "AAAAAA");
  EXPECT_EQ(Verdict(Send(request)), "403 SignatureDoesNotMatch");

  EXPECT_EQ(Verdict(Send(Chunked("data", "x-amz-checksum-crc32:y/Q5Jg=="))), "400 BadDigest");

  request = Chunked("data", "");
  request.body.resize(request.body.size() - 10);
  EXPECT_EQ(Verdict(Send(request)), "400 IncompleteBody");
  EXPECT_EQ(Verdict(Get("/pcw-lake-dev/chunked")), "404 NoSuchKey");
}

TEST_F(S3ChunkedTest, UnsignedTrailersAreVerifiedAndCounted) {
  const auto send = [&](const std::string& crc) {
    S3Parts parts = Parts("PUT", "/pcw-lake-dev/trailer", "",
                          "9\r\n123456789\r\n0\r\nx-amz-checksum-crc32:" + crc + "\r\n\r\n",
                          {{"x-amz-decoded-content-length", "9"},
                           {"x-amz-sdk-checksum-algorithm", "CRC32"},
                           {"x-amz-trailer", "x-amz-checksum-crc32"}});
    parts.payload_hash = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";
    return Verdict(Send(parts));
  };
  EXPECT_EQ(send("y/Q5Jg=="), "200");
  EXPECT_EQ(send("AAAAAA=="), "400 BadDigest");
  EXPECT_EQ(Get("/pcw-lake-dev/trailer").body, "123456789");
  EXPECT_EQ(service->ledger().totals().unsigned_payloads, 2U);
}

}  // namespace
}  // namespace pcw::sim
