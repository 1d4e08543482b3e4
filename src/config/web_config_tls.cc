#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>

#include "src/base/file.h"
#include "src/config/quoted.h"
#include "src/config/web_config_sections.h"

namespace echo_exporter {
namespace {

template <typename T>
using Named = std::pair<std::string_view, T>;

constexpr std::array kClientAuths = {
    Named<ClientAuth>{"NoClientCert", ClientAuth::kNoClientCert},
    Named<ClientAuth>{"RequestClientCert", ClientAuth::kRequestClientCert},
    Named<ClientAuth>{"RequireAnyClientCert",
                      ClientAuth::kRequireAnyClientCert},
    Named<ClientAuth>{"VerifyClientCertIfGiven",
                      ClientAuth::kVerifyClientCertIfGiven},
    Named<ClientAuth>{"RequireAndVerifyClientCert",
                      ClientAuth::kRequireAndVerifyClientCert},
};
constexpr std::array kVersions = {
    Named<TlsVersion>{"TLS12", TlsVersion::kTls12},
    Named<TlsVersion>{"TLS13", TlsVersion::kTls13},
};
constexpr std::array kCurves = {
    Named<TlsCurve>{"CurveP256", TlsCurve::kP256},
    Named<TlsCurve>{"CurveP384", TlsCurve::kP384},
    Named<TlsCurve>{"CurveP521", TlsCurve::kP521},
    Named<TlsCurve>{"X25519", TlsCurve::kX25519},
};

// The ones that Go offers by default: with forward secrecy, and not broken.
// The names are IANA's.
constexpr std::array<std::string_view, 13> kCipherSuites = {
    "TLS_AES_128_GCM_SHA256",
    "TLS_AES_256_GCM_SHA384",
    "TLS_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
};

std::string_view NameOf(std::string_view name) { return name; }
template <typename T>
std::string_view NameOf(const Named<T>& named) {
  return named.first;
}

/// The element of `table` with the name `text`; null, with an error added that
/// lists all names, when there is none.
template <typename Table>
auto Choose(DocumentReader& tls, std::string_view key,
            const Located<std::string>& text, const Table& table)
    -> decltype(table.data()) {
  std::string names;
  for (const auto& element : table) {
    if (NameOf(element) == text.value) return &element;
    names += (names.empty() ? "" : ", ") + std::string(NameOf(element));
  }
  tls.AddError(text.position, std::string(key) + ": unknown " +
                                  Excerpt(text.value) + "; allowed: " + names);
  return nullptr;
}

/// The value of a key; absent when it is empty, too, as in the toolkit.
std::optional<Located<std::string>> ReadNonEmpty(DocumentReader& tls,
                                                 const std::string& key) {
  auto text = tls.ReadText(key);
  if (text && text->value.empty()) text.reset();
  return text;
}

/// Reads `key`, which contains the text, or `key`_file, which names a file that
/// contains it. Without either, `pem` stays empty.
void ReadPem(DocumentReader& tls, const std::string& key, WebConfigFile* file,
             PemText* pem) {
  const std::string file_key = key + "_file";
  const auto text = ReadNonEmpty(tls, key);
  const auto path = ReadNonEmpty(tls, file_key);
  if (!text && !path) return;
  const auto position = path ? path->position : text->position;
  pem->origin = tls.PlaceText(position) +
                ": tls_server_config: " + (path ? file_key : key);
  if (!path) {
    pem->pem = text->value;
    return;
  }
  if (text) {
    tls.AddWarning(position, file_key + " takes precedence over " + key);
  }
  const std::string full = PathToUtf8(file->folder / PathFromUtf8(path->value));
  auto content = ReadFile(full, kMaxWebFileBytes);
  file->read.push_back({full, HashOf(content)});
  if (content.ok()) {
    pem->pem = std::move(content).value();
  } else {
    tls.AddError(position, file_key + ": reading " + Excerpt(full) + ": " +
                               content.error().message);
  }
}

void ReadVersions(DocumentReader& tls, TlsConfig* config) {
  const auto read = [&](const char* key, TlsVersion* version) {
    const auto text = ReadNonEmpty(tls, key);
    if (!text) return;
    const bool old = text->value == "TLS10" || text->value == "TLS11";
    if (old && version == &config->min_version) {
      tls.AddWarning(text->position,
                     "min_version: " + text->value +
                         " is insecure and not supported; TLS12 is in force");
    } else if (old) {
      tls.AddError(text->position,
                   std::string(key) + ": " + text->value +
                       " is insecure and not supported; allowed: TLS12, TLS13");
    } else if (const auto* const found = Choose(tls, key, *text, kVersions)) {
      *version = found->second;
    }
  };
  read("min_version", &config->min_version);
  read("max_version", &config->max_version);
  if (config->min_version > config->max_version) {
    tls.AddError(tls.PositionOf("max_version"),
                 "max_version must not be below min_version");
  }
}

void ReadSuitesAndCurves(DocumentReader& tls, TlsConfig* config) {
  const std::vector<Located<std::string>> kNone;
  const auto suites = tls.ReadTexts("cipher_suites");
  for (const auto& text : suites ? *suites : kNone) {
    if (Choose(tls, "cipher_suites", text, kCipherSuites) != nullptr) {
      config->cipher_suites.push_back(text.value);
    }
  }
  const auto curves = tls.ReadTexts("curve_preferences");
  for (const auto& text : curves ? *curves : kNone) {
    if (const auto* const curve =
            Choose(tls, "curve_preferences", text, kCurves)) {
      config->curve_preferences.push_back(curve->second);
    }
  }
  const bool any12 =
      std::any_of(config->cipher_suites.begin(), config->cipher_suites.end(),
                  [](const std::string& name) {
                    return name.find("_WITH_") != std::string::npos;
                  });
  if (config->max_version == TlsVersion::kTls12 &&
      !config->cipher_suites.empty() && !any12) {
    tls.AddError(tls.PositionOf("cipher_suites"),
                 "cipher_suites has no TLS 1.2 suite, but max_version is "
                 "TLS12");
  }
  tls.ReadBoolean("prefer_server_cipher_suites",
                  &config->prefer_server_cipher_suites);
}

/// False when the key is missing.
bool ReadClientAuth(DocumentReader& tls, TlsConfig* config) {
  const auto text = ReadNonEmpty(tls, "client_auth_type");
  if (!text) return false;
  if (text->value == "RequireClientCert") {  // of the toolkit's first versions
    config->client_auth = ClientAuth::kRequireAnyClientCert;
  } else if (const auto* const auth =
                 Choose(tls, "client_auth_type", *text, kClientAuths)) {
    config->client_auth = auth->second;
  }
  return true;
}

/// Checks the combination of the keys about client certificates.
void CheckClients(DocumentReader& tls, const TlsConfig& config) {
  const bool has_ca = !config.client_ca.origin.empty();
  if (VerifiesCertificate(config.client_auth) && !has_ca) {
    tls.AddWarning(tls.PositionOf("client_auth_type"),
                   "without client_ca_file (or client_ca), a certificate of "
                   "any CA that this system trusts is accepted");
  }
  if (has_ca && config.client_auth == ClientAuth::kNoClientCert) {
    tls.AddError(
        tls.PositionOf(tls.Has("client_ca") ? "client_ca" : "client_ca_file"),
        "a client CA has no effect without client_auth_type, such as "
        "RequireAndVerifyClientCert");
  }
  if (config.client_allowed_sans.empty()) return;
  if (!RequiresCertificate(config.client_auth)) {
    tls.AddError(tls.PositionOf("client_allowed_sans"),
                 "client_allowed_sans needs a client_auth_type that requires "
                 "a certificate: RequireAndVerifyClientCert or "
                 "RequireAnyClientCert");
  } else if (!VerifiesCertificate(config.client_auth)) {
    tls.AddWarning(tls.PositionOf("client_allowed_sans"),
                   "client_allowed_sans gives no protection without "
                   "RequireAndVerifyClientCert: anyone can make a certificate "
                   "with such a name");
  }
}

}  // namespace

void ReadTlsServer(DocumentReader& tls, WebConfigFile* file,
                   std::optional<TlsConfig>* result) {
  TlsConfig config;
  ReadPem(tls, "cert", file, &config.certificate);
  ReadPem(tls, "key", file, &config.key);
  ReadPem(tls, "client_ca", file, &config.client_ca);
  const bool has_auth = ReadClientAuth(tls, &config);
  const auto sans = tls.ReadTexts("client_allowed_sans");
  if (sans) {
    for (const auto& san : *sans) {
      config.client_allowed_sans.push_back(san.value);
    }
  }
  ReadVersions(tls, &config);
  ReadSuitesAndCurves(tls, &config);
  if (config.certificate.origin.empty() && config.key.origin.empty() &&
      config.client_ca.origin.empty() && !has_auth) {
    tls.AddWarning(tls.PositionOf("cert_file"),
                   "without cert_file and key_file, HTTP is served "
                   "unencrypted");
    return;
  }
  for (const auto& [key, pem] : {std::pair("cert", &config.certificate),
                                 std::pair("key", &config.key)}) {
    if (pem->origin.empty()) {
      tls.AddError(std::string(key) + "_file (or " + key + ") is missing");
    }
  }
  if (sans && sans->empty()) {
    tls.AddError(tls.PositionOf("client_allowed_sans"),
                 "client_allowed_sans must not be empty; omit it to allow any "
                 "name");
  }
  CheckClients(tls, config);
  *result = std::move(config);
}

}  // namespace echo_exporter
