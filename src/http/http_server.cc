#include "echo_exporter/http_server.h"

#include <atomic>
#include <chrono>
#include <exception>
#include <thread>
#include <utility>

#include "src/base/mutex.h"
#include "src/http/connection_table.h"
#include "src/http/http_session.h"
#include "src/http/socket.h"

namespace echo_exporter {
namespace {

// How soon the threads that accept connections notice Stop().
constexpr std::chrono::milliseconds kAcceptPatience(100);

// The pause after a failure to accept: lets an evicted connection release its
// resources, and prevents a busy loop whatever the cause.
constexpr std::chrono::milliseconds kAcceptPause(2);

/// One thread for each listen address, and one for each connection.
class ThreadedHttpServer final : public HttpServer {
 public:
  ThreadedHttpServer(std::vector<std::unique_ptr<Listener>> listeners,
                     std::vector<HttpRoute> routes, const HttpLimits& limits,
                     std::shared_ptr<WebSecurity> security,
                     RequestObserver on_request)
      : routes_(std::move(routes)),
        limits_(limits),
        security_(std::move(security)),
        on_request_(std::move(on_request)),
        listeners_(std::move(listeners)),
        connections_(limits, [this](Connection& connection) {
          ServeHttp(connection, {.limits = limits_,
                                 .routes = routes_,
                                 .security = security_.get(),
                                 .on_request = on_request_});
        }) {
    for (const auto& listener : listeners_) urls_.push_back(listener->url());
  }
  ~ThreadedHttpServer() override { Stop(); }

  void Start() override {
    const MutexLock lock(mutex_);
    if (stopping_ || !acceptors_.empty()) return;
    for (const auto& listener : listeners_) {
      acceptors_.emplace_back(
          [this, socket = listener->socket()] { AcceptConnections(socket); });
    }
  }

  void Stop() override {
    const MutexLock lock(mutex_);
    stopping_ = true;
    for (std::thread& acceptor : acceptors_) acceptor.join();
    acceptors_.clear();
    listeners_.clear();
    connections_.Stop(Clock::System().Now() + limits_.stop_timeout);
  }

  std::vector<std::string> Urls() const override { return urls_; }

 private:
  void AcceptConnections(SocketHandle listener);
  void AcceptOne(SocketHandle listener);

  const RouteTable routes_;
  const HttpLimits limits_;
  const std::shared_ptr<WebSecurity> security_;  ///< may be null
  const RequestObserver on_request_;
  std::vector<std::string> urls_;

  std::atomic<bool> stopping_{false};

  Mutex mutex_;
  std::vector<std::unique_ptr<Listener>> listeners_ GUARDED_BY(mutex_);
  std::vector<std::thread> acceptors_ GUARDED_BY(mutex_);

  // The last member: its destructor waits for the sessions, which use the
  // others.
  ConnectionTable connections_;
};

void ThreadedHttpServer::AcceptConnections(SocketHandle listener) {
  while (!stopping_) {
    try {
      AcceptOne(listener);
    } catch (const std::exception&) {
      // Running out of memory must not stop the server.
      std::this_thread::sleep_for(kAcceptPause);
    }
  }
}

void ThreadedHttpServer::AcceptOne(SocketHandle listener) {
  if (WaitForSocket(listener, SocketEvent::kReadable, kAcceptPatience) ==
      SocketState::kNotReady) {
    return;
  }
  const SocketHandle client = AcceptClient(listener);
  if (client != kNoSocket) return connections_.Add(client);
  if (SocketCallWouldBlock()) return;
  // A client that has disconnected before it was accepted must not cause an
  // eviction.
  if (SocketCallLacksMeans()) connections_.MakeRoom();
  std::this_thread::sleep_for(kAcceptPause);
}

}  // namespace

Result<std::unique_ptr<HttpServer>> HttpServer::Create(
    const std::vector<ListenAddress>& addresses, std::vector<HttpRoute> routes,
    const HttpLimits& limits, std::shared_ptr<WebSecurity> security,
    RequestObserver on_request) {
  const char* const scheme =
      security && security->uses_tls() ? "https" : "http";
  std::vector<std::unique_ptr<Listener>> listeners;
  for (const ListenAddress& address : addresses) {
    auto listener = Listener::Open(address, scheme);
    if (!listener.ok()) return listener.error();
    listeners.push_back(std::move(listener).value());
  }
  return std::unique_ptr<HttpServer>(std::make_unique<ThreadedHttpServer>(
      std::move(listeners), std::move(routes), limits, std::move(security),
      std::move(on_request)));
}

}  // namespace echo_exporter
