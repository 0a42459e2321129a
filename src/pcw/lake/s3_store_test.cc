// What may go wrong between a lake and S3: lost answers, races, refusals, half an upload (T11,
// F26).
#include "pcw/lake/s3_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/result_matchers.h"
#include "fakes/s3_bucket.h"

namespace pcw::lake {
namespace {

using net::FakeS3;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using enum FakeS3::Trouble;

class S3StoreTest : public ::testing::Test {
 protected:
  Status Put(std::string_view content) { return store.Put("bronze/k", content, {}); }

  FakeBucket fake;
  FakeS3& s3 = fake.s3;
  S3BronzeStore store{fake.bucket, {.prefix = "p/", .part_bytes = 8}};
};

TEST_F(S3StoreTest, OneExchangeForASmallObject) {
  ASSERT_THAT(Put("small"), Succeeds());

  EXPECT_THAT(s3.log, ElementsAre("PUT p/bronze/k"));
}

TEST_F(S3StoreTest, ThePartsOfALargeObject) {
  ASSERT_THAT(Put("0123456789abcdefX"), Succeeds());

  EXPECT_THAT(s3.log, ElementsAre("POST p/bronze/k?uploads",
                                  "PUT p/bronze/k?partNumber=1&uploadId=u%2B1%2F%3D",
                                  "PUT p/bronze/k?partNumber=2&uploadId=u%2B1%2F%3D",
                                  "PUT p/bronze/k?partNumber=3&uploadId=u%2B1%2F%3D",
                                  "POST p/bronze/k?uploadId=u%2B1%2F%3D"));
  EXPECT_EQ(s3.objects["p/bronze/k"].bytes, "0123456789abcdefX");
  EXPECT_THAT(s3.uploads, IsEmpty());
}

TEST_F(S3StoreTest, AnAnswerThatWasLostIsSettledByTheChecksum) {
  s3.troubles = {kAnswerLost};

  EXPECT_THAT(Put("small"), Succeeds());

  EXPECT_THAT(s3.log, ElementsAre("PUT p/bronze/k", "PUT p/bronze/k", "HEAD p/bronze/k"));
}

TEST_F(S3StoreTest, ALostAnswerOfTheCompletionIsSettledByTheChecksumOfChecksums) {
  s3.troubles = {kNone, kNone, kNone, kAnswerLost};

  EXPECT_THAT(Put("0123456789"), Succeeds());

  EXPECT_EQ(s3.log.back(), "HEAD p/bronze/k");
  EXPECT_EQ(s3.objects["p/bronze/k"].bytes, "0123456789");
}

TEST_F(S3StoreTest, WithoutAStoredChecksumTheBytesDecide) {
  s3.keeps_checksums = false;
  s3.troubles = {kAnswerLost};
  EXPECT_THAT(Put("small"), Succeeds());
  EXPECT_EQ(s3.log.back(), "GET p/bronze/k");

  EXPECT_THAT(Put("SMALL"), FailsWith(ErrorCode::kConflict));
}

TEST_F(S3StoreTest, PartsThatWereCutElsewhereAreComparedByTheirBytes) {
  S3BronzeStore other(fake.bucket, {.prefix = "p/", .part_bytes = 3});
  ASSERT_THAT(other.Put("bronze/k", "0123456789", {}), Succeeds());

  EXPECT_THAT(Put("0123456789"), Succeeds());
  EXPECT_THAT(Put("012345678X"), FailsWith(ErrorCode::kConflict));
  EXPECT_THAT(s3.uploads, IsEmpty()) << "an upload that lost is aborted";
}

TEST_F(S3StoreTest, AnotherChecksumIsAConflictWithoutReadingTheObject) {
  ASSERT_THAT(Put("small"), Succeeds());
  s3.log.clear();

  EXPECT_THAT(Put("other"), FailsWith(ErrorCode::kConflict));

  EXPECT_THAT(s3.log, ElementsAre("PUT p/bronze/k", "HEAD p/bronze/k"));
}

TEST_F(S3StoreTest, TroubleOnTheWayIsRiddenOut) {
  s3.troubles = {kNotReached, kAnswerLost};
  EXPECT_THAT(Put("small"), Succeeds());

  s3.objects.clear();
  s3.refusals = {FakeS3::Refusal(503, "SlowDown"), FakeS3::Refusal(500, "InternalError")};
  EXPECT_THAT(Put("small"), Succeeds());

  s3.objects.clear();
  s3.refusals = {FakeS3::Refusal(409, "ConditionalRequestConflict")};
  EXPECT_THAT(Put("small"), Succeeds());
}

TEST_F(S3StoreTest, ThrottlingThatLastsEndsAsThrottled) {
  for (int i = 0; i < 3; ++i) s3.refusals.push_back(FakeS3::Refusal(503, "SlowDown"));

  EXPECT_THAT(Put("small"), FailsWith(ErrorCode::kThrottled));
  EXPECT_THAT(s3.objects, IsEmpty());
}

TEST_F(S3StoreTest, AConflictWithNobodyIsToBeTriedAgain) {
  s3.refusals = {FakeS3::Refusal(412, "PreconditionFailed")};

  EXPECT_THAT(Put("small"), FailsWith(ErrorCode::kUnavailable));
}

TEST_F(S3StoreTest, AnUploadThatLostAgainstAnotherWriteIsBegunAgainWithAllItsParts) {
  const auto began = [](const char* id) {
    return net::Reply(200, std::string("<InitiateMultipartUploadResult><UploadId>") + id +
                               "</UploadId></InitiateMultipartUploadResult>");
  };
  const auto part = net::Reply(200, "", {{"ETag", "\"e\""}});
  // As AWS: the upload that lost is gone.
  s3.refusals = {began("u"), part, part, FakeS3::Refusal(409, "ConditionalRequestConflict"),
                 FakeS3::Refusal(404, "NoSuchUpload")};

  EXPECT_THAT(Put("0123456789"), Succeeds());

  EXPECT_EQ(s3.objects["p/bronze/k"].bytes, "0123456789");
  EXPECT_THAT(s3.uploads, IsEmpty());
}

TEST_F(S3StoreTest, AFailedUploadIsAborted) {
  s3.refusals = {net::Reply(200,
                            "<InitiateMultipartUploadResult><UploadId>u</UploadId></"
                            "InitiateMultipartUploadResult>"),
                 FakeS3::Refusal(403, "AccessDenied")};
  s3.uploads["u"];

  const Status refused = Put("0123456789");

  EXPECT_THAT(refused, FailsWith(ErrorCode::kPermissionDenied));
  EXPECT_EQ(s3.log.back(), "DELETE p/bronze/k?uploadId=u");
  EXPECT_THAT(s3.uploads, IsEmpty());
  EXPECT_EQ(refused.error().Find("upload_left"), std::nullopt);
}

TEST_F(S3StoreTest, AnUploadThatCannotBeAbortedIsNamed) {
  s3.refusals = {net::Reply(200,
                            "<InitiateMultipartUploadResult><UploadId>u</UploadId></"
                            "InitiateMultipartUploadResult>"),
                 FakeS3::Refusal(403, "AccessDenied"), FakeS3::Refusal(403, "AccessDenied")};

  const Status refused = Put("0123456789");

  ASSERT_THAT(refused, FailsWith(ErrorCode::kPermissionDenied));
  EXPECT_THAT(std::string(refused.error().Find("upload_left").value_or("")),
              HasSubstr("s3:AbortMultipartUpload"));
}

TEST_F(S3StoreTest, AStopLeavesNoUploadBehind) {
  std::stop_source stop;
  stop.request_stop();

  EXPECT_THAT(store.Put("bronze/k", "0123456789", stop.get_token()),
              FailsWith(ErrorCode::kCancelled));
  EXPECT_THAT(s3.uploads, IsEmpty());
}

TEST_F(S3StoreTest, FoldersOfTheConsoleAreNoObjects) {
  s3.objects["p/bronze/"] = {};
  s3.objects["p/bronze/a"] = {"x", ""};

  const auto listed = store.List("bronze/", {});

  ASSERT_THAT(listed, Succeeds());
  ASSERT_EQ(listed->size(), 1U);
  EXPECT_EQ((*listed)[0].key, "bronze/a");
  EXPECT_EQ((*listed)[0].modified_at, "2026-11-24T08:00:00Z");
}

TEST_F(S3StoreTest, SaysWhereItIs) {
  EXPECT_EQ(store.Describe(), "s3://lake/p");
  EXPECT_EQ(S3BronzeStore(fake.bucket, {}).Describe(), "s3://lake");
}

TEST_F(S3StoreTest, ABucketThatIsNotThereFailsTheProbe) {
  s3.refusals = {net::Reply(404)};

  const Status probed = store.Probe({});

  ASSERT_THAT(probed, FailsWith(ErrorCode::kNotFound));
  EXPECT_THAT(probed.error().message(), HasSubstr("bucket lake does not exist"));
}

TEST(ParseS3LocationTest, SplitsBucketAndPrefix) {
  EXPECT_EQ(ParseS3Location("s3://pcw-lake-dev")->prefix, "");
  EXPECT_EQ(ParseS3Location("s3://pcw-lake-dev/")->prefix, "");
  EXPECT_EQ(ParseS3Location("s3://pcw-lake-dev/a/b")->prefix, "a/b/");
  EXPECT_EQ(ParseS3Location("s3://pcw-lake-dev/a/b/")->bucket, "pcw-lake-dev");
  for (const char* url :
       {"file:///x", "s3:/pcw", "s3://", "s3:///a", "s3://ab", "s3://Pcw-lake", "s3://pcw_lake",
        "s3://-pcw", "s3://pcw-", "s3://p..w", "s3://192.168.0.1", "s3://xn--pcw", "s3://pcw/..",
        "s3://pcw/a//b", "s3://pcw//", "s3://pcw/a\xc3\xbc", "s3://pcw/a%2e"}) {
    EXPECT_THAT(ParseS3Location(url), FailsWith(ErrorCode::kConfig)) << url;
  }
}

}  // namespace
}  // namespace pcw::lake
