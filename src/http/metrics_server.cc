#include "echo_exporter/metrics_server.h"

#include <atomic>
#include <chrono>
#include <exception>
#include <optional>
#include <thread>
#include <utility>

#include "src/base/mutex.h"
#include "src/http/connection_table.h"
#include "src/http/http_metrics_server.h"
#include "src/http/http_session.h"
#include "src/http/listener.h"

namespace echo_exporter {
namespace {

// How soon Stop() is seen by the threads that accept connections.
constexpr std::chrono::milliseconds kAcceptPatience(100);

// After a failure to accept: the time for a connection cut to give back what
// the system lacks, and no busy loop whatever the reason.
constexpr std::chrono::milliseconds kAcceptPause(2);

/// One thread for each listen address, and one for each connection.
class HttpMetricsServer final : public MetricsServer {
 public:
  HttpMetricsServer(std::vector<std::unique_ptr<Listener>> listeners,
                    MetricsServerHandlers handlers, const HttpLimits& limits,
                    std::shared_ptr<WebSecurity> security);
  ~HttpMetricsServer() override { Stop(); }

  void Start() override;
  void Stop() override;
  std::vector<std::string> Urls() const override { return urls_; }

 private:
  void AcceptConnections(Listener& listener);

  const MetricsServerHandlers handlers_;
  const HttpLimits limits_;
  const std::shared_ptr<WebSecurity> security_;  ///< may be null
  std::vector<std::string> urls_;

  std::atomic<bool> stopping_{false};

  Mutex mutex_;
  std::vector<std::unique_ptr<Listener>> listeners_ GUARDED_BY(mutex_);
  std::vector<std::thread> acceptors_ GUARDED_BY(mutex_);

  // The last member: its destructor waits for the sessions, which use others.
  ConnectionTable connections_;
};

HttpMetricsServer::HttpMetricsServer(
    std::vector<std::unique_ptr<Listener>> listeners,
    MetricsServerHandlers handlers, const HttpLimits& limits,
    std::shared_ptr<WebSecurity> security)
    : handlers_(std::move(handlers)),
      limits_(limits),
      security_(std::move(security)),
      listeners_(std::move(listeners)),
      connections_(limits, [this](Connection& connection) {
        ServeHttp(connection, limits_, handlers_, security_.get());
      }) {
  for (const auto& listener : listeners_) urls_.push_back(listener->url());
}

void HttpMetricsServer::Start() {
  const MutexLock lock(mutex_);
  if (stopping_ || !acceptors_.empty()) return;
  for (const auto& listener : listeners_) {
    acceptors_.emplace_back(
        [this, &listener = *listener] { AcceptConnections(listener); });
  }
}

void HttpMetricsServer::Stop() {
  const MutexLock lock(mutex_);
  stopping_ = true;
  for (std::thread& acceptor : acceptors_) acceptor.join();
  acceptors_.clear();
  listeners_.clear();
  connections_.Stop(Clock::System().Now() + limits_.stop_timeout);
}

void HttpMetricsServer::AcceptConnections(Listener& listener) {
  while (!stopping_) {
    try {
      const auto client = listener.Accept(kAcceptPatience);
      if (client.ok()) {
        if (client.value()) connections_.Add(*client.value());
        continue;
      }
      // Others lose nothing to a client that has gone before it was accepted.
      if (client.error().code == ErrorCode::kExhausted) connections_.MakeRoom();
    } catch (const std::exception&) {
      // Want of memory ends no server.
    }
    std::this_thread::sleep_for(kAcceptPause);
  }
}

}  // namespace

Result<std::unique_ptr<MetricsServer>> CreateMetricsServer(
    const std::vector<ListenAddress>& addresses, MetricsServerHandlers handlers,
    const HttpLimits& limits, std::shared_ptr<WebSecurity> security) {
  const char* const scheme =
      security && security->uses_tls() ? "https" : "http";
  std::vector<std::unique_ptr<Listener>> listeners;
  for (const ListenAddress& address : addresses) {
    auto listener = Listener::Open(address, scheme);
    if (!listener.ok()) return listener.error();
    listeners.push_back(std::move(listener).value());
  }
  return std::unique_ptr<MetricsServer>(std::make_unique<HttpMetricsServer>(
      std::move(listeners), std::move(handlers), limits, std::move(security)));
}

Result<std::unique_ptr<MetricsServer>> MetricsServer::Create(
    const std::vector<ListenAddress>& addresses, MetricsServerHandlers handlers,
    std::shared_ptr<WebSecurity> security) {
  return CreateMetricsServer(addresses, std::move(handlers), HttpLimits(),
                             std::move(security));
}

}  // namespace echo_exporter
