#include "echo_exporter/ip_address.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <limits>
#include <system_error>

namespace echo_exporter {
namespace {

using V4Bytes = std::array<std::uint8_t, 4>;
using V6Bytes = std::array<std::uint8_t, 16>;

constexpr std::size_t kV6Groups = 8;

/// Before an IPv4 address that is written as an IPv6 one (RFC 4291 section
/// 2.5.5.2).
constexpr std::array<std::uint8_t, 12> kMapped = {0, 0, 0, 0, 0,    0,
                                                  0, 0, 0, 0, 0xff, 0xff};

bool IsMapped(const V6Bytes& bytes) {
  return std::equal(kMapped.begin(), kMapped.end(), bytes.begin());
}

/// Parses digits without leading zeros: each number has one spelling, and
/// "010", which might be octal, is rejected.
std::optional<std::uint32_t> ParseDecimal(std::string_view text,
                                          std::uint32_t max) {
  if (text.empty() || (text.size() > 1 && text.front() == '0')) {
    return std::nullopt;
  }
  std::uint32_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end || value > max) return std::nullopt;
  return value;
}

std::optional<std::uint16_t> ParseHexGroup(std::string_view text) {
  if (text.empty() || text.size() > 4) return std::nullopt;
  std::uint16_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value, 16);
  if (error != std::errc() || stop != end) return std::nullopt;
  return value;
}

std::optional<V4Bytes> ParseV4(std::string_view text) {
  V4Bytes bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const bool last = i + 1 == bytes.size();
    const std::size_t end = last ? text.size() : text.find('.');
    if (end == std::string_view::npos) return std::nullopt;
    const auto byte = ParseDecimal(text.substr(0, end), 255);
    if (!byte) return std::nullopt;
    bytes[i] = static_cast<std::uint8_t>(*byte);
    if (!last) text.remove_prefix(end + 1);
  }
  return bytes;
}

std::optional<V6Bytes> ParseV6(std::string_view text) {
  V6Bytes bytes{};
  std::size_t size = 0;
  std::optional<std::size_t> gap;  // the position of "::"
  if (text.starts_with("::")) {
    gap = 0;
    text.remove_prefix(2);
  }
  while (!text.empty()) {
    const std::size_t colon = text.find(':');
    const std::string_view group = text.substr(0, colon);
    if (colon == std::string_view::npos &&
        group.find('.') != std::string_view::npos) {
      const auto v4 = ParseV4(group);
      if (!v4 || size + v4->size() > bytes.size()) return std::nullopt;
      std::copy(v4->begin(), v4->end(), bytes.data() + size);
      size += v4->size();
      break;
    }
    const auto value = ParseHexGroup(group);
    if (!value || size == bytes.size()) return std::nullopt;
    bytes[size++] = static_cast<std::uint8_t>(*value >> 8);
    bytes[size++] = static_cast<std::uint8_t>(*value & 0xff);
    if (colon == std::string_view::npos) break;
    text.remove_prefix(colon + 1);
    if (text.empty()) return std::nullopt;
    if (text.front() == ':') {
      if (gap) return std::nullopt;
      gap = size;
      text.remove_prefix(1);
    }
  }
  if (gap.has_value() == (size == bytes.size())) return std::nullopt;
  if (!gap) return bytes;
  // The groups after "::" belong at the end.
  V6Bytes expanded{};
  std::copy_n(bytes.begin(), *gap, expanded.begin());
  std::copy_n(bytes.begin() + *gap, size - *gap,
              expanded.end() - (size - *gap));
  return expanded;
}

/// RFC 4007 section 4: link-local unicast, and multicast of interface-local
/// and link-local scope, are unique only together with a zone.
bool NeedsZone(const V6Bytes& bytes) {
  if (bytes[0] == 0xfe) return (bytes[1] & 0xc0) == 0x80;
  return bytes[0] == 0xff && ((bytes[1] & 0x0f) == 1 || (bytes[1] & 0x0f) == 2);
}

std::string V4ToString(const std::uint8_t* bytes) {
  std::string text = std::to_string(bytes[0]);
  for (std::size_t i = 1; i < 4; ++i) text += '.' + std::to_string(bytes[i]);
  return text;
}

