// A client of the bucket in memory, with time that does not pass.
#pragma once

#include "fakes/fake_s3.h"
#include "fakes/fake_time.h"
#include "pcw/aws/credentials/static_credentials.h"
#include "pcw/aws/s3.h"

namespace pcw {

struct FakeBucket {
  static aws::Credentials Keys() {
    aws::Credentials keys;
    keys.access_key_id = "AKID";
    keys.secret_access_key = Secret("secret");
    return keys;
  }
  static aws::CallerOptions Options() {
    aws::CallerOptions options;
    options.endpoint = "http://127.0.0.1:9000";
    options.user_agent = "pcw/test";
    return options;
  }

  net::FakeS3 s3;
  FakeClock clock;
  FakeSleeper sleeper{clock};
  FakeRng rng;
  aws::StaticCredentialsProvider credentials{Keys()};
  aws::OpenQuotaGate gate;
  aws::Caller caller{aws::s3::kService, {s3, credentials, gate, clock, sleeper, rng}, Options()};
  aws::s3::Bucket bucket{
      caller, {.bucket = "lake", .path = "/lake", .expected_owner = "", .sse_kms_key_id = ""}};
};

}  // namespace pcw
