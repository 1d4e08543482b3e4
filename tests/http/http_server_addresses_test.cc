#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/http/http_server_fixture.h"
#include "tests/support/client_socket.h"
#include "tests/support/raw_http_client.h"

namespace echo_exporter {
namespace {

class HttpServerAddressesTest : public HttpServerFixture {
 protected:
  /// `host`: as in a URL.
  static bool Serves(const std::string& host, int port) {
    const auto response =
        HttpClient("http://" + host + ":" + std::to_string(port)).Get("/short");
    return response && response->status == 200;
  }

  static bool HasIpv6() { return CanShareAddress("::1", 0); }
};

TEST_F(HttpServerAddressesTest, ServesOnEveryAddress) {
  auto server = Create({{"127.0.0.1", 0}, {"127.0.0.1", 0}});
  ASSERT_TRUE(server.ok()) << server.error().message;
  server.value()->Start();
  const auto urls = server.value()->Urls();
  ASSERT_EQ(urls.size(), 2u);
  EXPECT_NE(urls[0], urls[1]);
  for (const std::string& url : urls) {
    EXPECT_TRUE(url.starts_with("http://127.0.0.1:")) << url;
    EXPECT_TRUE(Serves("127.0.0.1", PortOf(url))) << url;
  }
}

TEST_F(HttpServerAddressesTest, ServesOnIpv6) {
  if (!HasIpv6()) GTEST_SKIP() << "this machine has no ::1";
  auto server = Create({{"::1", 0}});
  ASSERT_TRUE(server.ok()) << server.error().message;
  server.value()->Start();
  const std::string url = server.value()->Urls().at(0);
  EXPECT_TRUE(url.starts_with("http://[::1]:")) << url;
  EXPECT_TRUE(Serves("[::1]", PortOf(url)));
}

TEST_F(HttpServerAddressesTest, TakesNoHostForAllInterfaces) {
  auto server = Create({{"", 0}});
  ASSERT_TRUE(server.ok()) << server.error().message;
  server.value()->Start();
  const std::string url = server.value()->Urls().at(0);
  EXPECT_TRUE(url.starts_with("http://127.0.0.1:")) << url;
  EXPECT_TRUE(Serves("127.0.0.1", PortOf(url)));
  if (HasIpv6()) {
    EXPECT_TRUE(Serves("[::1]", PortOf(url)));
  }
}

// Else all IPv4 clients would be one IPv6 network.
TEST_F(HttpServerAddressesTest, KnowsIpv4ClientsOfASocketOfBothVersions) {
  std::optional<IpAddress> client;
  respond_ = [&client](const HttpRequest& request) {
    client = request.client;
    return HttpResponse();
  };
  auto server = Create({{"", 0}});
  ASSERT_TRUE(server.ok()) << server.error().message;
  server.value()->Start();
  const int port = PortOf(server.value()->Urls().at(0));
  ASSERT_TRUE(Serves("127.0.0.1", port));
  EXPECT_EQ(client, IpAddress::V4({127, 0, 0, 1}));
}

TEST_F(HttpServerAddressesTest, ServesBothWildcardsOnOnePort) {
  if (!HasIpv6()) GTEST_SKIP() << "this machine has no ::1";
  auto first = Create({{"0.0.0.0", 0}});
  ASSERT_TRUE(first.ok()) << first.error().message;
  const int port = PortOf(first.value()->Urls().at(0));
  auto second = Create({{"::", static_cast<std::uint16_t>(port)}});
  EXPECT_TRUE(second.ok()) << second.error().message;
}

TEST_F(HttpServerAddressesTest, FailsNamingTheAddressThatIsTaken) {
  Serve();
  const auto second = Create(
      {{"127.0.0.1", 0}, {"127.0.0.1", static_cast<std::uint16_t>(port_)}});
  ASSERT_FALSE(second.ok());
  const std::string prefix =
      "listening on 127.0.0.1:" + std::to_string(port_) + ": ";
  const std::string& message = second.error().message;
  EXPECT_TRUE(message.starts_with(prefix)) << message;
  EXPECT_GT(message.size(), prefix.size() + 10) << message;
  EXPECT_TRUE(message.ends_with(")")) << message;
  EXPECT_TRUE(Serves("127.0.0.1", port_));
}

TEST_F(HttpServerAddressesTest, SharesItsPortWithNoOneWhoAsksToShare) {
  Serve();
  EXPECT_FALSE(CanShareAddress("127.0.0.1", port_));
}

TEST_F(HttpServerAddressesTest, FailsForAnAddressOfAnotherMachine) {
  const auto server = Create({{"192.0.2.1", 0}});
  ASSERT_FALSE(server.ok());
  EXPECT_TRUE(server.error().message.starts_with("listening on 192.0.2.1:0: "))
      << server.error().message;
}

TEST_F(HttpServerAddressesTest, FailsForANameThatDoesNotResolve) {
  const auto server = Create({{"no such host", 10115}});
  ASSERT_FALSE(server.ok());
  EXPECT_EQ(server.error().message,
            "listening on no such host:10115: this machine has no such "
            "address");
}

TEST_F(HttpServerAddressesTest, TakesTheSamePortAgainAfterARestart) {
  Serve();
  RawHttpClient client(port_);
  client.Send("GET /long HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  client.ReadToEnd();  // the server has closed first: its side lingers
  server_.reset();
  const auto again = Create({{"127.0.0.1", static_cast<std::uint16_t>(port_)}});
  EXPECT_TRUE(again.ok()) << again.error().message;
}

}  // namespace
}  // namespace echo_exporter
