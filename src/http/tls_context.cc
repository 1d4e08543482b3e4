#include "src/http/tls_context.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <new>
#include <optional>
#include <string_view>
#include <utility>

#include "echo_exporter/ip_address.h"

namespace echo_exporter {
namespace {

// 112 bits: no RSA key below 2048 bits, no SHA-1 signature. The default differs
// between systems.
constexpr int kSecurityLevel = 2;

// The suites of TLS 1.2 with forward secrecy, as in Go.
constexpr const char* kDefaultSuites12 =
    "ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AES";

// Replaces OpenSSL's own, which would prompt on the terminal.
int GiveNoPassword(char*, int, int, void*) { return -1; }

OpensslPtr<BIO> Reader(const std::string& text) {
  return OpensslPtr<BIO>(
      BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

OpensslPtr<X509> ReadCertificate(BIO* pem) {
  return OpensslPtr<X509>(
      PEM_read_bio_X509(pem, nullptr, &GiveNoPassword, nullptr));
}

/// True when reading stopped at the end of the text, and not at an invalid
/// item.
bool IsAtEnd() {
  const unsigned long error = ERR_peek_last_error();
  ERR_clear_error();
  return ERR_GET_LIB(error) == ERR_LIB_PEM &&
         ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
}

/// All of a text, or an error.
std::vector<OpensslPtr<X509>> ReadCertificates(
    const PemText& text, std::vector<std::string>* errors) {
  const OpensslPtr<BIO> reader = Reader(text.pem);
  std::vector<OpensslPtr<X509>> all;
  while (OpensslPtr<X509> next = ReadCertificate(reader.get())) {
    all.push_back(std::move(next));
  }
  if (all.empty()) {
    errors->push_back(text.origin +
                      " contains no usable certificate: " + TakeOpensslError());
  } else if (!IsAtEnd()) {
    errors->push_back(text.origin +
                      " contains an invalid certificate after the first one");
  }
  return all;
}

int VerifyMode(ClientAuth auth) {
  if (auth == ClientAuth::kNoClientCert) return SSL_VERIFY_NONE;
  return RequiresCertificate(auth)
             ? SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT
             : SSL_VERIFY_PEER;
}

int ProtocolVersion(TlsVersion version) {
  return version == TlsVersion::kTls12 ? TLS1_2_VERSION : TLS1_3_VERSION;
}

/// By TlsCurve.
constexpr std::array<std::string_view, 4> kGroupNames = {"P-256", "P-384",
                                                         "P-521", "X25519"};

void Append(std::string_view item, std::string* list) {
  if (!list->empty()) *list += ':';
  *list += item;
}

/// Selects HTTP/1.1 if the client offers it. Otherwise there is no ALPN reply:
/// the handshake of a client that offers only HTTP/2 must not fail.
int ChooseProtocol(SSL*, const unsigned char** out, unsigned char* out_size,
                   const unsigned char* in, unsigned int in_size, void*) {
  static constexpr unsigned char kOurs[] = "\x08http/1.1";
  unsigned char* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, out_size, kOurs, sizeof(kOurs) - 1, in,
                            in_size) != OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_NOACK;
  }
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

std::string TextOf(const ASN1_STRING* text) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
          static_cast<std::size_t>(ASN1_STRING_length(text))};
}

std::optional<std::string> AddressText(const std::string& bytes) {
  std::array<std::uint8_t, 4> v4{};
  std::array<std::uint8_t, 16> v6{};
  if (bytes.size() == v4.size()) {
    std::copy(bytes.begin(), bytes.end(), v4.begin());
    return IpAddress::V4(v4).ToString();
  }
  if (bytes.size() == v6.size()) {
    std::copy(bytes.begin(), bytes.end(), v6.begin());
    return IpAddress::V6(v6).ToString();
  }
  return std::nullopt;
}

/// Years beyond what a WallTime can hold count as the last one.
WallTime ExpiryOf(const X509* certificate) {
  const OpensslPtr<ASN1_TIME> epoch(ASN1_TIME_set(nullptr, 0));
  int days = 0;
  int seconds = 0;
  if (!epoch || ASN1_TIME_diff(&days, &seconds, epoch.get(),
                               X509_get0_notAfter(certificate)) != 1) {
    return WallTime();
  }
  constexpr auto kMost = std::chrono::floor<std::chrono::days>(
      WallTime::max().time_since_epoch() - std::chrono::days(1));
  return WallTime(std::min(std::chrono::days(days), kMost) +
                  std::chrono::seconds(seconds));
}

/// The subject alternative names of a certificate: DNS names, e-mail addresses
/// and URIs unchanged, addresses in their canonical text. Pure.
std::vector<std::string> ClientNames(const X509* certificate) {
  std::vector<std::string> names;
  const OpensslPtr<GENERAL_NAMES> list(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; i < sk_GENERAL_NAME_num(list.get()); ++i) {
    const GENERAL_NAME* const name = sk_GENERAL_NAME_value(list.get(), i);
    int type = 0;
    const void* const value = GENERAL_NAME_get0_value(name, &type);
    if (type == GEN_DNS || type == GEN_EMAIL || type == GEN_URI) {
      names.push_back(TextOf(static_cast<const ASN1_STRING*>(value)));
    } else if (type == GEN_IPADD) {
      const auto text =
          AddressText(TextOf(static_cast<const ASN1_STRING*>(value)));
      if (text) names.push_back(*text);
    }
  }
  return names;
}

/// Bytes encrypted by TLS, on the server's side.
///
/// Confined to one thread.
class TlsChannel final : public Channel {
 public:
  /// `ssl` was created from `context`, and has its socket.
  TlsChannel(std::shared_ptr<const TlsContext> context, OpensslPtr<SSL> ssl)
      : context_(std::move(context)), ssl_(std::move(ssl)) {}

