#ifndef ECHO_EXPORTER_SRC_HTTP_CLIENT_NAMES_H_
#define ECHO_EXPORTER_SRC_HTTP_CLIENT_NAMES_H_

#include <openssl/x509.h>

#include <string>
#include <vector>

namespace echo_exporter {

/// The subject alternative names of a certificate: DNS names, e-mail addresses
/// and URIs unchanged, addresses in their canonical text. Pure.
std::vector<std::string> ClientNames(const X509* certificate);

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_SRC_HTTP_CLIENT_NAMES_H_
