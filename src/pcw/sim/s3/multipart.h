// Uploads in parts: create, parts, complete, abort, and their two listings.
#pragma once

#include "pcw/sim/s3/state.h"

namespace pcw::sim {

S3Answer CreateMultipartUpload(S3State& state, const S3Call& call);
S3Answer UploadPart(S3State& state, S3Call& call);
/// Refuses parts that are missing, out of order, other than uploaded, or (but the last) under 5
/// MiB.
S3Answer CompleteMultipartUpload(S3State& state, S3Bucket& bucket, const S3Call& call);
S3Answer AbortMultipartUpload(S3State& state, const S3Call& call);
S3Answer ListParts(S3State& state, const S3Call& call);
S3Answer ListMultipartUploads(const S3State& state, const S3Call& call);

}  // namespace pcw::sim
