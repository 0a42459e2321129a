// TLS for the listener: one context, set up once.
#pragma once

#include <memory>
#include <string>

#include <boost/asio/ssl/context.hpp>

#include "pcw/base/result.h"

namespace pcw::net::server {

/// A server context of TLS 1.2 and newer with the certificate chain and key of two PEM files.
/// kConfig with what to fix if they cannot be read or do not belong together, or if everybody can
/// read the key.
Result<std::shared_ptr<boost::asio::ssl::context>> MakeTlsContext(const std::string& cert_file,
                                                                  const std::string& key_file);

}  // namespace pcw::net::server
