// Answers of AWS and of credential endpoints: JSON bodies, error bodies, S3's XML.
#include <string>

#include <nlohmann/json.hpp>

#include "fuzz/target.h"
#include "pcw/aws/credentials/credentials_document.h"
#include "pcw/aws/error_response.h"
#include "pcw/base/assert.h"
#include "pcw/base/json.h"

PCW_FUZZ_TARGET(aws_answer) {
  using namespace pcw;
  if (const Result<Json> parsed = ParseJson(input)) {
    const Result<Json> again = ParseJson(DumpJson(*parsed));
    PCW_ASSERT(again.has_value());
    PCW_ASSERT(*again == *parsed);
  }
  for (const int status : {200, 400, 403, 429, 503}) {
    const net::HttpResponse response{
        .status = status, .headers = {{"x-amzn-RequestId", "r-1"}}, .body = std::string(input)};
    for (const aws::Protocol protocol : {aws::Protocol::kJson10, aws::Protocol::kRestXml}) {
      const aws::ErrorResponse error = aws::ClassifyResponse(response, protocol, "us-east-1");
      // S3 may name another region with any status; of the JSON services 429 says it all.
      if (status == 429 && protocol == aws::Protocol::kJson10)
        PCW_ASSERT(error.error.code() == ErrorCode::kThrottled);
    }
  }
  static_cast<void>(aws::ParseCredentialsDocument(input, "the fuzzer"));
}
