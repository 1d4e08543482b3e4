#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "tests/http/http_server_fixture.h"
#include "tests/support/latch.h"
#include "tests/support/raw_http_client.h"

namespace echo_exporter {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr const char* kRequest = "GET /long HTTP/1.1\r\nHost: a\r\n\r\n";

// Behind the last chunk.
constexpr const char* kEndOfBody = "\r\n0\r\n\r\n";

// Larger than what the systems hold for a client that does not read.
constexpr std::size_t kLargeBody = std::size_t{32} * 1024 * 1024;

class HttpServerRobustnessTest : public HttpServerFixture {
 protected:
  using Clients = std::vector<std::unique_ptr<RawHttpClient>>;

  /// Clients that have sent `bytes` and stay.
  Clients Connect(int count, const std::string& bytes,
                  const char* source = "127.0.0.1") {
    Clients clients;
    for (int i = 0; i < count; ++i) {
      clients.push_back(std::make_unique<RawHttpClient>(port_, 0, source));
      EXPECT_TRUE(clients.back()->connected()) << i;
      clients.back()->Send(bytes);
    }
    return clients;
  }

  /// A client that has asked for the long page, and reads no more of them than
  /// the beginning.
  std::unique_ptr<RawHttpClient> ConnectSlowReader() {
    auto client = std::make_unique<RawHttpClient>(port_, 4096);
    EXPECT_TRUE(client->Send(kRequest));
    EXPECT_NE(client->ReadUntil("\r\n\r\n").find("200 OK"), std::string::npos);
    return client;
  }

