#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "echo_exporter/config.h"
#include "src/base/host_name.h"
#include "src/base/number_text.h"
#include "src/config/quoted.h"

namespace echo_exporter {
namespace {

/// How many of the names in [sources] a message lists.
constexpr std::size_t kListedNames = 10;

/// A host between "[" and "]" is an IPv6 address, any other is not.
bool IsListenHost(std::string_view host, bool brackets) {
  const auto address = IpAddress::Parse(host);
  if (brackets) return address && !address->is_v4();
  return host.empty() || (address && address->is_v4()) || IsHostName(host);
}

std::string NamesText(const std::map<std::string, SourceConfig>& named) {
  if (named.empty()) return "none are defined";
  std::string text;
  std::size_t count = 0;
  for (const auto& [name, source] : named) {
    if (++count > kListedNames) return text + ", ...";
    text += (text.empty() ? "" : ", ") + Excerpt(name);
  }
  return text;
}

}  // namespace

std::string DestinationConfig::CanonicalTarget() const {
  return address ? Target() : LowerCase(HostName());
}

Result<ListenAddress> ParseListenAddress(std::string_view text) {
  const Error error{
      ErrorCode::kInvalidArgument,
      Excerpt(text) +
          " is not a valid listen address; use \"127.0.0.1:10115\", "
          "\"[::1]:10115\", \"name:10115\" or, for all interfaces, "
          "\":10115\""};
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return error;
  std::string_view host = text.substr(0, colon);
  const auto port = ParseNumber<std::uint16_t>(text.substr(colon + 1));
  const bool brackets = host.starts_with('[') && host.ends_with(']');
  if (brackets) host = host.substr(1, host.size() - 2);
  if (!port || !IsListenHost(host, brackets)) return error;
  return ListenAddress{std::string(host), *port};
}

Result<SourceConfig> ParseSource(
    std::string_view text, const std::map<std::string, SourceConfig>& named) {
  SourceConfig source;
  source.name = text;
  if (text == "auto") return source;
  if (const auto it = named.find(source.name); it != named.end()) {
    return it->second;
  }
  const auto address = ZonedAddress::Parse(text);
  if (!address) {
    return Error{ErrorCode::kInvalidArgument,
                 Excerpt(text) +
                     " is neither \"auto\", nor an address, nor a name in "
                     "[sources] (" +
                     NamesText(named) + ')'};
  }
  if (address->address.IsUnspecified()) {
    return Error{ErrorCode::kInvalidArgument,
                 Excerpt(text) +
                     " cannot be the address of a source; use \"auto\" to let "
                     "the system choose"};
  }
  source.kind = SourceConfig::Kind::kAddress;
  source.address = address->address;
  source.zone = address->zone;
  return source;
}

}  // namespace echo_exporter
