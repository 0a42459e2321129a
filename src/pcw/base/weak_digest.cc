#include "pcw/base/weak_digest.h"

#include <openssl/evp.h>

#include "pcw/base/assert.h"

namespace pcw {
namespace {

std::string DigestOf(const EVP_MD* algorithm, std::string_view data) {
  std::string digest(EVP_MAX_MD_SIZE, '\0');
  unsigned int length = 0;
  PCW_ASSERT(EVP_Digest(data.data(), data.size(), reinterpret_cast<unsigned char*>(digest.data()),
                        &length, algorithm, nullptr) == 1);
  digest.resize(length);
  return digest;
}

}  // namespace

std::string Md5(std::string_view data) { return DigestOf(EVP_md5(), data); }
std::string Sha1(std::string_view data) { return DigestOf(EVP_sha1(), data); }

}  // namespace pcw
