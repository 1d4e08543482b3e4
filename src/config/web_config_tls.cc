#include <algorithm>
#include <array>
#include <utility>

#include "src/base/file.h"
#include "src/config/quoted.h"
#include "src/config/web_config_sections.h"

namespace echo_exporter {
namespace {

constexpr std::size_t kMaxPemBytes = std::size_t{4} * 1024 * 1024;

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

template <typename Names>
void AddUnknown(DocumentReader& tls, std::string_view key,
                const Located<std::string>& text, const Names& names) {
  std::string list;
  for (const std::string_view name : names) {
    list += (list.empty() ? "" : ", ") + std::string(name);
  }
  tls.AddError(text.position, std::string(key) + ": unknown " +
                                  Excerpt(text.value) + "; allowed: " + list);
}

/// Looks `text` up in a table; absent, with an error added that lists the names
/// in the table, when it is not found.
template <typename Table>
auto Choose(DocumentReader& tls, std::string_view key,
            const Located<std::string>& text, const Table& table)
    -> std::optional<decltype(table[0].second)> {
  for (const auto& [name, value] : table) {
    if (name == text.value) return value;
  }
  std::vector<std::string_view> names;
  for (const auto& [name, value] : table) names.push_back(name);
  AddUnknown(tls, key, text, names);
  return std::nullopt;
}

/// Reads `key`, which contains the text, or `key`_file, which names a file that
/// contains it.
void ReadPem(DocumentReader& tls, const std::string& key, WebConfigFile* file,
             PemText* pem) {
  const std::string file_key = key + "_file";
  const auto text = tls.ReadText(key);
  const auto path = tls.ReadText(file_key);
  if (text && path) {
    tls.AddError(path->position,
                 key + " and " + file_key + " are mutually exclusive");
    return;
  }
  if (!text && !path) return;
  const auto position = text ? text->position : path->position;
  pem->origin = file->name + ':' + std::to_string(position.line) + ':' +
                std::to_string(position.column) +
                ": tls_server_config: " + (text ? key : file_key);
  if (text) {
    pem->pem = text->value;
    if (text->value.empty()) {
      tls.AddError(position, key + " must not be empty");
    }
    return;
  }
  const std::string full = PathToUtf8(file->folder / PathFromUtf8(path->value));
  file->read.push_back(full);
  auto content = ReadFile(full, kMaxPemBytes);
  if (content.ok()) {
    pem->pem = std::move(content).value();
  } else {
    tls.AddError(position, file_key + ": reading " + Excerpt(full) + ": " +
                               content.error().message);
  }
}

void ReadVersions(DocumentReader& tls, TlsConfig* config) {
  const auto read = [&](const char* key, TlsVersion* version) {
    const auto text = tls.ReadText(key);
    if (!text) return;
    if (text->value == "TLS10" || text->value == "TLS11") {
      tls.AddError(text->position,
                   std::string(key) + ": " + text->value +
                       " is insecure and not supported; allowed: TLS12, TLS13");
    } else if (const auto found = Choose(tls, key, *text, kVersions)) {
      *version = *found;
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
    if (std::find(kCipherSuites.begin(), kCipherSuites.end(), text.value) ==
        kCipherSuites.end()) {
      AddUnknown(tls, "cipher_suites", text, kCipherSuites);
    } else {
      config->cipher_suites.push_back(text.value);
    }
  }
  const auto curves = tls.ReadTexts("curve_preferences");
  for (const auto& text : curves ? *curves : kNone) {
    if (const auto curve = Choose(tls, "curve_preferences", text, kCurves)) {
      config->curve_preferences.push_back(*curve);
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

void ReadClientAuth(DocumentReader& tls, TlsConfig* config) {
  const auto text = tls.ReadText("client_auth_type");
  if (!text) return;
  if (text->value == "RequireClientCert") {  // of the toolkit's first versions
    config->client_auth = ClientAuth::kRequireAnyClientCert;
  } else if (const auto auth =
                 Choose(tls, "client_auth_type", *text, kClientAuths)) {
    config->client_auth = *auth;
  }
}

/// Checks the combination of the keys about client certificates.
void CheckClients(DocumentReader& tls, const TlsConfig& config) {
  const bool has_ca = tls.Has("client_ca") || tls.Has("client_ca_file");
  const bool verifies =
      config.client_auth == ClientAuth::kVerifyClientCertIfGiven ||
      config.client_auth == ClientAuth::kRequireAndVerifyClientCert;
  if (verifies && !has_ca) {
    tls.AddError(tls.PositionOf("client_auth_type"),
                 "client_ca_file (or client_ca) is missing; client "
                 "certificates are verified with it");
  }
  if (has_ca && config.client_auth == ClientAuth::kNoClientCert) {
    tls.AddError(
        tls.PositionOf(tls.Has("client_ca") ? "client_ca" : "client_ca_file"),
        "a client CA has no effect without client_auth_type, such as "
        "RequireAndVerifyClientCert");
  }
  if (config.client_allowed_sans.empty()) return;
  if (config.client_auth == ClientAuth::kRequireAnyClientCert) {
    tls.AddWarning(tls.PositionOf("client_allowed_sans"),
                   "client_allowed_sans gives no protection without "
                   "RequireAndVerifyClientCert: anyone can make a certificate "
                   "with such a name");
  } else if (config.client_auth != ClientAuth::kRequireAndVerifyClientCert) {
    tls.AddError(tls.PositionOf("client_allowed_sans"),
                 "client_allowed_sans needs a client_auth_type that requires "
                 "a certificate: RequireAndVerifyClientCert or "
                 "RequireAnyClientCert");
  }
}

}  // namespace

void ReadTlsServer(DocumentReader& tls, WebConfigFile* file,
                   TlsConfig* config) {
  ReadPem(tls, "cert", file, &config->certificate);
  ReadPem(tls, "key", file, &config->key);
  ReadPem(tls, "client_ca", file, &config->client_ca);
  for (const char* const key : {"cert", "key"}) {
    const std::string name(key);
    if (!tls.Has(name) && !tls.Has(name + "_file")) {
      tls.AddError(name + "_file (or " + name + ") is missing");
    }
  }
  ReadClientAuth(tls, config);
  const auto sans = tls.ReadTexts("client_allowed_sans");
  if (sans) {
    for (const auto& san : *sans) {
      config->client_allowed_sans.push_back(san.value);
    }
  }
  if (sans && sans->empty()) {
    tls.AddError(tls.PositionOf("client_allowed_sans"),
                 "client_allowed_sans must not be empty; omit it to allow any "
                 "name");
  }
  CheckClients(tls, *config);
  ReadVersions(tls, config);
  ReadSuitesAndCurves(tls, config);
}

}  // namespace echo_exporter
