#include "pcw/sim/s3/chunked.h"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "pcw/base/digest.h"
#include "pcw/sim/s3/text.h"
#include "pcw/sim/sigv4_form.h"

namespace pcw::sim {
namespace {

using net::server::Headers;
using net::server::Request;

constexpr std::size_t kMinChunk = 8'192;

S3Answer Incomplete() {
  return S3Error(400, "IncompleteBody", "The request body terminated unexpectedly");
}

/// Reads one body; the signatures form a chain that begins with the request's.
class ChunkReader {
 public:
  ChunkReader(std::string_view rest, const S3Signature& signature)
      : rest_(rest), signature_(signature), previous_(signature.signature) {}

  std::optional<S3Answer> Read(std::string& body, Headers& trailers) {
    std::size_t last = kMinChunk;
    for (;;) {
      std::size_t size = 0;
      std::string_view claimed;
      if (!ReadHead(size, claimed)) return Incomplete();
      if (rest_.size() < size) return Incomplete();
      const std::string_view data = rest_.substr(0, size);
      rest_.remove_prefix(size);
      if (auto refused = CheckChunk(data, claimed)) return refused;
      if (size == 0) return ReadTrailers(trailers);
      if (last < kMinChunk) {
        return S3Error(403, "InvalidChunkSizeError",
                       "Only the last chunk is allowed to have a size less than 8192 bytes");
      }
      last = size;
      body += data;
      if (!Skip("\r\n")) return Incomplete();
    }
  }

 private:
  bool IsSigned() const { return signature_.payload != S3Payload::kUnsignedTrailer; }

  bool Skip(std::string_view text) {
    if (!rest_.starts_with(text)) return false;
    rest_.remove_prefix(text.size());
    return true;
  }

  /// "SIZE;chunk-signature=HEX\r\n", unsigned without the extension.
  bool ReadHead(std::size_t& size, std::string_view& claimed) {
    const std::size_t end = rest_.find("\r\n");
    if (end == std::string_view::npos) return false;
    const std::string_view line = rest_.substr(0, end);
    rest_.remove_prefix(end + 2);
    const auto [stop, problem] = std::from_chars(line.data(), line.data() + line.size(), size, 16);
    if (problem != std::errc{}) return false;
    claimed = line.substr(static_cast<std::size_t>(stop - line.data()));
    constexpr std::string_view kName = ";chunk-signature=";
    if (!IsSigned()) return claimed.empty();
    if (!claimed.starts_with(kName)) return false;
    claimed.remove_prefix(kName.size());
    return true;
  }

  std::optional<S3Answer> CheckLink(std::string_view algorithm, const std::string& hashes,
                                    std::string_view claimed) {
    const std::string to_sign = fmt::format("{}\n{}\n{}\n{}\n{}", algorithm, signature_.amz_date,
                                            signature_.scope, previous_, hashes);
    previous_ = Hex(HmacSha256(signature_.signing_key, to_sign));
    if (SameText(previous_, claimed)) return std::nullopt;
    return S3Error(403, "SignatureDoesNotMatch",
                   "The chunk or request signature we calculated does not match the signature you "
                   "provided. Check your key and signing method.",
                   {{"StringToSign", to_sign}, {"SignatureProvided", std::string(claimed)}});
  }

  std::optional<S3Answer> CheckChunk(std::string_view data, std::string_view claimed) {
    if (!IsSigned()) return std::nullopt;
    return CheckLink("AWS4-HMAC-SHA256-PAYLOAD", Sha256Hex("") + "\n" + Sha256Hex(data), claimed);
  }

  /// "name:value" lines up to an empty one; the last may be x-amz-trailer-signature.
  std::optional<S3Answer> ReadTrailers(Headers& trailers) {
    std::string canonical;
    std::string claimed;
    for (;;) {
      const std::size_t end = rest_.find('\n');
      if (end == std::string_view::npos) return Incomplete();
      std::string_view line = rest_.substr(0, end);
      rest_.remove_prefix(end + 1);
      if (line.ends_with('\r')) line.remove_suffix(1);
      if (line.empty()) break;
      const std::size_t colon = line.find(':');
      if (colon == std::string_view::npos) {
        return S3Error(400, "MalformedTrailerError",
                       "The request contained trailing data that was not well-formed or did not "
                       "conform to our published schema.");
      }
      const std::string name(line.substr(0, colon));
      const std::string value = CanonicalValue(line.substr(colon + 1));
      if (name == "x-amz-trailer-signature") {
        claimed = value;
      } else {
        canonical += fmt::format("{}:{}\n", name, value);
        trailers.emplace_back(name, value);
      }
    }
    if (signature_.payload != S3Payload::kSignedChunksTrailer) return std::nullopt;
    return CheckLink("AWS4-HMAC-SHA256-TRAILER", Sha256Hex(canonical), claimed);
  }

  std::string_view rest_;
  const S3Signature& signature_;
  std::string previous_;
};

}  // namespace

std::optional<S3Answer> DecodeBody(Request& request, const S3Signature& signature,
                                   std::string& body, Headers& trailers) {
  if (signature.payload == S3Payload::kHashed || signature.payload == S3Payload::kUnsigned) {
    body = std::move(request.body);
    return std::nullopt;
  }
  const auto decoded = request.Header("X-Amz-Decoded-Content-Length");
  const auto length = decoded ? ParseDigits(*decoded) : std::nullopt;
  if (!length) {
    return S3Error(411, "MissingContentLength",
                   "You must provide the x-amz-decoded-content-length HTTP header.");
  }
  body.reserve(request.body.size());
  if (auto refused = ChunkReader(request.body, signature).Read(body, trailers)) return refused;
  if (body.size() != *length) {
    return S3Error(400, "IncompleteBody",
                   "You did not provide the number of bytes specified by the Content-Length HTTP "
                   "header");
  }
  const std::string_view announced = request.Header("X-Amz-Trailer").value_or("");
  const bool as_announced = std::all_of(trailers.begin(), trailers.end(), [&](const auto& trailer) {
    return trailer.first == announced;
  });
  if (as_announced && trailers.size() == (announced.empty() ? 0U : 1U)) return std::nullopt;
  return S3Error(400, "MalformedTrailerError",
                 "The request contained trailing data that was not well-formed or did not conform "
                 "to our published schema.");
}

}  // namespace pcw::sim
