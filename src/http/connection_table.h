#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <list>
#include <optional>
#include <utility>

#include "echo_exporter/clock.h"
#include "echo_exporter/http_server.h"
#include "echo_exporter/ip_address.h"
#include "src/base/call_threads.h"
#include "src/base/mutex.h"
#include "src/http/socket.h"

namespace echo_exporter {

class ConnectionTable;

/// One client, as seen by the thread that serves it.
///
/// Confined to that thread, except for the members that the table guards.
class Connection {
 public:
  Connection(ConnectionTable& table, SocketHandle socket);

  /// Open for as long as this thread runs; never blocks.
  SocketHandle socket() const { return socket_; }

  const std::optional<IpAddress>& remote_address() const {
    return remote_address_;
  }

  /// True once the server has closed the connection: its socket is shut down,
  /// and the thread must end.
  bool cut() const { return cut_.load(std::memory_order_relaxed); }

  /// The server waits for the client from now on: for a request, or for it to
  /// read `unsent` more bytes (> 0) of a response. Meanwhile the connection may
  /// be evicted.
  void BeginWaiting(std::size_t unsent = 0);

  /// Waits until one of a limited number of long responses may be rendered. The
  /// permission ends as soon as the server waits for the client: for it to
  /// read, or for its next request. This bounds the memory that the limit of
  /// unsent bytes does not count.
  void BeginRendering();

  /// The server no longer waits for the client: the connection is not evicted
  /// while its request is handled, nor while the response is sent without
  /// waiting.
  void EndWaiting();

 private:
  friend class ConnectionTable;

  ConnectionTable& table_;
  const SocketHandle socket_;
  const std::optional<IpAddress> remote_address_;
  /// The client that the connection counts for: that of its address, or the one
  /// that all connections without an address share.
  const IpAddress client_;
  std::atomic<bool> cut_{false};

  // Guarded by the table's mutex.
  bool waiting_ = true;
  bool rendering_ = false;
  SteadyTime waiting_since_{};
  std::size_t unsent_ = 0;
};

/// The connections of a server: each has its own thread, and all share limits.
///
/// Thread-safe.
class ConnectionTable {
 public:
  /// Serves one client, and returns when it is done or the connection is cut.
  using Serve = std::function<void(Connection&)>;

  ConnectionTable(const HttpLimits& limits, Serve serve)
      : limits_(limits), serve_(std::move(serve)) {}
  /// Waits for every connection to end.
  ~ConnectionTable() { Stop(Clock::System().Now()); }
  ConnectionTable(const ConnectionTable&) = delete;
  ConnectionTable& operator=(const ConnectionTable&) = delete;

  /// Takes ownership of a socket and serves it; the socket is closed
  /// afterwards, or at once when the table is full.
  void Add(SocketHandle socket);

  /// Evicts a connection that waits for its client: of the client with the most
  /// connections, the one that has waited longest. A client that opens as many
  /// connections as it can thus evicts its own. False when no connection waits
  /// for its client.
  bool MakeRoom();

  /// Rejects new connections, closes those without a request in progress, and
  /// waits for the others until `deadline`, then closes them too.
  void Stop(SteadyTime deadline);

 private:
  friend class Connection;
  using Connections = std::list<Connection>;

  void EndRendering(Connection& connection) REQUIRES(mutex_);
  void Run(Connections::iterator connection);

  bool HasRoom() REQUIRES(mutex_);
  bool StartServing(SocketHandle socket) REQUIRES(mutex_);
  bool CutOneWaitingFor(std::size_t unsent) REQUIRES(mutex_);
  void LimitUnsent() REQUIRES(mutex_);
  void Cut(Connection& connection) REQUIRES(mutex_);

  const HttpLimits limits_;
  const Serve serve_;

  Mutex mutex_;
  CondVar ended_;
  CondVar rendered_;
  std::size_t rendering_ GUARDED_BY(mutex_) = 0;
  Connections connections_ GUARDED_BY(mutex_);
  bool stopping_ GUARDED_BY(mutex_) = false;

  /// The last member: its destructor waits for what uses the others.
  CallThreads threads_{/*kept=*/0};
};

}  // namespace echo_exporter
