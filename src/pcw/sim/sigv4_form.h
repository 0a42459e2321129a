// The forms of Signature Version 4 that every receiving service reads alike: the header, dates,
// canonical values, the derived key. Written from the published algorithm.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pcw/base/clock.h"
#include "pcw/sim/keys.h"

namespace pcw::sim {

inline constexpr std::string_view kSigV4Algorithm = "AWS4-HMAC-SHA256";

/// What an Authorization header, or the query of a presigned URL, says.
struct Authorization {
  std::string access_key_id, date, region, service, terminator, signature;
  std::vector<std::string> signed_headers;
};

std::vector<std::string> SplitText(std::string_view text, char separator);

/// Takes "key/date/region/service/aws4_request" apart; false if it has not five members.
bool ReadCredential(std::string_view credential, Authorization& out);

/// Nothing unless algorithm, Credential, SignedHeaders and Signature are there.
std::optional<Authorization> ParseAuthorization(std::string_view header);

/// A header value as it is signed: trimmed, runs of blanks made one.
std::string CanonicalValue(std::string_view value);

/// "20261120T081530Z" as a time.
std::optional<WallTime> ParseAmzDate(std::string_view text);

/// The key that signs for one day, region and service, as raw bytes.
std::string DeriveSigningKey(const Key& key, std::string_view date, std::string_view region,
                             std::string_view service);

/// Takes time that does not depend on where the texts differ.
bool SameText(std::string_view a, std::string_view b);

}  // namespace pcw::sim
