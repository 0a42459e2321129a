// Which requests are S3's, and what they ask for: bucket, key, query, operation.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pcw/net/server/message.h"
#include "pcw/sim/answer.h"
#include "pcw/sim/s3/answer.h"

namespace pcw::sim {

/// One request to S3, taken apart. Names and values are decoded.
struct S3Request {
  std::string bucket;                                      ///< empty: of the service as a whole
  std::string key;                                         ///< empty: of the bucket
  std::string path;                                        ///< as on the wire, without the query
  std::vector<std::pair<std::string, std::string>> query;  ///< in order of arrival
  Operation operation = Operation::kOther;
  std::string_view action;           ///< the permission it needs, "s3:PutObject"
  std::optional<S3Answer> unusable;  ///< it names nothing that could be executed

  /// The first query member of that name.
  std::optional<std::string_view> Query(std::string_view name) const;
  /// "arn:aws:s3:::bucket/key"
  std::string Arn() const;
};

/// True if S3 must answer: the signature's scope names it, or (unsigned, or signed in a form we do
/// not know) host, method or path can belong to no other service.
bool IsS3(const net::server::Request& request);

/// Takes a request apart: path style, or virtual-host style for the hosts `bucket.localhost` and
/// `bucket.s3.<region>.amazonaws.com`.
S3Request ReadS3Request(const net::server::Request& request);

/// The permissions of all operations, for the account's state.
std::vector<std::string> S3Actions();

/// False for names that no bucket can have.
bool IsBucketName(std::string_view name);

}  // namespace pcw::sim
