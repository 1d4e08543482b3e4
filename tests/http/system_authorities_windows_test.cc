#include "src/http/system_authorities_windows.h"

#include <gtest/gtest.h>
#include <openssl/pem.h>

#include <array>
#include <cstddef>
#include <vector>

#include "tests/support/test_certificates.h"

namespace echo_exporter {
namespace {

class MayCertifyClientsTest : public testing::Test {
 protected:
  MayCertifyClientsTest() {
    const std::string pem = TestAuthority().certificate();
    const OpensslPtr<BIO> text(
        BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    const OpensslPtr<X509> x509(
        PEM_read_bio_X509(text.get(), nullptr, nullptr, nullptr));
    std::vector<unsigned char> der(
        static_cast<std::size_t>(i2d_X509(x509.get(), nullptr)));
    unsigned char* end = der.data();
    i2d_X509(x509.get(), &end);
    authority_ = CertCreateCertificateContext(X509_ASN_ENCODING, der.data(),
                                              static_cast<DWORD>(der.size()));
  }
  ~MayCertifyClientsTest() override { CertFreeCertificateContext(authority_); }
  MayCertifyClientsTest(const MayCertifyClientsTest&) = delete;
  MayCertifyClientsTest& operator=(const MayCertifyClientsTest&) = delete;

  /// As the system's store, or an administrator, restricts a certificate.
  void Restrict(std::vector<const char*> purposes) {
    std::vector<char*> changeable;
    for (const char* purpose : purposes) {
      changeable.push_back(const_cast<char*>(purpose));
    }
    CERT_ENHKEY_USAGE usage{static_cast<DWORD>(changeable.size()),
                            changeable.data()};
    ASSERT_TRUE(CertSetEnhancedKeyUsage(authority_, &usage));
  }

  PCCERT_CONTEXT authority_ = nullptr;
};

TEST_F(MayCertifyClientsTest, UnlessThePurposesLeaveThemOut) {
  ASSERT_NE(authority_, nullptr);
  EXPECT_TRUE(MayCertifyClients(authority_));
  Restrict({szOID_PKIX_KP_CODE_SIGNING, szOID_PKIX_KP_TIMESTAMP_SIGNING});
  EXPECT_FALSE(MayCertifyClients(authority_));
  Restrict({szOID_PKIX_KP_SERVER_AUTH, szOID_PKIX_KP_CLIENT_AUTH});
  EXPECT_TRUE(MayCertifyClients(authority_));
  Restrict({szOID_ANY_ENHANCED_KEY_USAGE});
  EXPECT_TRUE(MayCertifyClients(authority_));
}

}  // namespace
}  // namespace echo_exporter
