#include "pcw/sim/s3/checksum.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "pcw/base/digest.h"
#include "pcw/base/weak_digest.h"
#include "pcw/sim/s3/text.h"

namespace pcw::sim {
namespace {

using net::server::FindHeader;
using net::server::Headers;

struct AlgorithmRow {
  std::string_view name;
  std::string_view suffix;  ///< of the header
  std::size_t size;         ///< bytes of a digest
};

constexpr std::array<AlgorithmRow, kChecksumAlgorithms> kAlgorithms{{{"CRC32", "crc32", 4},
                                                                     {"CRC32C", "crc32c", 4},
                                                                     {"CRC64NVME", "crc64nvme", 8},
                                                                     {"SHA1", "sha1", 20},
                                                                     {"SHA256", "sha256", 32}}};

const AlgorithmRow& RowOf(ChecksumAlgorithm algorithm) {
  return kAlgorithms[static_cast<std::size_t>(algorithm)];
}

/// Remainders of each byte for a reflected polynomial.
template <typename Word>
constexpr std::array<Word, 256> TableOf(Word polynomial) {
  std::array<Word, 256> table{};
  for (std::size_t i = 0; i < table.size(); ++i) {
    auto word = static_cast<Word>(i);
    for (int bit = 0; bit < 8; ++bit)
      word = (word & 1U) != 0 ? (word >> 1U) ^ polynomial : word >> 1U;
    table[i] = word;
  }
  return table;
}

constexpr auto kCrc32Table = TableOf<std::uint32_t>(0xedb88320);
constexpr auto kCrc32cTable = TableOf<std::uint32_t>(0x82f63b78);
constexpr auto kCrc64NvmeTable = TableOf<std::uint64_t>(0x9a6c9329ac4bc9b5);

template <typename Word>
Word Crc(const std::array<Word, 256>& table, std::string_view data) {
  Word word = ~Word{0};
  for (const char c : data) {
    word = table[(word ^ static_cast<unsigned char>(c)) & 255U] ^ (word >> 8U);
  }
  return ~word;
}

template <typename Word>
std::string BigEndian(Word word) {
  std::string out(sizeof word, '\0');
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[out.size() - 1 - i] = static_cast<char>((word >> (8 * i)) & 255U);
  }
  return out;
}

S3Answer InvalidChecksum(std::string_view message) {
  return S3Error(400, "InvalidRequest", message);
}

constexpr std::string_view kPrefix = "x-amz-checksum-";

std::string Lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return out;
}

/// What a header of that prefix says beside values: settings, not checksums.
bool IsSetting(std::string_view suffix) {
  return suffix == "algorithm" || suffix == "type" || suffix == "mode";
}

std::optional<S3Answer> ReadInto(std::string_view suffix, std::string_view value,
                                 std::optional<S3Checksum>& found) {
  const auto* row =
      std::find_if(kAlgorithms.begin(), kAlgorithms.end(),
                   [&](const AlgorithmRow& candidate) { return candidate.suffix == suffix; });
  if (row == kAlgorithms.end()) {
    return S3Error(501, "NotImplemented",
                   fmt::format("The simulator does not know x-amz-checksum-{}.", suffix));
  }
  if (found) {
    return InvalidChecksum(
        "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.");
  }
  auto raw = FromBase64(value);
  if (!raw || raw->size() != row->size) {
    return InvalidChecksum(fmt::format("Value for x-amz-checksum-{} header is invalid.", suffix));
  }
  found = S3Checksum{.algorithm = static_cast<ChecksumAlgorithm>(row - kAlgorithms.begin()),
                     .raw = std::move(*raw)};
  return std::nullopt;
}

}  // namespace

std::uint32_t Crc32(std::string_view data) { return Crc(kCrc32Table, data); }
std::uint32_t Crc32c(std::string_view data) { return Crc(kCrc32cTable, data); }
std::uint64_t Crc64Nvme(std::string_view data) { return Crc(kCrc64NvmeTable, data); }

std::string_view NameOf(ChecksumAlgorithm algorithm) { return RowOf(algorithm).name; }
std::string ChecksumHeader(ChecksumAlgorithm algorithm) {
  return fmt::format("{}{}", kPrefix, RowOf(algorithm).suffix);
}
std::string ChecksumElement(ChecksumAlgorithm algorithm) {
  return fmt::format("Checksum{}", RowOf(algorithm).name);
}

std::optional<ChecksumAlgorithm> ChecksumNamed(std::string_view name) {
  for (std::size_t i = 0; i < kAlgorithms.size(); ++i) {
    if (kAlgorithms[i].name == name) return static_cast<ChecksumAlgorithm>(i);
  }
  return std::nullopt;
}

std::string ChecksumOf(ChecksumAlgorithm algorithm, std::string_view data) {
  switch (algorithm) {
    case ChecksumAlgorithm::kCrc32:
      return BigEndian(Crc32(data));
    case ChecksumAlgorithm::kCrc32c:
      return BigEndian(Crc32c(data));
    case ChecksumAlgorithm::kCrc64Nvme:
      return BigEndian(Crc64Nvme(data));
    case ChecksumAlgorithm::kSha1:
      return Sha1(data);
    case ChecksumAlgorithm::kSha256:
      break;
  }
  return std::string(BytesOf(Sha256(data)));
}

std::string S3Checksum::Text() const {
  return parts == 0 ? Base64(raw) : fmt::format("{}-{}", Base64(raw), parts);
}

std::optional<S3Answer> FindChecksum(const Headers& headers, const Headers& trailers,
                                     std::optional<S3Checksum>& found) {
  for (const Headers* list : {&headers, &trailers}) {
    for (const auto& [name, value] : *list) {
      const std::string lower = Lower(name);
      if (!lower.starts_with(kPrefix)) continue;
      const std::string_view suffix = std::string_view(lower).substr(kPrefix.size());
      if (IsSetting(suffix)) continue;
      if (auto refused = ReadInto(suffix, value, found)) return refused;
    }
  }
  const auto announced = FindHeader(headers, "x-amz-sdk-checksum-algorithm");
  if (announced && !found) {
    return InvalidChecksum(
        "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or "
        "x-amz-trailer headers were found.");
  }
  if (announced && NameOf(found->algorithm) != *announced) {
    return InvalidChecksum("Value for x-amz-sdk-checksum-algorithm header is invalid.");
  }
  return std::nullopt;
}

std::optional<S3Answer> CheckBody(const Headers& headers, std::string_view body,
                                  const std::optional<S3Checksum>& claimed) {
  if (const auto md5 = FindHeader(headers, "Content-MD5")) {
    const auto raw = FromBase64(*md5);
    if (!raw || raw->size() != 16) {
      return S3Error(400, "InvalidDigest", "The Content-MD5 you specified was invalid.",
                     {{"Content-MD5", std::string(*md5)}});
    }
    const std::string real = Md5(body);
    if (*raw != real) {
      return S3Error(400, "BadDigest",
                     "The Content-MD5 you specified did not match what we received.",
                     {{"ExpectedDigest", Hex(*raw)}, {"CalculatedDigest", Base64(real)}});
    }
  }
  if (claimed && claimed->raw != ChecksumOf(claimed->algorithm, body)) {
    return S3Error(400, "BadDigest",
                   fmt::format("The {} you specified did not match the calculated checksum.",
                               NameOf(claimed->algorithm)));
  }
  return std::nullopt;
}

}  // namespace pcw::sim
