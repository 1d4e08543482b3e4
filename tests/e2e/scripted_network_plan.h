/// The scripted network's address plan: what each address answers to an echo
/// request. Pure: every function is a function of its arguments only.

#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "scripted_network_packets.h"

namespace echo_exporter::scripted_network {

/// The network's prefixes and the one delay that no address can spell.
struct AddressPlan {
  std::array<std::uint8_t, 2> ipv4_prefix = {10, 213};
  std::array<std::uint8_t, 8> ipv6_prefix = {0xfd, 0x00, 0x02, 0x13};
  std::chrono::milliseconds late{3000};
};

/// One packet that answers an echo request.
struct Answer {
  std::chrono::milliseconds delay;  ///< Since the request was read.
  bool is_error;                    ///< An ICMP error, not an echo reply.
  Bytes packet;                     ///< The datagram from its IP header on.
};

/// Whether `address` lies in one of the plan's prefixes.
bool Contains(const AddressPlan& plan, const Address& address);

/// The answers of the request's destination to its `number`th request, counted
/// from 1; none when the address is silent or not in the plan.
std::vector<Answer> AnswerRequest(const AddressPlan& plan,
                                  const EchoRequest& request,
                                  std::uint64_t number);

/// The address plan as a table of text, for --help.
std::string AddressPlanTable();

}  // namespace echo_exporter::scripted_network
