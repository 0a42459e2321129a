// The control and oracle endpoints of the simulated S3: /_sim/s3 and below.
#pragma once

#include <string_view>

#include "pcw/net/server/message.h"
#include "pcw/sim/s3/service.h"

namespace pcw::sim {

inline constexpr std::string_view kS3ControlPath = "/_sim/s3";

/// True for paths that AnswerS3Control answers.
bool IsS3Control(std::string_view target);

/// Answers `GET /_sim/s3?bucket=B` and `POST /_sim/s3/delete-bucket?bucket=B`. Hashes every object:
/// call it on a thread of its own. Thread-safe.
net::server::Response AnswerS3Control(S3Service& s3, const net::server::Request& request);

}  // namespace pcw::sim
