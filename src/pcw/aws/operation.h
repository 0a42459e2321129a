// What an AWS operation is, as data: service, target, idempotency, quota class.
#pragma once

#include <cstdint>
#include <string_view>

namespace pcw::aws {

/// How a service speaks (docs/aws-facts.md 2). kRestXml is S3: method, path and query say what is
/// wanted, errors are XML.
enum class Protocol : std::uint8_t { kJson10, kJson11, kQuery, kRestXml };

/// One AWS service: the four names AWS gives it are four fields; nobody derives one from another
/// (docs/aws-facts.md 1, 2, 24).
struct ServiceDef {
  std::string_view id;             ///< "partnercentral-selling": host label, logs, quota key
  std::string_view signing_name;   ///< SigV4 scope
  std::string_view target_prefix;  ///< before the dot in X-Amz-Target; empty for query services
  std::string_view endpoint_env;   ///< suffix of AWS_ENDPOINT_URL_<...>
  std::string_view config_key;     ///< key in the config file's [services] section
  std::string_view host_pattern;   ///< "{id}.{region}.api.aws" with {region}
  std::string_view only_region;    ///< region the service is offered in; empty = every region
  Protocol protocol;
};

/// May a call whose outcome is unknown be repeated?
enum class Idempotency : std::uint8_t { kIdempotent, kByClientToken, kNonIdempotent };

/// Which account-wide budget a call spends (docs/aws-facts.md 9).
enum class QuotaClass : std::uint8_t { kNone, kRead, kWrite };

struct Operation {
  const ServiceDef* service;
  std::string_view name;  ///< AWS's spelling
  Idempotency idempotency;
  QuotaClass quota_class;
  std::string_view required_member;  ///< top-level member, or root element, of a complete answer
                                     ///< (T13); empty = none
};

}  // namespace pcw::aws
