#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "src/http/socket.h"

namespace echo_exporter {

/// A TCP client, whose socket blocks, that sends what it is told, valid or not.
///
/// Confined to one thread.
class RawHttpClient {
 public:
  /// Connects to the port of 127.0.0.1; connected() tells whether it worked.
  /// `source`: the address of this host to connect from; from ::1 it connects
  /// to ::1.
  /// `receive_buffer`: bytes the system may hold for a client that does not
  /// read; 0 leaves that to the system.
  explicit RawHttpClient(int port, int receive_buffer = 0,
                         const char* source = "127.0.0.1");
  ~RawHttpClient();
  RawHttpClient(const RawHttpClient&) = delete;
  RawHttpClient& operator=(const RawHttpClient&) = delete;

  bool connected() const { return socket_ != kNoSocket; }
  SocketHandle socket() const { return socket_; }

  /// False when the connection is broken.
  bool Send(std::string_view text);

  /// Appends what comes next; false when the server closes, or nothing came for
  /// five minutes.
  bool ReadSome(std::string* text);

  /// Reads until what was received since the last call contains `text`, the
  /// server closes, or nothing came for five minutes; returns what was
  /// received.
  std::string ReadUntil(std::string_view text);

  /// Reads until the server closes, or nothing came for five minutes.
  std::string ReadToEnd();

  /// True when there is something to read, or the connection has ended, within
  /// `patience`.
  bool WaitForServer(std::chrono::milliseconds patience);

  /// True once the server has closed or cut the connection and all it sent
  /// was read.
  bool closed() const { return closed_; }

 private:
  const SocketHandle socket_;
  bool closed_ = false;
};

}  // namespace echo_exporter
