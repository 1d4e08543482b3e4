#include <idn2.h>

#include <memory>

#include "src/base/host_name.h"

namespace echo_exporter {

std::optional<std::string> ToIdnaAscii(const std::string& name) {
  if (name.find('\0') != std::string::npos) return std::nullopt;
  char* ascii = nullptr;
  const int code = idn2_to_ascii_8z(name.c_str(), &ascii,
                                    IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
  const std::unique_ptr<char, decltype(&idn2_free)> owner(ascii, &idn2_free);
  if (code != IDN2_OK) return std::nullopt;
  return std::string(ascii);
}

}  // namespace echo_exporter