  Step Open() override {
    ERR_clear_error();
    const Step step = Classify(SSL_accept(ssl_.get()), 0);
    opened_ = step.state == State::kDone;
    return step;
  }

  Step Read(char* data, std::size_t size) override {
    std::size_t bytes = 0;
    ERR_clear_error();
    const int result = SSL_read_ex(ssl_.get(), data, size, &bytes);
    return Classify(result, bytes);
  }

  Step Write(const char* data, std::size_t size) override {
    std::size_t bytes = 0;
    ERR_clear_error();
    const int result = SSL_write_ex(ssl_.get(), data, size, &bytes);
    return Classify(result, bytes);
  }

  Step Close() override {
    if (!opened_ || failed_) return {State::kDone, 0};
    ERR_clear_error();
    const int result = SSL_shutdown(ssl_.get());
    // 0: sent; the peer's close_notify has not arrived and is not waited for.
    return Classify(result == 0 ? 1 : result, 0);
  }

  std::string failure() const override { return failure_; }
  std::string plain_http_error() const override {
    if (!plain_http_) return {};
    return "HTTP/1.0 400 Bad Request\r\n"
           "Content-Type: text/plain; charset=utf-8\r\n"
           "Connection: close\r\n\r\n"
           "Plain HTTP request sent to an HTTPS port.\n";
  }

 private:
  Step Classify(int result, std::size_t bytes);

  const std::shared_ptr<const TlsContext> context_;
  const OpensslPtr<SSL> ssl_;
  bool opened_ = false;
  bool failed_ = false;  ///< `ssl_` must not be used any more
  bool plain_http_ = false;
  std::string failure_;
};

Channel::Step TlsChannel::Classify(int result, std::size_t bytes) {
  if (result > 0) return {State::kDone, bytes};
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      return {State::kToRead, 0};
    case SSL_ERROR_WANT_WRITE:
      return {State::kToWrite, 0};
    case SSL_ERROR_ZERO_RETURN:
      return {State::kEnd, 0};
    default:
      break;
  }
  failed_ = true;
  const unsigned long error = ERR_peek_last_error();
  plain_http_ = !opened_ && ERR_GET_LIB(error) == ERR_LIB_SSL &&
                ERR_GET_REASON(error) == SSL_R_HTTP_REQUEST;
  failure_ = error == 0 ? "the client disconnected" : TakeOpensslError();
  if (const long verdict = SSL_get_verify_result(ssl_.get());
      verdict != X509_V_OK) {
    failure_ +=
        std::string(" (") + X509_verify_cert_error_string(verdict) + ')';
  }
  return {State::kFailed, 0};
}

}  // namespace

std::string TakeOpensslError() {
  const unsigned long error = ERR_peek_last_error();
  const char* const reason = ERR_reason_error_string(error);
  ERR_clear_error();
  return reason ? reason : "unknown failure " + std::to_string(error);
}

TlsContext::TlsContext(const TlsConfig& config)
    : verifies_clients_(VerifiesCertificate(config.client_auth)),
      allowed_sans_(config.client_allowed_sans),
      context_(SSL_CTX_new(TLS_server_method())) {
  if (!context_) throw std::bad_alloc();
}

std::shared_ptr<const TlsContext> TlsContext::Create(
    const TlsConfig& config, std::vector<std::string>* errors) {
  ERR_clear_error();
  const std::shared_ptr<TlsContext> context(new TlsContext(config));
  const std::size_t errors_before = errors->size();
  context->UseProtocol(config);
  context->UseCertificate(config, errors);
  context->UseClientCa(config, errors);
  return errors->size() == errors_before ? context : nullptr;
}

