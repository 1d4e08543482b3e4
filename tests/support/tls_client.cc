#include "tests/support/tls_client.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <array>

namespace echo_exporter {
namespace {

OpensslPtr<BIO> Reader(const std::string& text) {
  return OpensslPtr<BIO>(
      BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

OpensslPtr<X509> ReadX509(const std::string& pem) {
  return OpensslPtr<X509>(
      PEM_read_bio_X509(Reader(pem).get(), nullptr, nullptr, nullptr));
}

}  // namespace

TlsClient::TlsClient(int port, const Options& options)
    : socket_(port), context_(SSL_CTX_new(TLS_client_method())) {
  SSL_CTX* const context = context_.get();
  if (!options.authority.empty()) {
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context),
                        ReadX509(options.authority).get());
  }
  if (options.certificate) {
    SSL_CTX_use_certificate(context,
                            ReadX509(options.certificate->certificate).get());
    const OpensslPtr<EVP_PKEY> key(PEM_read_bio_PrivateKey(
        Reader(options.certificate->key).get(), nullptr, nullptr, nullptr));
    SSL_CTX_use_PrivateKey(context, key.get());
  }
  if (options.max_version != 0) {
    SSL_CTX_set_max_proto_version(context, options.max_version);
  }
  if (!options.suites12.empty()) {
    SSL_CTX_set_cipher_list(context, options.suites12.c_str());
  }
  ssl_.reset(SSL_new(context));
  SSL_set_fd(ssl_.get(), static_cast<int>(socket_.socket()));
  connected_ = SSL_connect(ssl_.get()) == 1;
  ERR_clear_error();
}

std::string TlsClient::server_name() const {
  const OpensslPtr<X509> x509(SSL_get1_peer_certificate(ssl_.get()));
  std::array<char, 256> name{};
  if (!x509) return {};
  X509_NAME_get_text_by_NID(X509_get_subject_name(x509.get()), NID_commonName,
                            name.data(), static_cast<int>(name.size()));
  return name.data();
}

bool TlsClient::Send(std::string_view text) {
  std::size_t sent = 0;
  const bool good =
      SSL_write_ex(ssl_.get(), text.data(), text.size(), &sent) == 1;
  ERR_clear_error();
  return good;
}

std::string TlsClient::ReadToEnd() {
  std::string text;
  std::array<char, 16384> buffer;
  std::size_t size = 0;
  while (SSL_read_ex(ssl_.get(), buffer.data(), buffer.size(), &size) == 1) {
    text.append(buffer.data(), size);
  }
  ERR_clear_error();
  return text;
}

std::string TlsClient::Get(std::string_view path, std::string_view headers) {
  if (!connected_) return {};
  Send("GET " + std::string(path) +
       " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" + std::string(headers) +
       "\r\n");
  return ReadToEnd();
}

}  // namespace echo_exporter
