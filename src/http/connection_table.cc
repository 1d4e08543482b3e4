#include "src/http/connection_table.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <map>
#include <new>

namespace echo_exporter {

Connection::Connection(ConnectionTable& table, SocketHandle socket)
    : table_(table),
      socket_(socket),
      remote_address_(RemoteAddress(socket)),
      client_(ClientNetwork(remote_address_.value_or(IpAddress()))) {}

void ConnectionTable::Add(SocketHandle socket) {
  bool served = false;
  {
    const MutexLock lock(mutex_);
    try {
      served = HasRoom() && StartServing(socket);
    } catch (const std::bad_alloc&) {
      // Rejected, as if the table were full.
    }
  }
  if (!served) CloseSocket(socket);
}

bool ConnectionTable::HasRoom() {
  if (stopping_ || connections_.size() >= limits_.threads) return false;
  const auto served =
      std::count_if(connections_.begin(), connections_.end(),
                    [](const Connection& c) { return !c.cut(); });
  return static_cast<std::size_t>(served) < limits_.connections ||
         CutOneWaitingFor(0);
}

bool ConnectionTable::StartServing(SocketHandle socket) {
  const auto place = connections_.emplace(connections_.end(), *this, socket);
  place->waiting_since_ = Clock::System().Now();
  if (threads_.Run([this, place] { Run(place); })) return true;
  connections_.erase(place);
  return false;
}

void ConnectionTable::Run(Connections::iterator connection) {
  try {
    serve_(*connection);
  } catch (...) {
    // An error such as running out of memory ends only this connection.
  }
  // Frees what OpenSSL keeps for this thread: where it is linked statically on
  // Windows, it does not notice the end of a thread.
  OPENSSL_thread_stop();
  const MutexLock lock(mutex_);
  EndRendering(*connection);
  CloseSocket(connection->socket_);
  connections_.erase(connection);
  ended_.NotifyAll();
}

bool ConnectionTable::MakeRoom() {
  const MutexLock lock(mutex_);
  return CutOneWaitingFor(0);
}

/// Considers connections with at least `unsent` bytes of a response unsent.
bool ConnectionTable::CutOneWaitingFor(std::size_t unsent) {
  std::map<IpAddress, std::size_t> connections_of;
  for (const Connection& c : connections_) {
    if (!c.cut()) ++connections_of[c.client_];
  }
  Connection* chosen = nullptr;
  std::size_t most = 0;
  for (Connection& c : connections_) {
    if (c.cut() || !c.waiting_ || c.unsent_ < unsent) continue;
    const std::size_t count = connections_of[c.client_];
    if (count > most ||
        (count == most && c.waiting_since_ < chosen->waiting_since_)) {
      chosen = &c;
      most = count;
    }
  }
  if (chosen) Cut(*chosen);
  return chosen != nullptr;
}

void ConnectionTable::LimitUnsent() {
  for (;;) {
    std::size_t total = 0;
    std::size_t clients = 0;
    for (const Connection& c : connections_) {
      if (c.cut() || c.unsent_ == 0) continue;
      total += c.unsent_;
      ++clients;
    }
    // A single response may exceed the limit.
    if (total <= limits_.unsent_bytes || clients < 2) return;
    if (!CutOneWaitingFor(1)) return;
  }
}

void ConnectionTable::Cut(Connection& connection) {
  connection.cut_.store(true, std::memory_order_relaxed);
  // Wakes the thread on systems that do so; on others it polls cut().
  ShutDownSocket(connection.socket_);
}

void Connection::BeginWaiting(std::size_t unsent) {
  const MutexLock lock(table_.mutex_);
  table_.EndRendering(*this);
  // A client that reads slowly has been waited for since its first wait, and
  // one that has not asked for anything since it came: not since its thread
  // got a processor.
  const bool has_read_all = unsent == 0 && unsent_ > 0;
  if (!waiting_ || has_read_all) waiting_since_ = Clock::System().Now();
  waiting_ = true;
  unsent_ = unsent;
  if (table_.stopping_ && unsent == 0) table_.Cut(*this);
  table_.LimitUnsent();
}

void Connection::EndWaiting() {
  const MutexLock lock(table_.mutex_);
  waiting_ = false;
  unsent_ = 0;
}

void Connection::BeginRendering() {
  const MutexLock lock(table_.mutex_);
  while (table_.rendering_ >= table_.limits_.renderings) {
    table_.rendered_.Wait(table_.mutex_);
  }
  ++table_.rendering_;
  rendering_ = true;
}

void ConnectionTable::EndRendering(Connection& connection) {
  if (!connection.rendering_) return;
  connection.rendering_ = false;
  --rendering_;
  rendered_.NotifyOne();  // all waiting threads are equal
}

void ConnectionTable::Stop(SteadyTime deadline) {
  const MutexLock lock(mutex_);
  stopping_ = true;
  for (Connection& c : connections_) {
    if (c.waiting_ && c.unsent_ == 0) Cut(c);
  }
  while (!connections_.empty()) {
    if (!ended_.WaitUntil(mutex_, deadline)) break;
  }
  for (Connection& c : connections_) Cut(c);
}

}  // namespace echo_exporter