/// The groups that "::" replaces: the first of the longest runs of at least two
/// zero groups (RFC 5952 section 4.2). Empty when there is none.
struct ZeroRun {
  std::size_t begin = 0;
  std::size_t end = 0;
};

ZeroRun LongestZeroRun(const std::array<std::uint16_t, kV6Groups>& groups) {
  ZeroRun longest;
  for (std::size_t begin = 0; begin < groups.size(); ++begin) {
    std::size_t end = begin;
    while (end < groups.size() && groups[end] == 0) ++end;
    if (end - begin >= 2 && end - begin > longest.end - longest.begin) {
      longest = {begin, end};
    }
  }
  return longest;
}

std::string V6ToString(const V6Bytes& bytes) {
  if (IsMapped(bytes)) {
    return "::ffff:" + V4ToString(bytes.data() + kMapped.size());
  }
  std::array<std::uint16_t, kV6Groups> groups{};
  for (std::size_t i = 0; i < groups.size(); ++i) {
    groups[i] =
        static_cast<std::uint16_t>(bytes[2 * i] << 8 | bytes[2 * i + 1]);
  }
  const ZeroRun zeros = LongestZeroRun(groups);
  std::string text;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    if (i == zeros.begin && zeros.end > zeros.begin) {
      text += "::";
      i = zeros.end - 1;
      continue;
    }
    if (!text.empty() && text.back() != ':') text += ':';
    std::array<char, 4> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(),
                                   groups[i], 16);
    text.append(digits.data(), end.ptr);
  }
  return text;
}

int BitCount(const IpAddress& address) { return address.is_v4() ? 32 : 128; }

/// The bits of byte `index` that lie within the first `length` bits.
std::uint8_t ByteMask(std::size_t index, int length) {
  const int bits = std::clamp(length - static_cast<int>(index) * 8, 0, 8);
  return static_cast<std::uint8_t>(0xff00 >> bits);
}

}  // namespace

IpAddress IpAddress::V4(const std::array<std::uint8_t, 4>& bytes) {
  IpAddress address;
  std::copy(bytes.begin(), bytes.end(), address.bytes_.begin());
  return address;
}

IpAddress IpAddress::V6(const std::array<std::uint8_t, 16>& bytes,
                        std::uint32_t scope_id) {
  IpAddress address;
  address.version_ = IpVersion::kV6;
  address.bytes_ = bytes;
  address.scope_id_ = NeedsZone(bytes) ? scope_id : 0;
  return address;
}

std::optional<IpAddress> IpAddress::Parse(std::string_view text) {
  if (text.find(':') == std::string_view::npos) {
    const auto v4 = ParseV4(text);
    return v4 ? std::optional(V4(*v4)) : std::nullopt;
  }
  const std::size_t percent = text.find('%');
  const auto v6 = ParseV6(text.substr(0, percent));
  if (!v6) return std::nullopt;
  if (percent == std::string_view::npos) return V6(*v6);
  const auto zone = ParseDecimal(text.substr(percent + 1),
                                 std::numeric_limits<std::uint32_t>::max());
  if (!zone || !NeedsZone(*v6)) return std::nullopt;
  return V6(*v6, *zone);
}

bool IpAddress::IsUnspecified() const { return bytes_ == V6Bytes{}; }

bool IpAddress::IsLoopback() const {
  if (is_v4()) return bytes_[0] == 127;
  V6Bytes loopback{};
  loopback.back() = 1;
  return bytes_ == loopback;
}

bool IpAddress::IsHost() const {
  if (!is_v4() && bytes_[0] == 0xff) return false;
  const bool mapped = !is_v4() && IsMapped(bytes_);
  if (!is_v4() && !mapped) return !IsUnspecified();
  const std::uint8_t* const v4 = bytes_.data() + (mapped ? kMapped.size() : 0);
  const auto all = [v4](std::uint8_t byte) {
    return std::all_of(v4, v4 + 4,
                       [byte](std::uint8_t b) { return b == byte; });
  };
  return !all(0) && !all(255) && (v4[0] & 0xf0) != 0xe0;
}

