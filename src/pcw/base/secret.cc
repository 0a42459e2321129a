#include "pcw/base/secret.h"

#include <openssl/crypto.h>

namespace pcw {

Secret::~Secret() {
  // A string that was moved from is empty, yet its short-string buffer still holds the bytes.
  value_.resize(value_.capacity());
  OPENSSL_cleanse(value_.data(), value_.size());
}

}  // namespace pcw