void TlsContext::UseProtocol(const TlsConfig& config) {
  SSL_CTX* const context = context_.get();
  SSL_CTX_set_security_level(context, kSecurityLevel);
  // A client that resumed a session would bypass changes of the files, and
  // Prometheus keeps its connection anyway.
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context, 0);
  SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION |
                                   SSL_OP_NO_COMPRESSION);
  if (config.prefer_server_cipher_suites) {
    SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE);
  }
  // Every call does one step only, so that deadlines are checked between steps,
  // and an idle connection holds no buffers.
  SSL_CTX_clear_mode(context, SSL_MODE_AUTO_RETRY);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE |
                                SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_alpn_select_cb(context, &ChooseProtocol, nullptr);

  std::string suites12;
  std::string suites13;
  for (const std::string& name : config.cipher_suites) {
    const bool is13 = name.find("_WITH_") == std::string::npos;
    if (is13) {
      Append(name, &suites13);
    } else {
      Append(OPENSSL_cipher_name(name.c_str()), &suites12);
    }
  }
  SSL_CTX_set_cipher_list(
      context, suites12.empty() ? kDefaultSuites12 : suites12.c_str());
  if (!suites13.empty()) SSL_CTX_set_ciphersuites(context, suites13.c_str());
  const bool only13 = suites12.empty() && !suites13.empty();
  SSL_CTX_set_min_proto_version(
      context, only13 ? TLS1_3_VERSION : ProtocolVersion(config.min_version));
  SSL_CTX_set_max_proto_version(context, ProtocolVersion(config.max_version));

  std::string groups;
  for (const TlsCurve curve : config.curve_preferences) {
    Append(kGroupNames[static_cast<std::size_t>(curve)], &groups);
  }
  if (!groups.empty()) SSL_CTX_set1_groups_list(context, groups.c_str());
}

void TlsContext::UseCertificate(const TlsConfig& config,
                                std::vector<std::string>* errors) {
  auto chain = ReadCertificates(config.certificate, errors);
  X509* const own = chain.empty() ? nullptr : chain.front().get();
  if (own && SSL_CTX_use_certificate(context_.get(), own) != 1) {
    errors->push_back(config.certificate.origin +
                      " contains no usable certificate: " + TakeOpensslError());
  }
  for (OpensslPtr<X509>& one : chain) {
    certificate_expiry_ = std::min(certificate_expiry_, ExpiryOf(one.get()));
    if (one.get() != own &&
        SSL_CTX_add0_chain_cert(context_.get(), one.get()) == 1) {
      static_cast<void>(one.release());
    }
  }

  const OpensslPtr<BIO> key_text = Reader(config.key.pem);
  const OpensslPtr<EVP_PKEY> key(PEM_read_bio_PrivateKey(
      key_text.get(), nullptr, &GiveNoPassword, nullptr));
  if (!key) {
    errors->push_back(config.key.origin +
                      " contains no usable private key (encrypted keys are not "
                      "supported): " +
                      TakeOpensslError());
  } else if (own && X509_check_private_key(own, key.get()) != 1) {
    errors->push_back(config.key.origin + " does not match the certificate");
  } else if (SSL_CTX_use_PrivateKey(context_.get(), key.get()) != 1) {
    errors->push_back(config.key.origin +
                      " cannot be used: " + TakeOpensslError());
  }
  ERR_clear_error();
}

void TlsContext::UseClientCa(const TlsConfig& config,
                             std::vector<std::string>* errors) {
  SSL_CTX_set_verify(context_.get(), VerifyMode(config.client_auth), nullptr);
  SSL_CTX_set_cert_verify_callback(context_.get(), &ClassifyClient, this);
  // As in the toolkit, every certificate in the file is trusted: an
  // intermediate CA needs no root.
  X509_STORE_set_flags(SSL_CTX_get_cert_store(context_.get()),
                       X509_V_FLAG_PARTIAL_CHAIN);
  if (config.client_ca.origin.empty()) {
    // The client is not told which they are: there are too many.
    if (verifies_clients_) TrustSystemAuthorities(context_.get());
    return;
  }
  for (const auto& ca : ReadCertificates(config.client_ca, errors)) {
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context_.get()), ca.get());
    SSL_CTX_add_client_CA(context_.get(), ca.get());
  }
}

/// Replaces X509_verify_cert(): 1 for a client that is accepted.
int TlsContext::ClassifyClient(X509_STORE_CTX* chain, void* context) {
  const auto& self = *static_cast<const TlsContext*>(context);
  if (self.verifies_clients_ && X509_verify_cert(chain) != 1) return 0;
  if (self.allowed_sans_.empty()) return 1;
  try {
    const auto names = ClientNames(X509_STORE_CTX_get0_cert(chain));
    if (std::any_of(names.begin(), names.end(), [&](const std::string& name) {
          return std::find(self.allowed_sans_.begin(), self.allowed_sans_.end(),
                           name) != self.allowed_sans_.end();
        })) {
      return 1;
    }
  } catch (const std::bad_alloc&) {
    // Rejected: no exception may pass through OpenSSL.
  }
  X509_STORE_CTX_set_error(chain, X509_V_ERR_APPLICATION_VERIFICATION);
  return 0;
}

std::unique_ptr<Channel> TlsContext::OpenChannel(SocketHandle socket) const {
  OpensslPtr<SSL> ssl(SSL_new(context_.get()));
  // On Windows a handle has only 32 significant bits, so that 32-bit programs
  // can share it.
  if (!ssl || SSL_set_fd(ssl.get(), static_cast<int>(socket)) != 1) {
    ERR_clear_error();
    return nullptr;
  }
  return std::make_unique<TlsChannel>(shared_from_this(), std::move(ssl));
}

}  // namespace echo_exporter
