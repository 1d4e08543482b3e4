#pragma once

#include <string>

#include "src/http/tls_context.h"

namespace echo_exporter {

/// A certificate and its key, as PEM.
struct TestCertificate {
  std::string certificate;
  std::string key;
};

/// What a certificate is to say.
struct CertificateWish {
  std::string name = "test";  ///< its common name
  std::string alternative_names = "DNS:localhost,IP:127.0.0.1";
  bool expired = false;
  bool authority = false;  ///< that others may be certified with it
};

/// An authority that certifies whatever it is asked to.
class TestAuthority {
 public:
  TestAuthority();
  /// One that another authority certifies.
  static TestAuthority Below(const TestAuthority& root);

  const std::string& certificate() const { return certificate_; }
  TestCertificate Certify(const CertificateWish& wish) const;

 private:
  OpensslPtr<EVP_PKEY> key_;
  OpensslPtr<X509> x509_;
  std::string certificate_;
};

}  // namespace echo_exporter
