#include "pcw/base/digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include "pcw/base/assert.h"
#include "pcw/base/rng.h"

namespace pcw {

Sha256Digest Sha256(std::string_view data) {
  // The one-shot function avoids EVP's per-call fetch of the algorithm, which dominates for small
  // inputs.
  Sha256Digest digest;
  PCW_ASSERT(SHA256(reinterpret_cast<const unsigned char*>(data.data()), data.size(),
                    digest.data()) != nullptr);
  return digest;
}

std::string Hex(const Sha256Digest& digest) { return Hex(BytesOf(digest)); }

std::string Sha256Hex(std::string_view data) { return Hex(Sha256(data)); }

Sha256Digest HmacSha256(std::string_view key, std::string_view data) {
  // RFC 2104 over the one-shot SHA-256; OpenSSL 3's HMAC() spends microseconds on provider
  // look-ups.
  constexpr std::size_t kBlock = 64;
  std::array<unsigned char, kBlock> inner{};
  std::array<unsigned char, kBlock> outer{};
  Sha256Digest short_key;
  if (key.size() > kBlock) {
    short_key = Sha256(key);
    key = BytesOf(short_key);
  }
  for (std::size_t i = 0; i < kBlock; ++i) {
    const auto byte = i < key.size() ? static_cast<unsigned char>(key[i]) : 0U;
    inner[i] = static_cast<unsigned char>(byte ^ 0x36U);
    outer[i] = static_cast<unsigned char>(byte ^ 0x5cU);
  }
  std::string buffer(reinterpret_cast<const char*>(inner.data()), kBlock);
  buffer += data;
  const Sha256Digest first = Sha256(buffer);
  buffer.assign(reinterpret_cast<const char*>(outer.data()), kBlock);
  buffer += BytesOf(first);
  const Sha256Digest digest = Sha256(buffer);
  OPENSSL_cleanse(inner.data(), inner.size());
  OPENSSL_cleanse(outer.data(), outer.size());
  OPENSSL_cleanse(buffer.data(), buffer.size());
  return digest;
}

std::string Base64(std::string_view bytes) {
  std::string out(4 * ((bytes.size() + 2) / 3) + 1, '\0');  // OpenSSL ends it with a zero byte
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                   reinterpret_cast<const unsigned char*>(bytes.data()),
                                   static_cast<int>(bytes.size()));
  out.resize(static_cast<std::size_t>(size));
  return out;
}

struct Sha256Stream::State {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  State() {
    PCW_ASSERT(context != nullptr && EVP_DigestInit_ex(context, EVP_sha256(), nullptr) == 1);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { EVP_MD_CTX_free(context); }
};

Sha256Stream::Sha256Stream() : state_(std::make_unique<State>()) {}
Sha256Stream::~Sha256Stream() = default;
Sha256Stream::Sha256Stream(Sha256Stream&&) noexcept = default;
Sha256Stream& Sha256Stream::operator=(Sha256Stream&&) noexcept = default;

void Sha256Stream::Update(std::string_view data) {
  PCW_ASSERT(EVP_DigestUpdate(state_->context, data.data(), data.size()) == 1);
}

Sha256Digest Sha256Stream::Finish() {
  Sha256Digest digest;
  unsigned int length = 0;
  PCW_ASSERT(EVP_DigestFinal_ex(state_->context, digest.data(), &length) == 1 &&
             length == digest.size());
  return digest;
}

std::uint64_t SystemRng::Next() {
  std::uint64_t bits = 0;
  PCW_ASSERT(RAND_bytes(reinterpret_cast<unsigned char*>(&bits), sizeof bits) == 1);
  return bits;
}

}  // namespace pcw