std::string IpAddress::ToString() const {
  if (is_v4()) return V4ToString(bytes_.data());
  const std::string text = V6ToString(bytes_);
  return scope_id_ == 0 ? text : text + '%' + std::to_string(scope_id_);
}

IpAddress WithoutZoneOrMapping(const IpAddress& address) {
  if (address.is_v4()) return address;
  const auto& bytes = address.bytes();
  if (!IsMapped(bytes)) return IpAddress::V6(bytes);
  return IpAddress::V4({bytes[12], bytes[13], bytes[14], bytes[15]});
}

IpAddress ClientNetwork(const IpAddress& client) {
  if (client.is_v4()) return client;
  auto bytes = client.bytes();
  std::fill(bytes.begin() + 8, bytes.end(), std::uint8_t{0});
  return IpAddress::V6(bytes);
}

std::optional<ZonedAddress> ZonedAddress::Parse(std::string_view text) {
  if (const auto address = IpAddress::Parse(text)) {
    return ZonedAddress{*address, {}};
  }
  const std::size_t percent = text.find('%');
  if (percent == std::string_view::npos) return std::nullopt;
  const auto address = IpAddress::Parse(text.substr(0, percent));
  const std::string_view zone = text.substr(percent + 1);
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  const auto is_control = [](char c) {
    return (c >= 0 && c < ' ') || c == '\x7f';
  };
  if (!address || address->is_v4() || !NeedsZone(address->bytes()) ||
      std::ranges::all_of(zone, is_digit) ||
      std::ranges::any_of(zone, is_control)) {
    return std::nullopt;
  }
  return ZonedAddress{*address, std::string(zone)};
}

std::optional<IpPrefix> IpPrefix::Parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto network = IpAddress::Parse(text.substr(0, slash));
  if (!network) return std::nullopt;
  const auto length = ParseDecimal(
      text.substr(slash + 1), static_cast<std::uint32_t>(BitCount(*network)));
  if (!length) return std::nullopt;
  const IpPrefix prefix(*network, static_cast<int>(*length));
  const auto& bytes = network->bytes();
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if ((bytes[i] & ~ByteMask(i, prefix.length_)) != 0) return std::nullopt;
  }
  return prefix;
}

bool IpPrefix::Contains(const IpAddress& address) const {
  if (address.version() != network_.version()) return false;
  if (network_.scope_id() != 0 && address.scope_id() != network_.scope_id()) {
    return false;
  }
  for (std::size_t i = 0; i < address.bytes().size(); ++i) {
    const int difference = address.bytes()[i] ^ network_.bytes()[i];
    if ((difference & ByteMask(i, length_)) != 0) return false;
  }
  return true;
}

std::uint64_t IpPrefix::HostCount() const {
  const int host_bits = BitCount(network_) - length_;
  if (host_bits <= 1) return std::uint64_t{1} << host_bits;
  if (host_bits >= 64) return std::numeric_limits<std::uint64_t>::max();
  const std::uint64_t addresses = std::uint64_t{1} << host_bits;
  return addresses - (network_.is_v4() ? 2 : 1);
}

IpAddress IpPrefix::HostAt(std::uint64_t n) const {
  const int host_bits = BitCount(network_) - length_;
  std::array<std::uint8_t, 16> bytes = network_.bytes();
  // The first address of larger prefixes is not a host, hence the additional 1.
  std::uint64_t carry = host_bits > 1 ? 1 : 0;
  for (std::size_t i = network_.is_v4() ? 4 : 16; i-- > 0;) {
    carry += bytes[i] + (n & 0xff);
    bytes[i] = static_cast<std::uint8_t>(carry & 0xff);
    carry >>= 8;
    n >>= 8;
  }
  if (!network_.is_v4()) return IpAddress::V6(bytes, network_.scope_id());
  return IpAddress::V4({bytes[0], bytes[1], bytes[2], bytes[3]});
}

std::string IpPrefix::ToString() const {
  return network_.ToString() + '/' + std::to_string(length_);
}

}  // namespace echo_exporter
