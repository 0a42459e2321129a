#include "pcw/net/server/tls.h"

#include <fmt/format.h>
#include <openssl/ssl.h>
#include <sys/stat.h>

namespace pcw::net::server {

namespace ssl = boost::asio::ssl;

Result<std::shared_ptr<ssl::context>> MakeTlsContext(const std::string& cert_file,
                                                     const std::string& key_file) {
  auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
  SSL_CTX* const native = context->native_handle();
  SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
  SSL_CTX_set_options(native, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET |
                                  SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_session_cache_mode(native, SSL_SESS_CACHE_OFF);
  // Forward secret and authenticated, nothing else; TLS 1.3 has no others.
  SSL_CTX_set_cipher_list(native, "ECDHE+AESGCM:ECDHE+CHACHA20");
  // An idle connection shall not keep the buffers of its last record.
  SSL_CTX_set_mode(native, SSL_MODE_RELEASE_BUFFERS);

  boost::system::error_code problem;
  context->use_certificate_chain_file(cert_file, problem);
  if (problem) {
    return Error(ErrorCode::kConfig,
                 fmt::format("server.tls_cert: cannot use {}: {}", cert_file, problem.message()));
  }
  struct stat info {};
  if (::stat(key_file.c_str(), &info) == 0 && (info.st_mode & (S_IROTH | S_IWOTH)) != 0) {
    return Error(ErrorCode::kConfig,
                 fmt::format("server.tls_key: everybody on this machine can read or change {0}; "
                             "chmod 600 {0}, and take a new key if others use the machine",
                             key_file));
  }
  context->use_private_key_file(key_file, ssl::context::pem, problem);
  if (problem || SSL_CTX_check_private_key(native) != 1) {
    return Error(ErrorCode::kConfig,
                 fmt::format("server.tls_key: cannot use {}: {}", key_file,
                             problem ? problem.message() : "it belongs to another certificate"));
  }
  return context;
}

}  // namespace pcw::net::server
