// Bodies in the content coding aws-chunked: what SDKs send when a checksum comes after the data.
#pragma once

#include <optional>
#include <string>

#include "pcw/net/server/message.h"
#include "pcw/sim/s3/answer.h"
#include "pcw/sim/s3/signature.h"

namespace pcw::sim {

/// Decodes `request.body` as `signature.payload` says, checking every chunk's signature and the
/// trailer's. Trailers that x-amz-trailer announced go to `trailers`. A body that is not chunked is
/// moved as it is. Thread-safe.
std::optional<S3Answer> DecodeBody(net::server::Request& request, const S3Signature& signature,
                                   std::string& body, net::server::Headers& trailers);

}  // namespace pcw::sim
