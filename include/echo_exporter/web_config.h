#ifndef ECHO_EXPORTER_WEB_CONFIG_H_
#define ECHO_EXPORTER_WEB_CONFIG_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "echo_exporter/clock.h"

namespace echo_exporter {

/// Whether clients show a certificate, with the names of Go's crypto/tls.
enum class ClientAuth : std::uint8_t {
  kNoClientCert,
  kRequestClientCert,
  kRequireAnyClientCert,
  kVerifyClientCertIfGiven,
  kRequireAndVerifyClientCert,
};

enum class TlsVersion : std::uint8_t { kTls12, kTls13 };

enum class TlsCurve : std::uint8_t { kP256, kP384, kP521, kX25519 };

/// A certificate, a key and the like: text in the PEM format.
struct PemText {
  std::string pem;
  /// "file:line:column: key" of the web configuration, for messages about
  /// what `pem` holds.
  std::string origin;
};

/// `tls_server_config`.
struct TlsConfig {
  PemText certificate;  ///< the server's, then those that lead to its CA
  PemText key;
  PemText client_ca;  ///< empty unless clients are verified
  ClientAuth client_auth = ClientAuth::kNoClientCert;
  /// A client's certificate must have one of these as subject alternative name
  /// (DNS name, address, e-mail or URI). Empty: any.
  std::vector<std::string> client_allowed_sans;
  TlsVersion min_version = TlsVersion::kTls12;
  TlsVersion max_version = TlsVersion::kTls13;
  /// IANA's names. Empty: the library's choice.
  std::vector<std::string> cipher_suites;
  bool prefer_server_cipher_suites = true;
  std::vector<TlsCurve> curve_preferences;  ///< empty: the library's choice
};

/// `rate_limit`: of all requests together.
struct RateLimitConfig {
  Nanoseconds interval{};   ///< between two requests, above 0
  std::uint32_t burst = 1;  ///< requests that may come at once, at least 1
};

/// A web configuration, checked, with the files that it names read. It holds
/// secrets: nothing of it is for logs or answers.
struct WebConfig {
  std::optional<TlsConfig> tls;
  /// Names and values that replace the server's own headers.
  std::vector<std::pair<std::string, std::string>> headers;
  /// Names and bcrypt hashes. Empty: no authentication.
  std::map<std::string, std::string> users;
  std::optional<RateLimitConfig> rate_limit;
  /// What is odd but not wrong, each "file:line:column: sentence".
  std::vector<std::string> warnings;
};

/// Either the configuration or every error in it.
struct WebConfigOutcome {
  std::optional<WebConfig> config;
  /// "file:line:column: sentence" each, in file order; empty exactly when
  /// `config` has a value.
  std::vector<std::string> errors;
  /// The file itself and those it names: a change of one makes another
  /// outcome. There in any case.
  std::vector<std::string> files;
};

/// Reads and checks the file of --web.config.file, which is in the format of
/// Prometheus's exporter-toolkit
/// (https://github.com/prometheus/exporter-toolkit/blob/master/docs/web-configuration.md).
/// What the certificates and keys hold is not looked at. Thread-safe.
WebConfigOutcome LoadWebConfig(const std::string& path);

/// The same for text already in memory, which stands for what is at `path`;
/// the files that it names are read. Any input gives an outcome: nothing
/// throws. Thread-safe.
WebConfigOutcome ParseWebConfig(const std::string& text,
                                const std::string& path);

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_WEB_CONFIG_H_
