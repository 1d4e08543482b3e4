// Implementation notes:
//   a) wincrypt.h defines macros with the names of OpenSSL's types, such as
//      X509_NAME; openssl/types.h removes them if it is included afterwards.
//   b) Windows downloads root certificates of its programme when a chain needs
//      them, so that the store has only those that were used before. One that
//      an administrator has installed is always there.

// clang-format off: the order is that of note a).
#include "src/http/system_authorities_windows.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
// clang-format on

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <string_view>

#include "src/http/tls_context.h"

namespace echo_exporter {

bool MayCertifyClients(PCCERT_CONTEXT authority) {
  alignas(CERT_ENHKEY_USAGE) std::array<std::byte, 4096> buffer;
  auto* const usage = reinterpret_cast<CERT_ENHKEY_USAGE*>(buffer.data());
  DWORD size = sizeof buffer;
  const bool found = CertGetEnhancedKeyUsage(authority, 0, usage, &size) != 0;
  // No purpose in the list stands for all of them or for none.
  if (!found || usage->cUsageIdentifier == 0) {
    return GetLastError() == static_cast<DWORD>(CRYPT_E_NOT_FOUND);
  }
  return std::ranges::any_of(
      std::span(usage->rgpszUsageIdentifier, usage->cUsageIdentifier),
      [](std::string_view purpose) {
        return purpose == szOID_PKIX_KP_CLIENT_AUTH ||
               purpose == szOID_ANY_ENHANCED_KEY_USAGE;
      });
}

void TrustSystemAuthorities(SSL_CTX* context) {
  const HCERTSTORE roots = CertOpenSystemStoreW(0, L"ROOT");
  if (roots == nullptr) return;
  // Each call frees the certificate of the call before.
  for (PCCERT_CONTEXT next = nullptr;
       (next = CertEnumCertificatesInStore(roots, next)) != nullptr;) {
    if (!MayCertifyClients(next)) continue;
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
