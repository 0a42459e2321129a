#include "pcw/base/secret.h"

#include <openssl/crypto.h>

namespace pcw {

Secret::~Secret() {
  if (!value_.empty()) OPENSSL_cleanse(value_.data(), value_.size());
}

}  // namespace pcw
