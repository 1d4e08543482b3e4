#pragma once

#include <cstddef>
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

/// Whether a client must show a certificate, and whether one that it shows must
/// be valid.
constexpr bool RequiresCertificate(ClientAuth auth) {
  return auth == ClientAuth::kRequireAnyClientCert ||
         auth == ClientAuth::kRequireAndVerifyClientCert;
}
constexpr bool VerifiesCertificate(ClientAuth auth) {
  return auth == ClientAuth::kVerifyClientCertIfGiven ||
         auth == ClientAuth::kRequireAndVerifyClientCert;
}

enum class TlsVersion : std::uint8_t { kTls12, kTls13 };

enum class TlsCurve : std::uint8_t { kP256, kP384, kP521, kX25519 };

/// Certificates or a key in the PEM format.
struct PemText {
  std::string pem;
  /// "file:line:column: key" of the web configuration, for messages about the
  /// content of `pem`.
  std::string origin;
};

/// `tls_server_config`.
struct TlsConfig {
  PemText certificate;  ///< the server's, then the intermediate ones
  PemText key;
  /// Empty unless clients are verified; even then, for the system's CAs.
  PemText client_ca;
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

/// `rate_limit`, which applies to all requests together.
struct RateLimitConfig {
  Nanoseconds interval{};  ///< between two requests, above 0
  /// Requests allowed at once; 0: none is ever allowed.
  std::uint32_t burst = 0;
};

/// A checked web configuration with the contents of the files that it names.
/// It contains secrets: no part of it may appear in logs or responses.
struct WebConfig {
  std::optional<TlsConfig> tls;
  /// Names and values that replace the server's own headers.
  std::vector<std::pair<std::string, std::string>> headers;
  /// Names and bcrypt hashes. Empty: no authentication.
  std::map<std::string, std::string> users;
  std::optional<RateLimitConfig> rate_limit;
  /// Valid settings that are probably mistakes, each
  /// "file:line:column: sentence".
  std::vector<std::string> warnings;
};

/// The most bytes of the file itself, and of each that it names.
inline constexpr std::size_t kMaxWebFileBytes = std::size_t{1024} * 1024;

/// A file as it was read.
struct WebConfigFileState {
  std::string path;
  std::size_t hash = 0;  ///< of the content, or of why it could not be read

  friend bool operator==(const WebConfigFileState&,
                         const WebConfigFileState&) = default;
};

/// Either the configuration or every error in it.
struct WebConfigOutcome {
  std::optional<WebConfig> config;
  /// "file:line:column: sentence" each, in file order; empty exactly when
  /// `config` has a value.
  std::vector<std::string> errors;
  /// The file itself and those it names: a change of any of them can change
  /// the outcome. Filled in with errors, too.
  std::vector<WebConfigFileState> files;
};

/// Reads and checks the file of --web.config.file, which is in the format of
/// Prometheus's exporter-toolkit
/// (https://github.com/prometheus/exporter-toolkit/blob/master/docs/web-configuration.md).
/// The content of certificates and keys is not checked. Thread-safe.
WebConfigOutcome LoadWebConfig(const std::string& path);

/// The same for text already in memory, taken as the content of the file at
/// `path`; the files that it names are read. Never throws, whatever the input.
/// Thread-safe.
WebConfigOutcome ParseWebConfig(const std::string& text,
                                const std::string& path);

}  // namespace echo_exporter
