// Implementation notes:
//   a) wincrypt.h defines macros with the names of OpenSSL's types, such as
//      X509_NAME; openssl/types.h removes them if it is included afterwards.
//   b) Windows downloads root certificates of its programme when a chain needs
//      them, so that the store has only those that were used before. One that
//      an administrator has installed is always there.

// clang-format off: the order is that of note a).
#include <windows.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <wincrypt.h>
// clang-format on

#include "src/http/system_authorities.h"
#include "src/http/tls_context.h"

namespace echo_exporter {

void TrustSystemAuthorities(SSL_CTX* context) {
  const HCERTSTORE roots = CertOpenSystemStoreW(0, L"ROOT");
  if (roots == nullptr) return;
  // Each call frees the certificate of the call before.
  for (PCCERT_CONTEXT next = nullptr;
       (next = CertEnumCertificatesInStore(roots, next)) != nullptr;) {
    const unsigned char* der = next->pbCertEncoded;
    const OpensslPtr<X509> authority(
        d2i_X509(nullptr, &der, static_cast<long>(next->cbCertEncoded)));
    if (authority) {
      X509_STORE_add_cert(SSL_CTX_get_cert_store(context), authority.get());
    }
  }
  CertCloseStore(roots, 0);
  ERR_clear_error();
}

}  // namespace echo_exporter
