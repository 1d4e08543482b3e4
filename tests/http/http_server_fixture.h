#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "echo_exporter/http_server.h"
#include "tests/support/http_client.h"

namespace echo_exporter {

/// A server on a free port of 127.0.0.1. It has a short page, a long one that
/// is written piece by piece, and one for POST; a test changes what they say
/// before it calls Serve().
class HttpServerFixture : public testing::Test {
 protected:
  HttpServerFixture() {
    // No test is to depend on how soon a busy machine goes on.
    limits_.receive_timeout = limits_.send_timeout = limits_.idle_timeout =
        std::chrono::hours(1);
  }

  /// What the observer was told: route and status.
  using Count = std::pair<std::string, int>;

  /// A writer of a long page that writes what `make` gives.
  static std::function<void(const TextSink&)> Writing(
      std::function<std::string()> make) {
    return [make = std::move(make)](const TextSink& sink) { sink(make()); };
  }

  Result<std::unique_ptr<HttpServer>> Create(
      const std::vector<ListenAddress>& addresses,
      std::shared_ptr<WebSecurity> security = nullptr) {
    std::vector<HttpRoute> routes;
    routes.push_back({.path = "/short", .handler = respond_});
    routes.push_back({.path = "/long", .handler = [this](const HttpRequest&) {
                        return HttpResponse{.content_type = "text/x-long",
                                            .write_body = write_,
                                            .held_bytes = held_bytes_};
                      }});
    routes.push_back(
        {.path = "/post", .methods = {"POST"}, .handler = respond_});
    return HttpServer::Create(addresses, std::move(routes), limits_,
                              std::move(security),
                              [this](std::string_view route, int status) {
                                const std::lock_guard<std::mutex> lock(mutex_);
                                counts_.emplace_back(route, status);
                                counted_.notify_all();
                              });
  }

  void Serve(std::shared_ptr<WebSecurity> security = nullptr) {
    auto server = Create({{"127.0.0.1", 0}}, std::move(security));
    ASSERT_TRUE(server.ok()) << server.error().message;
    server_ = std::move(server).value();
    url_ = server_->Urls().at(0);
    port_ = PortOf(url_);
    server_->Start();
  }

  static int PortOf(const std::string& url) {
    return std::stoi(url.substr(url.rfind(':') + 1));
  }

  std::optional<ReceivedResponse> Get(const std::string& target,
                                      const HttpHeaders& headers = {}) const {
    return HttpClient(url_).Get(target, headers);
  }

  bool IsServing() const {
    const auto response = Get("/long");
    return response && response->status == 200;
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

  /// Of the short page, and of POST.
  std::function<HttpResponse(const HttpRequest&)> respond_ =
      [](const HttpRequest&) { return HttpResponse::Text(200, "Hello"); };
  std::function<void(const TextSink&)> write_ =
      Writing([] { return std::string("a 1\n"); });
  std::size_t held_bytes_ = 0;
  HttpLimits limits_;
  std::unique_ptr<HttpServer> server_;
  std::string url_;
  int port_ = 0;
};

}  // namespace echo_exporter
