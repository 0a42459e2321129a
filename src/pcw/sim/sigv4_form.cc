#include "pcw/sim/sigv4_form.h"

#include <fmt/format.h>

#include "pcw/base/digest.h"
#include "pcw/base/time.h"

namespace pcw::sim {
namespace {

std::string_view Trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

}  // namespace

std::vector<std::string> SplitText(std::string_view text, char separator) {
  std::vector<std::string> parts;
  for (;;) {
    const std::size_t at = text.find(separator);
    parts.emplace_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

bool ReadCredential(std::string_view credential, Authorization& out) {
  const std::vector<std::string> scope = SplitText(credential, '/');
  if (scope.size() != 5) return false;
  out.access_key_id = scope[0];
  out.date = scope[1];
  out.region = scope[2];
  out.service = scope[3];
  out.terminator = scope[4];
  return true;
}

std::optional<Authorization> ParseAuthorization(std::string_view header) {
  if (!header.starts_with(kSigV4Algorithm)) return std::nullopt;
  header.remove_prefix(kSigV4Algorithm.size());
  Authorization out;
  std::string credential;
  for (const std::string& part : SplitText(header, ',')) {
    const std::string_view item = Trim(part);
    const std::size_t equals = item.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    const std::string_view name = item.substr(0, equals);
    const std::string value(item.substr(equals + 1));
    if (name == "Credential") credential = value;
    if (name == "SignedHeaders") out.signed_headers = SplitText(value, ';');
    if (name == "Signature") out.signature = value;
  }
  if (!ReadCredential(credential, out) || out.signed_headers.empty() || out.signature.empty()) {
    return std::nullopt;
  }
  return out;
}

std::string CanonicalValue(std::string_view value) {
  std::string out;
  for (const char c : Trim(value)) {
    if (c != ' ' || out.empty() || out.back() != ' ') out += c;
  }
  return out;
}

std::optional<WallTime> ParseAmzDate(std::string_view text) {
  if (text.size() != 16 || text[8] != 'T' || text[15] != 'Z') return std::nullopt;
  const std::string spelled =
      fmt::format("{}-{}-{}T{}:{}:{}Z", text.substr(0, 4), text.substr(4, 2), text.substr(6, 2),
                  text.substr(9, 2), text.substr(11, 2), text.substr(13, 2));
  const auto parsed = ParseRfc3339(spelled);
  if (!parsed) return std::nullopt;
  return *parsed;
}

std::string DeriveSigningKey(const Key& key, std::string_view date, std::string_view region,
                             std::string_view service) {
  const Sha256Digest of_date = HmacSha256("AWS4" + key.secret, date);
  const Sha256Digest of_region = HmacSha256(BytesOf(of_date), region);
  const Sha256Digest of_service = HmacSha256(BytesOf(of_region), service);
  return std::string(BytesOf(HmacSha256(BytesOf(of_service), "aws4_request")));
}

bool SameText(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  unsigned difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference |= static_cast<unsigned>(static_cast<unsigned char>(a[i] ^ b[i]));
  }
  return difference == 0;
}

}  // namespace pcw::sim