  void ServeLargeBody() {
    write_ = [](const TextSink& sink) {
      const std::string piece(kLargeBody / 512, 'a');
      for (int i = 0; i < 512 && sink(piece); ++i) {
      }
    };
    held_bytes_ = kLargeBody;
    limits_.stop_timeout = milliseconds(1);
    Serve();
  }
};

TEST_F(HttpServerRobustnessTest, AnswersBesideHundredsOfHalfRequests) {
  Serve();
  const Clients clients = Connect(300, "G");
  EXPECT_TRUE(IsServing());
}

TEST_F(HttpServerRobustnessTest, CutsTheLongestWaitingWhenThereIsNoRoom) {
  limits_.connections = 4;
  limits_.threads = 64;
  Serve();
  const Clients clients = Connect(12, "GET /lo");
  EXPECT_TRUE(IsServing());
  // In the order in which they came; the last ones have their places still.
  EXPECT_EQ(clients.front()->ReadToEnd(), "");
  EXPECT_TRUE(clients.front()->closed());
  clients.back()->Send("ng HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  EXPECT_NE(clients.back()->ReadToEnd().find("a 1\n"), std::string::npos);
}

TEST_F(HttpServerRobustnessTest, CutsThoseOfTheClientThatHasTheMost) {
  limits_.connections = 4;
  limits_.threads = 64;
  Serve();
  const Clients first = Connect(1, "GET /lo");
  const Clients many = Connect(12, "GET /lo", "127.0.0.2");
  EXPECT_EQ(many.front()->ReadToEnd(), "");
  first.front()->Send("ng HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  EXPECT_NE(first.front()->ReadToEnd().find("a 1\n"), std::string::npos);
}

TEST_F(HttpServerRobustnessTest, CutsNoRequestThatIsWorkedOn) {
  limits_.connections = 2;
  Latch working(2);
  std::promise<void> release;
  respond_ = [&, released = release.get_future().share()](const HttpRequest&) {
    working.count_down();
    released.wait();
    return HttpResponse{.body = "done"};
  };
  Serve();
  const Clients clients =
      Connect(2, "GET /short HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  working.wait();
  RawHttpClient refused(port_);
  EXPECT_EQ(refused.ReadToEnd(), "");
  release.set_value();
  for (const auto& client : clients) {
    EXPECT_TRUE(client->ReadToEnd().ends_with("done"));
  }
}

TEST_F(HttpServerRobustnessTest, SurvivesClientsThatVanish) {
  Serve();
  for (int i = 0; i < 50; ++i) {
    Connect(1, i % 2 == 0 ? kRequest : "");
  }
  EXPECT_TRUE(IsServing());
}

TEST_F(HttpServerRobustnessTest, GivesAHeadAsAWholeATime) {
  limits_.receive_timeout = milliseconds(300);
  Serve();
  RawHttpClient client(port_);
  client.Send("GET /long HTTP/1.1\r\nHost: a\r\nX: ");
  // Each byte is in time; all together never come to an end.
  while (!client.WaitForServer(milliseconds(5))) client.Send("aaaaaaaa");
  EXPECT_TRUE(client.ReadToEnd().starts_with("HTTP/1.1 408 "));
  EXPECT_TRUE(client.closed());
}

TEST_F(HttpServerRobustnessTest, ClosesConnectionsThatSendNothing) {
  limits_.receive_timeout = milliseconds(50);
  Serve();
  const Clients clients = Connect(1, "");
  EXPECT_EQ(clients[0]->ReadToEnd(), "");
  EXPECT_TRUE(clients[0]->closed());
}

TEST_F(HttpServerRobustnessTest, ClosesConnectionsThatAskForNothingMore) {
  limits_.idle_timeout = milliseconds(50);
  Serve();
  const Clients idle = Connect(1, kRequest);
  EXPECT_TRUE(idle[0]->ReadToEnd().ends_with(kEndOfBody));
  EXPECT_TRUE(idle[0]->closed());
}

TEST_F(HttpServerRobustnessTest, DoesNotLetASlowReaderHoldUpOthers) {
  ServeLargeBody();
  const auto slow = ConnectSlowReader();
  const auto result = Get("/long");
  ASSERT_TRUE(result);
  EXPECT_EQ(result->body.size(), kLargeBody);
  EXPECT_EQ(WaitForCounts(1).size(), 1u);  // the slow one has not ended
}

TEST_F(HttpServerRobustnessTest, GivesAnAnswerAsAWholeATime) {
  limits_.send_timeout = milliseconds(100);
  ServeLargeBody();
  const auto slow = ConnectSlowReader();
  EXPECT_EQ(WaitForCounts(1), (std::vector<Count>{{"/long", 200}}));
  EXPECT_LT(slow->ReadToEnd().size(), kLargeBody);
  EXPECT_TRUE(slow->closed());
}

TEST_F(HttpServerRobustnessTest, LimitsWhatSlowReadersLeaveUnread) {
  limits_.unsent_bytes = kLargeBody;
  limits_.send_timeout = std::chrono::hours(1);
  ServeLargeBody();
  // A large answer counts as a quarter of the limit and what is unsent of it:
  // four are too many, as soon as the last of them waits.
  Clients clients;
  for (int i = 0; i < 4; ++i) clients.push_back(ConnectSlowReader());
  // None of them reads and there is no other limit, so only a cut ends one.
  EXPECT_EQ(WaitForCounts(1), (std::vector<Count>{{"/long", 200}}));
}

TEST_F(HttpServerRobustnessTest, RendersForSeveralClientsAtOnce) {
  Latch both(2);
  write_ = Writing([&both] {
    both.arrive_and_wait();
    return std::string("a 1\n");
  });
  Serve();
  const Clients clients = Connect(2, kRequest);
  for (const auto& client : clients) {
    EXPECT_NE(client->ReadUntil("a 1\n").find("a 1\n"), std::string::npos);
  }
}

TEST_F(HttpServerRobustnessTest, StopsWithHundredsOfIdleConnections) {
  limits_.idle_timeout = limits_.receive_timeout = std::chrono::hours(1);
  limits_.stop_timeout = std::chrono::hours(1);
  Serve();
  const Clients silent = Connect(100, "");
  const Clients half = Connect(100, "GET /long HTTP/1.1\r\nHost: a\r\n");
  const Clients idle = Connect(100, kRequest);
  for (const auto& client : idle) client->ReadUntil("a 1\n");
  server_->Stop();
  for (const auto& client : silent) EXPECT_EQ(client->ReadToEnd(), "");
}

TEST_F(HttpServerRobustnessTest, StopFinishesRequestsUnderWay) {
  limits_.stop_timeout = std::chrono::hours(1);
  Latch working(1);
  std::promise<void> release;
  write_ = Writing([&, released = release.get_future().share()] {
    working.count_down();
    released.wait();
    return std::string("the end\n");
  });
  Serve();
  RawHttpClient client(port_);
  client.Send(kRequest);
  working.wait();
  auto stopped = std::async(std::launch::async, [this] { server_->Stop(); });
  // New clients are refused long before the answer is ready.
  while (RawHttpClient(port_).connected()) {
  }
  release.set_value();
  EXPECT_TRUE(client.ReadToEnd().ends_with("the end\n\r\n0\r\n\r\n"));
  stopped.wait();
}

TEST_F(HttpServerRobustnessTest, StopDoesNotWaitForEver) {
  limits_.stop_timeout = milliseconds(1);
  Latch working(1);
  std::promise<void> release;
  write_ = Writing([&, released = release.get_future().share()] {
    working.count_down();
    released.wait();
    return std::string("too late\n");
  });
  Serve();
  RawHttpClient client(port_);
  client.Send(kRequest);
  working.wait();
  server_->Stop();
  EXPECT_FALSE(client.ReadToEnd().ends_with(kEndOfBody));
  server_->Stop();
  release.set_value();
  server_.reset();
}

TEST_F(HttpServerRobustnessTest, StartsAndStopsInAnyOrder) {
  Serve();
  server_->Start();
  EXPECT_TRUE(IsServing());
  server_->Stop();
  server_->Stop();
  server_->Start();
  EXPECT_FALSE(Get("/long"));

  Serve();  // destroys the first
  const auto never_started = Create({{"127.0.0.1", 0}});
  EXPECT_TRUE(never_started.ok());
}

}  // namespace
}  // namespace echo_exporter
