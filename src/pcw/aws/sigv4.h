// AWS Signature Version 4, every step of it visible (docs/aws-facts.md 20). Pure functions and a
// small key cache.
#pragma once

#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pcw/aws/credentials.h"
#include "pcw/base/clock.h"
#include "pcw/base/digest.h"
#include "pcw/net/http.h"

namespace pcw::aws {

/// Does the path lose "." and ".." and doubled slashes before signing, and is it encoded once more?
/// Every service but S3.
enum class PathForm { kNormalized, kAsIs };
/// Is x-amz-content-sha256 added and signed? S3 needs it.
enum class PayloadHeader { kOmit, kAdd };

/// What is to be signed. `path` and `query` are as they stand on the wire (query without "?").
struct SigningRequest {
  std::string_view method = "POST";
  std::string_view path = "/";
  std::string_view query;
  net::Headers headers;  ///< including host; without x-amz-date and the token
  std::string_view body;
  std::string_view payload_sha256{};  ///< hex, if it is known already; empty = computed from `body`
  PathForm path_form = PathForm::kNormalized;
  PayloadHeader payload_header = PayloadHeader::kOmit;
  bool omits_session_token =
      false;  ///< the token header is added after signing (seen in AWS's own vectors only)
};

struct SigningScope {
  std::string_view region;
  std::string_view service;
  WallTime time;
};

/// Every intermediate, so that a difference names its step.
struct Signature {
  std::string canonical_request;
  std::string string_to_sign;
  std::string signature;       ///< hex
  std::string signed_headers;  ///< "host;x-amz-date"
  net::Headers
      added;  ///< headers to send beside the given ones: X-Amz-Date, token, Authorization ...
  std::string query;  ///< presigned form only: the whole query string
};

/// Derives the key of a day, region and service.
Sha256Digest SigningKey(std::string_view secret, const SigningScope& scope);

/// Signs with the Authorization header.
Signature SignHeaders(const SigningRequest& request, const Credentials& credentials,
                      const SigningScope& scope, const Sha256Digest& key);

/// Signs with query parameters (a presigned URL), valid for `expires`.
Signature SignQuery(const SigningRequest& request, const Credentials& credentials,
                    const SigningScope& scope, std::chrono::seconds expires,
                    const Sha256Digest& key);

/// Signs the calls of one service and region, with the key of the day cached. Thread-safe.
class Signer {
 public:
  Signer(std::string region, std::string service)
      : region_(std::move(region)), service_(std::move(service)) {}

  /// The complete headers of a request: the given ones and those the signature adds.
  net::Headers Sign(SigningRequest request, const Credentials& credentials, WallTime now);

 private:
  Sha256Digest KeyFor(const Credentials& credentials, const SigningScope& scope);

  const std::string region_;
  const std::string service_;
  std::mutex mutex_;
  std::string cached_for_;     // guarded by mutex_: day and key id
  Sha256Digest cached_key_{};  // guarded by mutex_
};

/// Percent-encodes every byte outside A-Z a-z 0-9 - . _ ~; `keeps_slash` leaves "/" alone.
std::string PercentEncode(std::string_view text, bool keeps_slash = false);

/// "%41" to "A"; what is not an escape stays.
std::string PercentDecode(std::string_view text);

}  // namespace pcw::aws
