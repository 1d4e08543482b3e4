#ifndef ECHO_EXPORTER_SRC_HTTP_SYSTEM_AUTHORITIES_H_
#define ECHO_EXPORTER_SRC_HTTP_SYSTEM_AUTHORITIES_H_

#include <openssl/ssl.h>

namespace echo_exporter {

/// Trusts the certificate authorities that the operating system trusts: on
/// Windows those in the store of root certificates that may certify clients,
/// elsewhere those in the
/// places of OpenSSL, which the environment variables SSL_CERT_FILE and
/// SSL_CERT_DIR replace. Where there are none, no certificate is accepted.
void TrustSystemAuthorities(SSL_CTX* context);

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_SRC_HTTP_SYSTEM_AUTHORITIES_H_
