#ifndef ECHO_EXPORTER_SRC_HTTP_CONNECTION_TABLE_H_
#define ECHO_EXPORTER_SRC_HTTP_CONNECTION_TABLE_H_

#include <atomic>
#include <cstddef>
#include <functional>
#include <list>
#include <optional>
#include <thread>

#include "echo_exporter/clock.h"
#include "echo_exporter/http_server.h"
#include "echo_exporter/ip_address.h"
#include "src/base/mutex.h"
#include "src/http/socket.h"

namespace echo_exporter {

class ConnectionTable;

/// One client, as seen by the thread that serves it.
///
/// Confined to that thread, except for what the table keeps in it.
class Connection {
 public:
  Connection(ConnectionTable& table, SocketHandle socket);

  /// Open for as long as this thread runs; never blocks.
  SocketHandle socket() const { return socket_; }

  const std::optional<IpAddress>& remote_address() const {
    return remote_address_;
  }

  /// True once the connection has to go: its socket is shut down, and nothing
  /// more is to be done for the client.
  bool cut() const { return cut_.load(std::memory_order_relaxed); }

  /// The server waits for the client from now on: for a request, or for it to
  /// read `unsent` more bytes (> 0) of a response. It may be cut meanwhile.
  void BeginWaiting(std::size_t unsent = 0);

  /// Waits for one of the places to render a long response, which is given back
  /// as soon as the server waits for the client: for it to read, or for its
  /// next request. So much is held in memory at once that no limit of unsent
  /// bytes counts.
  void BeginRendering();

  /// The client has done its part: it is not cut while its request is worked
  /// on, nor while the response leaves without waiting.
  void EndWaiting();

 private:
  friend class ConnectionTable;

  ConnectionTable& table_;
  const SocketHandle socket_;
  const std::optional<IpAddress> remote_address_;
  /// The one client that all connections without an address count as, or the
  /// one that this address belongs to.
  const IpAddress client_;
  std::atomic<bool> cut_{false};

  // Guarded by the table's mutex.
  bool waiting_ = true;
  bool rendering_ = false;
  bool finished_ = false;
  SteadyTime waiting_since_{};
  std::size_t unsent_ = 0;
  std::thread thread_;
};

/// The connections of a server: each has a thread of its own, and all have
/// limits together.
///
/// Thread-safe.
class ConnectionTable {
 public:
  /// Talks to one client, and returns when done or cut.
  using Serve = std::function<void(Connection&)>;

  ConnectionTable(const HttpLimits& limits, Serve serve);
  /// Waits for every connection to end.
  ~ConnectionTable();
  ConnectionTable(const ConnectionTable&) = delete;
  ConnectionTable& operator=(const ConnectionTable&) = delete;

  /// Takes over a socket and has it served; the socket is closed afterwards,
  /// or at once when there is no room.
  void Add(SocketHandle socket);

  /// Makes room: of the clients that keep the server waiting, the one with the
  /// most connections loses the one of them that has done so for longest.
  /// Thus a client that takes all the room it can get takes it from itself.
  /// False when none keeps the server waiting.
  bool MakeRoom();

  /// Takes no more connections, cuts those that owe a request, and waits for
  /// the others until `deadline`, then cuts them too.
  void Stop(SteadyTime deadline);

 private:
  friend class Connection;
  using Connections = std::list<Connection>;

  void BeginWaiting(Connection& connection, std::size_t unsent);
  void EndWaiting(Connection& connection);
  void BeginRendering(Connection& connection);
  void EndRendering(Connection& connection) REQUIRES(mutex_);
  void Run(Connection& connection);

  bool HasRoom() REQUIRES(mutex_);
  bool StartServing(SocketHandle socket) REQUIRES(mutex_);
  bool CutOneWaitingFor(std::size_t unsent) REQUIRES(mutex_);
  void LimitUnsent() REQUIRES(mutex_);
  void Cut(Connection& connection) REQUIRES(mutex_);
  void TakeFinished(Connections* finished) REQUIRES(mutex_);

  const HttpLimits limits_;
  const Serve serve_;

  Mutex mutex_;
  CondVar finished_;
  CondVar rendered_;
  std::size_t rendering_ GUARDED_BY(mutex_) = 0;
  Connections connections_ GUARDED_BY(mutex_);
  bool stopping_ GUARDED_BY(mutex_) = false;
};

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_SRC_HTTP_CONNECTION_TABLE_H_
