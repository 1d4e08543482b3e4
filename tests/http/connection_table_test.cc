#include "src/http/connection_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <thread>

#include "src/http/socket.h"
#include "tests/support/latch.h"
#include "tests/support/raw_http_client.h"

namespace echo_exporter {
namespace {

class ConnectionTableTest : public testing::Test {
 protected:
  /// A client of a listener, and the server's end of the connection.
  std::unique_ptr<RawHttpClient> Connect(ConnectionTable& table) {
    const std::string& url = listener_->url();
    auto client = std::make_unique<RawHttpClient>(
        std::stoi(url.substr(url.rfind(':') + 1)));
    SocketHandle socket = kNoSocket;
    while (socket == kNoSocket) {
      WaitForSocket(listener_->socket(), SocketEvent::kReadable,
                    std::chrono::milliseconds(100));
      socket = AcceptClient(listener_->socket());
    }
    table.Add(socket);
    return client;
  }

  const std::unique_ptr<Listener> listener_ =
      Listener::Open({"127.0.0.1", 0}, "http").value();
  HttpLimits limits_;
};

// As when memory ran out while it was served.
TEST_F(ConnectionTableTest, DoesNotCountWhatAClientThatIsGoneLeftUnread) {
  limits_.unsent_bytes = 150;
  std::atomic<int> served = 0;
  Latch both_there(2);
  Latch first_gone(1);
  std::atomic<bool> cut = true;
  ConnectionTable table(limits_, [&](Connection& connection) {
    const bool first = ++served == 1;
    if (first) {
      connection.BeginWaiting(200);  // a single answer may be as large
      both_there.arrive_and_wait();
    } else {
      both_there.arrive_and_wait();
      first_gone.wait();
      connection.BeginWaiting(100);
      cut = connection.cut();
    }
  });
  const auto first = Connect(table);
  while (served == 0) {
  }
  const auto second = Connect(table);
  EXPECT_EQ(first->ReadToEnd(), "");
  first_gone.count_down();
  EXPECT_EQ(second->ReadToEnd(), "");
  EXPECT_FALSE(cut);
}

TEST_F(ConnectionTableTest,
       HasWaitedSinceAClientCameHoweverLateItsThreadBegins) {
  limits_.connections = 2;
  std::atomic<int> served = 0;
  std::atomic<int> cut = 0;
  Latch second_waits(1);
  Latch both_wait(1);
  Latch third_there(1);
  Latch both_ended(2);
  ConnectionTable table(limits_, [&](Connection& connection) {
    const int number = ++served;
    if (number == 1) {
      second_waits.wait();
      connection.BeginWaiting();
      both_wait.count_down();
    } else if (number == 2) {
      connection.BeginWaiting();
      second_waits.count_down();
    } else {
      return;
    }
    third_there.wait();
    if (connection.cut()) cut = number;
    both_ended.count_down();
  });
  const auto first = Connect(table);
  while (served < 1) {
  }
  const auto second = Connect(table);
  both_wait.wait();
  const auto third = Connect(table);
  third_there.count_down();
  both_ended.wait();
  EXPECT_EQ(cut, 1);
}

TEST_F(ConnectionTableTest, RendersForNoMoreAtOnceThanItMay) {
  limits_.renderings = 1;
  std::atomic<int> rendering = 0;
  std::atomic<int> most = 0;
  std::atomic<int> served = 0;
  ConnectionTable table(limits_, [&](Connection& connection) {
    for (int i = 0; i < 1000; ++i) {
      connection.EndWaiting();
      connection.BeginRendering();
      ++rendering;
      std::this_thread::yield();  // to the other, which must not be here
      most = std::max<int>(rendering, most);
      --rendering;
      // Now by the wait for a client, and at last by the end of the connection.
      if (i < 999) connection.BeginWaiting(i % 2);
    }
    ++served;
  });
  const auto first = Connect(table);
  const auto second = Connect(table);
  EXPECT_EQ(first->ReadToEnd(), "");
  EXPECT_EQ(second->ReadToEnd(), "");
  EXPECT_EQ(served, 2);
  EXPECT_EQ(most, 1);
}

}  // namespace
}  // namespace echo_exporter
