#include <openssl/err.h>

#include "src/http/tls_context.h"

namespace echo_exporter {

void TrustSystemAuthorities(SSL_CTX* context) {
  SSL_CTX_set_default_verify_paths(context);
  ERR_clear_error();
}

}  // namespace echo_exporter
