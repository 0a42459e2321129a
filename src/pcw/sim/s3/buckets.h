// The operations of the simulated S3 on buckets: make, look, list.
#pragma once

#include "pcw/sim/s3/state.h"

namespace pcw::sim {

S3Answer ListBuckets(const S3State& state, const S3Call& call);
S3Answer CreateBucket(S3State& state, const S3Call& call);
S3Answer DeleteBucket(S3State& state, const S3Call& call);
S3Answer HeadBucket();

/// ListObjectsV2: pages of at most 1,000 keys in the order of their UTF-8 bytes.
S3Answer ListObjectsV2(const S3State& state, const S3Bucket& bucket, const S3Call& call);

/// Reads a page size of at most 1,000 under `name`; refuses what is not a number.
std::optional<S3Answer> ReadPageSize(const S3Request& target, std::string_view name,
                                     std::size_t& out);

/// Reads encoding-type; refuses anything but "url".
std::optional<S3Answer> ReadEncoding(const S3Request& target, bool& is_url);

}  // namespace pcw::sim
