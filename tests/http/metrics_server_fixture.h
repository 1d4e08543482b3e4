#ifndef ECHO_EXPORTER_TESTS_HTTP_METRICS_SERVER_FIXTURE_H_
#define ECHO_EXPORTER_TESTS_HTTP_METRICS_SERVER_FIXTURE_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "echo_exporter/metrics_server.h"
#include "src/http/http_library.h"
#include "src/http/http_metrics_server.h"

namespace echo_exporter {

/// A server on a free port of 127.0.0.1 whose handlers a test replaces before
/// it calls Serve().
class MetricsServerFixture : public testing::Test {
 protected:
  /// What on_request was told: handler and status.
  using Count = std::pair<std::string, int>;

  MetricsServerFixture() {
    handlers_.metrics = Writing([] { return std::string("a 1\n"); });
    handlers_.metrics_memory = [] { return std::size_t{0}; };
    handlers_.probe = [](const ProbeQuery&) { return HttpAnswer(); };
    handlers_.reload = [] { return HttpAnswer(); };
    handlers_.config = [] { return std::string("[web]\n"); };
    handlers_.not_ready_reason = [] { return std::string(); };
    handlers_.pair_count = [] { return std::size_t{0}; };
    handlers_.on_request = [this](std::string_view handler, int status) {
      const std::lock_guard<std::mutex> lock(mutex_);
      counts_.emplace_back(handler, status);
      counted_.notify_all();
    };
  }

  /// A handler of metrics that writes what `make` gives.
  static std::function<void(const TextSink&)> Writing(
      std::function<std::string()> make) {
    return [make = std::move(make)](const TextSink& sink) { sink(make()); };
  }

  void Serve() {
    auto server = CreateMetricsServer({{"127.0.0.1", 0}}, handlers_, limits_);
    ASSERT_TRUE(server.ok()) << server.error().message;
    server_ = std::move(server).value();
    port_ = PortOf(server_->Urls().at(0));
    server_->Start();
  }

  static int PortOf(const std::string& url) {
    return std::stoi(url.substr(url.rfind(':') + 1));
  }

  httplib::Result Get(const std::string& path) {
    return httplib::Client("127.0.0.1", port_).Get(path);
  }

  bool AnswersMetrics() {
    const auto result = Get("/metrics");
    return result && result->status == 200;
  }

  /// What was counted, in any order, once there are `size` of them.
  std::vector<Count> WaitForCounts(std::size_t size) {
    std::unique_lock<std::mutex> lock(mutex_);
    counted_.wait(lock, [&] { return counts_.size() >= size; });
    std::vector<Count> sorted = counts_;
    std::sort(sorted.begin(), sorted.end());
    return sorted;
  }

  std::mutex mutex_;
  std::condition_variable counted_;
  std::vector<Count> counts_;

  MetricsServerHandlers handlers_;
  HttpLimits limits_;
  std::unique_ptr<MetricsServer> server_;
  int port_ = 0;
};

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_TESTS_HTTP_METRICS_SERVER_FIXTURE_H_
