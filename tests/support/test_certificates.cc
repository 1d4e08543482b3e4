#include "tests/support/test_certificates.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <stdexcept>

namespace echo_exporter {
namespace {

constexpr long kHour = 3600;

void Require(bool done) {
  if (!done) throw std::runtime_error(TakeOpensslError());
}

std::string TextOf(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

std::string PemOf(X509* certificate) {
  const OpensslPtr<BIO> bio(BIO_new(BIO_s_mem()));
  Require(PEM_write_bio_X509(bio.get(), certificate) == 1);
  return TextOf(bio.get());
}

std::string PemOf(EVP_PKEY* key) {
  const OpensslPtr<BIO> bio(BIO_new(BIO_s_mem()));
  Require(PEM_write_bio_PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr,
                                   nullptr) == 1);
  return TextOf(bio.get());
}

OpensslPtr<EVP_PKEY> MakeKey() {
  OpensslPtr<EVP_PKEY> key(EVP_EC_gen("P-256"));
  Require(key != nullptr);
  return key;
}

void AddExtension(X509* certificate, int id, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* const extension =
      X509V3_EXT_conf_nid(nullptr, &context, id, value.c_str());
  Require(extension != nullptr);
  Require(X509_add_ext(certificate, extension, -1) == 1);
  X509_EXTENSION_free(extension);
}

/// Without an issuer, one that certifies itself.
OpensslPtr<X509> Make(const CertificateWish& wish, EVP_PKEY* key,
                      const X509* issuer, EVP_PKEY* issuer_key) {
  OpensslPtr<X509> x509(X509_new());
  std::uint32_t serial = 0;
  Require(RAND_bytes(reinterpret_cast<unsigned char*>(&serial),
                     sizeof(serial)) == 1);
  X509_set_version(x509.get(), X509_VERSION_3);
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(x509.get()), serial);
  X509_gmtime_adj(X509_getm_notBefore(x509.get()), -48 * kHour);
  X509_gmtime_adj(X509_getm_notAfter(x509.get()),
                  wish.expired ? -kHour : 48 * kHour);
  X509_NAME* const subject = X509_get_subject_name(x509.get());
  X509_NAME_add_entry_by_txt(
      subject, "CN", MBSTRING_UTF8,
      reinterpret_cast<const unsigned char*>(wish.name.c_str()), -1, -1, 0);
  X509_set_issuer_name(x509.get(),
                       issuer ? X509_get_subject_name(issuer) : subject);
  X509_set_pubkey(x509.get(), key);
  if (wish.authority) {
    AddExtension(x509.get(), NID_basic_constraints, "critical,CA:TRUE");
  }
  if (!wish.alternative_names.empty()) {
    AddExtension(x509.get(), NID_subject_alt_name, wish.alternative_names);
  }
  Require(X509_sign(x509.get(), issuer_key, EVP_sha256()) > 0);
  return x509;
}

}  // namespace

TestAuthority::TestAuthority() : key_(MakeKey()) {
  x509_ =
      Make({.name = "authority", .alternative_names = "", .authority = true},
           key_.get(), nullptr, key_.get());
  certificate_ = PemOf(x509_.get());
}

TestAuthority TestAuthority::Below(const TestAuthority& root) {
  TestAuthority result;
  result.x509_ =
      Make({.name = "below", .alternative_names = "", .authority = true},
           result.key_.get(), root.x509_.get(), root.key_.get());
  result.certificate_ = PemOf(result.x509_.get());
  return result;
}

TestCertificate TestAuthority::Certify(const CertificateWish& wish) const {
  const OpensslPtr<EVP_PKEY> key = MakeKey();
  const OpensslPtr<X509> x509 = Make(wish, key.get(), x509_.get(), key_.get());
  return {PemOf(x509.get()), PemOf(key.get())};
}

}  // namespace echo_exporter
