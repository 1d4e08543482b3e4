#pragma once

#include <sys/socket.h>

#include <array>
#include <atomic>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "echo_exporter/echo.h"
#include "echo_exporter/result.h"
#include "src/base/unique_fd_posix.h"
#include "src/transport/echo_packet.h"
#include "src/transport/request_table.h"

namespace echo_exporter {

/// A socket for many echo requests of one IP version.
///
/// Send() is confined to one thread; const functions are thread-safe.
class IcmpSocket {
 public:
  enum class Kind : std::uint8_t {
    kDatagram,  ///< unprivileged, where net.ipv4.ping_group_range allows it
    kRaw,       ///< needs CAP_NET_RAW
  };

  /// The source of everything that a socket sends.
  struct Binding {
    IpAddress source;
    std::uint32_t source_interface = 0;  ///< as in EchoRequest

    friend auto operator<=>(const Binding&, const Binding&) = default;
  };

  /// A datagram socket if that is allowed, else a raw one. Its receive buffer
  /// has room for `packets_at_once` replies, as far as the system allows.
  /// kNotAllowed when neither kind is allowed, kUnsupported when this host does
  /// not have the IP version. `binding` may be null. `code` may be null, else
  /// it is set to the errno of a failure; a small buffer is then not logged.
  static Result<std::unique_ptr<IcmpSocket>> Open(
      IpVersion version, std::size_t packets_at_once,
      const Binding* binding = nullptr, int* code = nullptr);

  int fd() const { return fd_.get(); }
  IpVersion version() const { return version_; }
  Kind kind() const { return kind_; }
  std::string_view mechanism() const {
    return kind_ == Kind::kDatagram ? "datagram_socket" : "raw_socket";
  }

  /// Sends the request of `record`, and stores the time right before sending in
  /// it. Returns 0, or the errno; see MayBePendingError().
  int Send(const EchoRequest& request, RequestRecord& record);

  /// The identifier for a request of this flow. A datagram socket has only one,
  /// which the kernel chose. Of the thread that sends.
  std::uint16_t IdentifierFor(const EchoFlow& flow);

  /// Whether a packet that this socket received, or an error, has an identifier
  /// that was sent.
  bool IsOurs(const EchoMessage& message) const;

  /// Its requests in flight: see RequestRecord.
  std::atomic<std::uint32_t>& requests() { return requests_; }

  /// The number of packets that did not fit in the receive buffer.
  std::uint64_t ReceiveDrops() const;

 private:
  IcmpSocket(IpVersion version, Kind kind, UniqueFd fd)
      : version_(version), kind_(kind), fd_(std::move(fd)) {}

  bool Configure(const Binding* binding);
  bool Bind(const Binding* binding);
  bool AttachFilter();
  bool LearnIdentifier();
  void SizeBuffers(std::size_t packets_at_once, bool log);
  bool SetDontFragment(bool on);
  std::size_t WriteControl(const EchoRequest& request, std::uint8_t* control);

  const IpVersion version_;
  const Kind kind_;
  const UniqueFd fd_;
  /// Of a datagram socket; of a raw one the first of kIdentifiers.
  std::uint16_t id_ = 0;
  std::uint16_t salt_ = 0;  ///< of a raw socket
  std::atomic<std::uint32_t> requests_{0};

  /// Of a raw socket: how many successive identifiers it uses, few enough to
  /// leave other programs theirs, and many enough that one is forgotten on the
  /// way before its turn comes again.
  static constexpr std::uint16_t kIdentifiers = 0x1000;
  static constexpr std::uint16_t kIdentifierBits = kIdentifiers - 1;
  std::array<std::atomic<bool>, kIdentifiers> sent_identifiers_{};

  // Of Send().
  std::optional<bool> dont_fragment_;
  std::array<std::uint8_t, kIcmpHeaderSize + kMaxEchoPayload> packet_;
};

/// Whether the result of a send may be an ICMP error, or a redirect, about
/// another request: each is put on the socket's error queue and is also
/// returned by the next send, which is unrelated to it. True for every errno
/// but those that only this host itself can be the reason of.
bool MayBePendingError(int code);

/// Whether this host currently has the address; absent when the system lacks
/// the resources to tell.
std::optional<bool> IsOwnAddress(const IpAddress& address);

/// Whether the system allows to send from addresses that it does not have
/// (net.ipv4.ip_nonlocal_bind, net.ipv6.ip_nonlocal_bind); absent as above.
std::optional<bool> AllowsForeignSources(IpVersion version);

}  // namespace echo_exporter
