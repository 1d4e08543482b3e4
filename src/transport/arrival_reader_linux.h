#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <time.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "src/transport/request_matcher.h"

namespace echo_exporter {

class IcmpSocket;

/// Converts the kernel's time stamps, which are wall-clock times, to the steady
/// clock: by their age, with both clocks read again for each batch. If the wall
/// clock was set meanwhile, ages are meaningless; the difference of the clocks
/// shows this, and the stamps of that batch are then not used.
///
/// Confined to one thread at a time.
class KernelTime {
 public:
  /// Reads the clocks.
  void Refresh();

  /// The same with these readings; `wall` since 1970.
  void Refresh(SteadyTime now, Nanoseconds wall);

  /// Of the last Refresh().
  SteadyTime now() const { return now_; }

  /// The time of an event with the kernel's stamp `wall` that was read after
  /// the last Refresh(), or shortly before. now() when the stamp cannot be
  /// used.
  SteadyTime SteadyTimeOf(const timespec& wall) const;

 private:
  SteadyTime now_{};
  SteadyTime oldest_{};   ///< what can still be a time of arrival
  Nanoseconds offset_{};  ///< the wall clock minus the steady clock
  bool stepped_ = true;   ///< between the last two readings
  bool fresh_ = true;     ///< no reading yet
};

/// Reads received packets from sockets, many per system call.
///
/// Confined to one thread.
class ArrivalReader {
 public:
  ArrivalReader();

  /// Reads the clocks to which the times of arrivals refer.
  void Refresh() { kernel_time_.Refresh(); }
  SteadyTime now() const { return kernel_time_.now(); }

  /// Replaces arrivals() by the next ones: replies, or, with `errors`, ICMP
  /// errors. False when there were none. Packets that are not intact echo
  /// replies or errors about echo requests of this process are omitted.
  bool Read(const IcmpSocket& socket, bool errors);

  /// Valid until the next Read().
  std::span<const Arrival> arrivals() const { return arrivals_; }

  /// Packets read by the last Read(), and replies among them with an identifier
  /// of this process that were omitted because they are not intact. An error
  /// that this host itself reports for a failed send does not count.
  std::size_t packets() const { return packets_; }
  std::size_t damaged() const { return damaged_; }

  /// When the latest of them arrived; now() when there was none.
  SteadyTime last_time() const { return last_time_; }

 private:
  static constexpr std::size_t kBatch = 64;
  /// The largest IPv4 packet.
  static constexpr std::size_t kPacketSize = 65535;
  static constexpr std::size_t kControlSize = 256;

  bool ParseMessage(const IcmpSocket& socket, std::size_t i, Arrival* arrival);
  void ParseControl(const msghdr& header, Arrival* arrival) const;

  KernelTime kernel_time_;
  std::size_t packets_ = 0;
  std::size_t damaged_ = 0;
  SteadyTime last_time_{};
  std::vector<Arrival> arrivals_;

  // Not initialised, so that memory that no packet needs is never touched.
  std::unique_ptr<std::uint8_t[]> bytes_;
  std::array<std::array<std::uint8_t, kControlSize>, kBatch> controls_;
  std::array<sockaddr_storage, kBatch> peers_;
  std::array<iovec, kBatch> vectors_;
  std::array<mmsghdr, kBatch> headers_;
};

}  // namespace echo_exporter
