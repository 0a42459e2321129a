// A lake in an S3 bucket.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "pcw/aws/s3.h"
#include "pcw/lake/bronze_store.h"

namespace pcw::lake {

/// Where a lake lies in S3.
struct S3Location {
  std::string bucket;
  std::string prefix;  ///< "" or ends in "/"
};

/// Splits "s3://bucket[/prefix]". kConfig, saying what was expected, for a bucket that S3 would not
/// name so, and for a prefix with segments that are empty, "." or "..", longer than 64 characters
/// or of other characters than A-Z a-z 0-9 . _ = -.
Result<S3Location> ParseS3Location(std::string_view url);

struct S3StoreOptions {
  std::string prefix;  ///< of every key: "" or ends in "/"
  /// Objects up to this size are stored with one PUT, larger ones in parts of it. S3 takes no
  /// smaller part than 5 MiB, but for the last.
  std::size_t part_bytes = 16U << 20U;
};

/// Bronze objects in a bucket. Every write is conditional on the key being free, which S3 decides,
/// so two writers cannot overwrite each other. A key that is taken is settled by checksums: the
/// same bytes are our own earlier write, perhaps one whose answer was lost (T11). An upload in
/// parts that fails is aborted; one that was killed leaves parts that no listing shows and that the
/// bucket's lifecycle rule removes. Never deletes an object. Failpoints: s3.put.before and .after,
/// s3.multipart.part.after, s3.multipart.complete.before and .after.
class S3BronzeStore final : public BronzeStore {
 public:
  /// `bucket` outlives the store.
  S3BronzeStore(aws::s3::Bucket& bucket, S3StoreOptions options)
      : bucket_(bucket), options_(std::move(options)) {}

  Status Put(std::string_view key, std::string_view content, std::stop_token stop) override;
  Result<std::string> Get(std::string_view key, std::stop_token stop) override;
  Result<std::vector<ObjectInfo>> List(std::string_view prefix, std::stop_token stop) override;
  Status Probe(std::stop_token stop) override;
  std::string Describe() const override;

 private:
  Status PutWhole(const std::string& key, std::string_view content, std::stop_token stop);
  Status PutInParts(const std::string& key, std::string_view content, std::stop_token stop);
  Status PutInOneUpload(const std::string& key, std::string_view content, std::stop_token stop);
  Status PutParts(const std::string& key, const std::string& upload_id, std::string_view content,
                  std::vector<Sha256Digest>& digests, std::stop_token stop);
  Status Settle(Status written, const std::string& key, std::string_view content,
                const std::string& checksum, std::stop_token stop);

  aws::s3::Bucket& bucket_;
  const S3StoreOptions options_;
};

}  // namespace pcw::lake
