#include "src/http/connection_table.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <optional>
#include <string>

#include "src/http/listener.h"
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
    std::optional<SocketHandle> socket;
    while (!socket) {
      socket = listener_->Accept(std::chrono::milliseconds(100)).value();
    }
    table.Add(*socket);
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

}  // namespace
}  // namespace echo_exporter
