// Credentials that are given, not fetched.
#pragma once

#include <memory>
#include <utility>

#include "pcw/aws/credentials.h"

namespace pcw::aws {

/// Always returns the same keys. Immutable; thread-safe.
class StaticCredentialsProvider final : public CredentialsProvider {
 public:
  explicit StaticCredentialsProvider(Credentials credentials)
      : credentials_(std::make_shared<const Credentials>(std::move(credentials))) {}
  Result<CredentialsPtr> Get(std::stop_token /*stop*/) override { return credentials_; }
  void Invalidate(const CredentialsPtr& /*refused*/) override {}

 private:
  const CredentialsPtr credentials_;
};

}  // namespace pcw::aws
