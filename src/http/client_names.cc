#include "src/http/client_names.h"

#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "echo_exporter/ip_address.h"
#include "src/http/tls_context.h"

namespace echo_exporter {
namespace {

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

}  // namespace

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

}  // namespace echo_exporter
