#pragma once

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>
#include <vector>

#include "echo_exporter/clock.h"
#include "echo_exporter/web_config.h"
#include "src/http/channel.h"

namespace echo_exporter {

/// Frees objects of OpenSSL.
struct OpensslDeleter {
  void operator()(ASN1_TIME* time) const { ASN1_TIME_free(time); }
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
  void operator()(SSL* ssl) const { SSL_free(ssl); }
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(X509* certificate) const { X509_free(certificate); }
};
template <typename T>
using OpensslPtr = std::unique_ptr<T, OpensslDeleter>;

/// The server's side of TLS according to one version of the configuration.
///
/// Immutable after construction.
class TlsContext : public std::enable_shared_from_this<TlsContext> {
 public:
  /// Null, with errors added, when a certificate, a key or a CA is not valid.
  static std::shared_ptr<const TlsContext> Create(
      const TlsConfig& config, std::vector<std::string>* errors);

  /// A channel over `socket`, which shares ownership of the context. Null when
  /// memory runs out.
  std::unique_ptr<Channel> OpenChannel(SocketHandle socket) const;

  /// When the first of the certificates that are served expires.
  WallTime certificate_expiry() const { return certificate_expiry_; }

 private:
  explicit TlsContext(const TlsConfig& config);

  void UseCertificate(const TlsConfig& config,
                      std::vector<std::string>* errors);
  void UseClientCa(const TlsConfig& config, std::vector<std::string>* errors);
  void UseProtocol(const TlsConfig& config);
  static int ClassifyClient(X509_STORE_CTX* chain, void* context);

  const bool verifies_clients_;
  const std::vector<std::string> allowed_sans_;
  WallTime certificate_expiry_ = WallTime::max();
  OpensslPtr<SSL_CTX> context_;
};

/// OpenSSL's text about the last failure on this thread, as in "no start line";
/// clears it.
std::string TakeOpensslError();

/// Trusts the certificate authorities that the operating system trusts: on
/// Windows those in the store of root certificates that may certify clients,
/// elsewhere those in the places of OpenSSL, which the environment variables
/// SSL_CERT_FILE and SSL_CERT_DIR replace. Where there are none, no certificate
/// is accepted.
void TrustSystemAuthorities(SSL_CTX* context);

}  // namespace echo_exporter
