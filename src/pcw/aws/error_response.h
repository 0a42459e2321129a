// From an AWS error answer to one of our error codes: by AWS's error type first, by HTTP status
// second (docs/errors.md; docs/aws-facts.md 4, 22).
#pragma once

#include <string>
#include <string_view>

#include "pcw/aws/operation.h"
#include "pcw/base/error.h"
#include "pcw/net/http.h"

namespace pcw::aws {

/// What an answer that is not a success says.
struct ErrorResponse {
  Error error;       ///< with context aws_error, status, request_id, fields
  std::string type;  ///< AWS's error type without namespace; empty if the answer names none
  bool says_expired = false;  ///< AWS calls the credentials expired, and may have been too early
  bool is_expired = false;    ///< credentials that their source may have replaced: ask it once
  bool is_skew = false;       ///< a signature that another clock may heal
};

/// Classifies an answer with a status other than 2xx, or a 200 of S3 whose body is an error (T12).
/// Never fails: an unreadable body is classified by its status, as is that of a HEAD, which has
/// none.
///
/// For kRestXml (S3): a 503 without a reason is throttling; a bucket of another region than
/// `region` is kConfig with context `bucket_region`; context `host_id` is x-amz-id-2, which AWS
/// Support asks for; a HEAD that was refused may have been refused for its clock, or for a token or
/// key that has ended (is_skew, is_expired).
ErrorResponse ClassifyResponse(const net::HttpResponse& response,
                               Protocol protocol = Protocol::kJson10, std::string_view region = "");

/// The code of an AWS error type, or of the status if the type is unknown. 429 is throttling
/// whatever else it says.
ErrorCode CodeOf(std::string_view type, int status);

/// x-amzn-requestid, or S3's x-amz-request-id; empty if absent. In ASCII and bounded: it goes into
/// bronze, rows and logs, and what is between AWS and us may have written it.
std::string RequestIdOf(const net::HttpResponse& response);

}  // namespace pcw::aws
