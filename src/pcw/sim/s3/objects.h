// The operations of the simulated S3 on single objects.
#pragma once

#include "pcw/sim/s3/state.h"

namespace pcw::sim {

/// Refuses a body that is not what the request's checksums say; `claimed` gets the checksum.
std::optional<S3Answer> CheckUpload(const S3Call& call, std::optional<S3Checksum>& claimed);

S3Answer PutObject(S3State& state, S3Bucket& bucket, S3Call& call);
/// GetObject and HeadObject: the listener sends no body to a HEAD.
S3Answer GetObject(const S3Bucket& bucket, const S3Call& call);
S3Answer DeleteObject(S3State& state, S3Bucket& bucket, const S3Call& call);

}  // namespace pcw::sim
