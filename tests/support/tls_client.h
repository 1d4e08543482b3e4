#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "tests/support/raw_http_client.h"
#include "tests/support/test_certificates.h"

namespace echo_exporter {

/// A client that speaks TLS with OpenSSL's own client side.
///
/// Confined to one thread.
class TlsClient {
 public:
  struct Options {
    std::string authority;  ///< of the server; empty: any is good
    std::optional<TestCertificate> certificate = {};
    int max_version = 0;  ///< as in TLS1_2_VERSION; 0: the newest
    std::string suites12 = {};
  };

  /// Connects to the port of 127.0.0.1.
  TlsClient(int port, const Options& options);

  /// Whether the handshake succeeded. With TLS 1.3, that the server does not
  /// like the client's certificate only shows in an answer that does not come.
  bool connected() const { return connected_; }
  std::string version() const { return SSL_get_version(ssl_.get()); }
  std::string suite() const { return SSL_get_cipher_name(ssl_.get()); }
  /// The common name of the server.
  std::string server_name() const;

  bool Send(std::string_view text);
  std::string ReadToEnd();
  /// Sends a request that ends the connection and reads the answer; empty when
  /// there is none.
  std::string Get(std::string_view path, std::string_view headers = "");

 private:
  RawHttpClient socket_;
  OpensslPtr<SSL_CTX> context_;
  OpensslPtr<SSL> ssl_;
  bool connected_ = false;
};

}  // namespace echo_exporter
