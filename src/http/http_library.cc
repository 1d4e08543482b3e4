#include "src/http/http_library.h"

#include <httplib.h>
#include <openssl/bio.h>
#include <openssl/err.h>

#include <algorithm>
#include <cstdint>
#include <exception>
#include <memory>
#include <string_view>
#include <utility>

#include "src/http/connection_stream.h"

namespace echo_exporter {
namespace {

// The server.

/// The head as httplib is to see it: without what it would interpret in another
/// way (it decodes the values of headers) or answer differently, such as ranges
/// (optional by RFC 9110 section 14.2) and protocol upgrades.
std::string ForLibrary(const RequestHead& head) {
  std::string text = head.method + ' ' + head.target +
                     (head.is_http10 ? " HTTP/1.0\r\n" : " HTTP/1.1\r\n");
  if (head.HasToken("Expect", "100-continue")) {
    text += "Expect: 100-continue\r\n";
  }
  return text + "\r\n";
}

/// Anything that httplib rejects as no request.
constexpr std::string_view kNoRequest = "\r\n\r\n";

/// A connection as httplib sees it: with one head to read, and no body.
class StreamAdapter final : public httplib::Stream {
 public:
  explicit StreamAdapter(LibraryExchange& exchange) : exchange_(exchange) {}

  void SetHead(std::string head) {
    head_ = std::move(head);
    read_ = 0;
  }

  // write() waits itself, until its deadline.
  bool is_readable() const override { return exchange_.IsOpen(); }
  bool wait_readable() const override { return exchange_.IsOpen(); }
  bool wait_writable() const override { return exchange_.IsOpen(); }
  time_t duration() const override { return 0; }

  ssize_t read(char* data, size_t size) override {
    const std::size_t taken = head_.copy(data, size, read_);
    read_ += taken;
    return static_cast<ssize_t>(taken);
  }
  ssize_t write(const char* data, size_t size) override {
    return exchange_.Write(data, size) ? static_cast<ssize_t>(size) : -1;
  }

  // Requests carry no addresses: handlers get the connection's.
  void get_remote_ip_and_port(std::string&, int&) const override {}
  void get_local_ip_and_port(std::string&, int&) const override {}
  socket_t socket() const override {
    return static_cast<socket_t>(exchange_.socket());
  }

 private:
  LibraryExchange& exchange_;
  std::string head_;
  std::size_t read_ = 0;
};

// httplib's own limits, whose errors are less precise, must not apply before
// ours.
static_assert(ConnectionStream::kMaxHeadBytes <=
              std::min({CPPHTTPLIB_REQUEST_URI_MAX_LENGTH,
                        CPPHTTPLIB_HEADER_MAX_LENGTH,
                        CPPHTTPLIB_MAX_LINE_LENGTH}) +
                  1);

// Implementation notes. httplib::Server calls the handlers and writes responses
// (process_request). It gets heads that were read and checked here, because it
// is lenient where programs in front of it may not be. Its listener is not
// used, because a) it stops permanently when accept() fails with any but a few
// errors, and on Windows a client can cause another one by a reset; b) its
// timeouts are per read, so that a client that sends a byte now and then
// occupies a thread without limit; c) an idle keep-alive connection polls 100
// times a second; d) its backlog is 5 and, on Windows, other processes can bind
// the same port.
//
// Each session is an httplib::Server of its own, so that the callbacks below
// know which connection they serve; the cost is a few empty containers per
// connection.

class Server final : public LibraryServer, private httplib::Server {
 public:
  explicit Server(LibraryExchange& exchange);

  bool Respond(const RequestHead* head, bool last) override;

 private:
  static void Fill(LibraryResponse content, httplib::Response* response);

  LibraryExchange& exchange_;
  StreamAdapter adapter_;
};

Server::Server(LibraryExchange& exchange)
    : exchange_(exchange), adapter_(exchange) {
  using httplib::Request;
  using httplib::Response;
  // Without a listening socket, httplib assumes that it is shutting down and
  // writes no chunks.
  svr_sock_ = adapter_.socket();
  set_pre_routing_handler([this](const Request& request, Response& response) {
    Fill(exchange_.Respond({request.method, request.path, request.target}),
         &response);
    return HandlerResponse::Handled;
  });
  set_expect_100_continue_handler([](const Request&, Response& response) {
    response.status = 417;
    return 0;  // neither 100 nor 417: the response, then the end
  });
  set_exception_handler(
      [](const Request&, Response& response, const std::exception_ptr&) {
        response.status = 500;
      });
  set_error_handler([this](const Request&, Response& response) {
    if (response.body.empty()) {
      Fill(exchange_.Explain(response.status), &response);
    }
    return HandlerResponse::Handled;
  });
  set_post_routing_handler([this](const Request&, Response& response) {
    // Ranges are not supported, and httplib would close the connection after
    // every error.
    for (const char* name : {"Accept-Ranges", "Keep-Alive", "Connection"}) {
      response.headers.erase(name);
    }
    for (const auto& [name, value] : exchange_.FinalHeaders()) {
      response.headers.erase(name);
      response.set_header(name, value);
    }
  });
  // httplib calls it before the response is sent.
  set_logger([this](const Request& request, const Response& response) {
    exchange_.OnResponse(request.path, response.status);
  });
}

bool Server::Respond(const RequestHead* head, bool last) {
  adapter_.SetHead(head != nullptr ? ForLibrary(*head)
                                   : std::string(kNoRequest));
  bool closed = false;
  const bool responded = process_request(
      adapter_, "", 0, "", 0, last, closed,
      [&](httplib::Request&) { exchange_.BeginResponse(last || closed); });
  return responded && !closed;
}

void Server::Fill(LibraryResponse content, httplib::Response* response) {
  response->status = content.status;
  for (const auto& [name, value] : content.headers) {
    response->set_header(name, value);
  }
  if (!content.write_body) {
    response->set_header("Content-Type", content.content_type);
    response->body = std::move(content.body);
    return;
  }
  const auto provide = [write = std::move(content.write_body)](
                           std::size_t, httplib::DataSink& client) {
    const bool complete = write([&client](std::string_view piece) {
      return client.write(piece.data(), piece.size());
    });
    if (complete) client.done();
    return complete;
  };
  if (content.chunked) {
    response->set_chunked_content_provider(content.content_type, provide);
  } else {
    response->set_content_provider(content.content_type, provide);
  }
}

// The client.

std::string Authority(const HttpUrl& url, const std::string& host) {
  const bool has_colon = host.find(':') != std::string::npos;
  return (has_colon ? "[" + host + "]" : host) + ":" + std::to_string(url.port);
}

/// The numeric addresses of a host, in the order to try them.
std::vector<std::string> NumericAddresses(const HttpUrl& url) {
  std::vector<std::string> addresses;
  BIO_ADDRINFO* found = nullptr;
  if (BIO_lookup_ex(url.host.c_str(), nullptr, BIO_LOOKUP_CLIENT, AF_UNSPEC,
                    SOCK_STREAM, 0, &found) != 1) {
    ERR_clear_error();
    return addresses;
  }
  const std::unique_ptr<BIO_ADDRINFO, void (*)(BIO_ADDRINFO*)> owner(
      found, &BIO_ADDRINFO_free);
  for (; found != nullptr;
       found = const_cast<BIO_ADDRINFO*>(BIO_ADDRINFO_next(found))) {
    const std::unique_ptr<char, void (*)(char*)> text(
        BIO_ADDR_hostname_string(BIO_ADDRINFO_address(found), 1),
        [](char* memory) { OPENSSL_free(memory); });
    if (text) addresses.emplace_back(text.get());
  }
  return addresses;
}

bool IsConnectionFault(httplib::Error error) {
  return error == httplib::Error::Connection ||
         error == httplib::Error::ConnectionTimeout;
}

/// Why there is no answer; `is_late`: its time is over. `proxy`: empty: none.
std::string CauseOf(const httplib::Result& result, const HttpUrl& url,
                    const std::string& proxy, bool is_late) {
  const std::string server = Authority(url, url.host);
  const std::string peer = proxy.empty() ? server : "the proxy " + proxy;
  switch (result.error()) {
    case httplib::Error::Connection:
      return "cannot connect to " + peer;
    case httplib::Error::ConnectionTimeout:
      return "connecting to " + peer + ": time-out";
    case httplib::Error::ProxyConnection:
      return "cannot connect to " + server + " through the proxy";
    case httplib::Error::Read:
      if (!is_late) {
        return server + " ends the connection, or its answer is not valid HTTP";
      }
      [[fallthrough]];
    case httplib::Error::Timeout:
      return server + " does not answer in time";
    case httplib::Error::SSLLoadingCerts:
      return "ca_file has no certificates in the PEM format, or cannot be read";
    case httplib::Error::SSLServerVerification:
      return "the certificate of " + server + " is not trusted: " +
             httplib::tls::TlsError::verify_error_to_string(
                 static_cast<long>(result.ssl_backend_error()));
    case httplib::Error::SSLServerHostnameVerification:
      return "the certificate of " + server + " is for another host";
    case httplib::Error::SSLConnection:
      return "no TLS connection to " + server;
    default:
      return server + ": " + httplib::to_string(result.error());
  }
}

class Client final : public LibraryClient {
 public:
  Client(const HttpGet& request, const HttpUrl& url)
      : request_(request), url_(url) {
    const bool renamed = url.is_tls && !request.server_name.empty();
    // What is in the certificate is the host of the library, which is told
    // where that is, and what is asked for.
    host_ = renamed ? request.server_name : url.host;
    client_ = std::make_unique<httplib::Client>(
        (url.is_tls ? "https://" : "http://") + Authority(url, host_),
        request.cert_file, request.key_file);
    if (!request.ca_file.empty()) {
      client_->set_ca_cert_path(request.ca_file);
    }
    if (const auto proxy = HttpUrl::Parse(request.proxy_url)) {
      client_->set_proxy(proxy->host, proxy->port);
      proxy_ = Authority(*proxy, proxy->host);
    } else {
      addresses_ = NumericAddresses(url);
    }
    client_->set_path_encode(false);
    client_->set_keep_alive(false);
  }

  bool is_valid() const { return client_->is_valid(); }

  Result<HttpAnswer> Get(const std::string& path, SteadyTime deadline,
                         std::string* location) override {
    if (proxy_.empty() && addresses_.empty()) {
      return Unavailable(Authority(url_, url_.host) +
                         ": the host name has no address");
    }
    httplib::Headers headers(request_.headers.begin(), request_.headers.end());
    const bool is_default_port = url_.port == (url_.is_tls ? 443 : 80);
    std::string host = Authority(url_, url_.host);
    if (is_default_port) host.resize(host.rfind(':'));
    headers.emplace("Host", host);
    headers.emplace("Accept-Encoding", "gzip");
    HttpAnswer answer;
    bool too_large = false;
    const auto send = [&] {
      return client_->Get(
          path, headers, [&](const char* data, std::size_t size) {
            too_large = size > request_.max_bytes - answer.body.size();
            if (!too_large) answer.body.append(data, size);
            return !too_large;
          });
    };
    Prepare(deadline);
    auto result = send();
    while (IsConnectionFault(result.error()) &&
           address_ + 1 < addresses_.size() &&
           Clock::System().Now() < deadline) {
      ++address_;
      Prepare(deadline);
      result = send();
    }
    if (too_large) {
      return Unavailable("the answer has more than " +
                         std::to_string(request_.max_bytes) + " bytes");
    }
    if (!result) {
      // The library counts whole milliseconds.
      const bool is_late =
          Clock::System().Now() >= deadline - std::chrono::milliseconds(2);
      return Unavailable(CauseOf(result, url_, proxy_, is_late));
    }
    answer.status = result->status;
    answer.content_type = result->get_header_value("Content-Type");
    answer.etag = result->get_header_value("ETag");
    *location = result->get_header_value("Location");
    if (answer.status != 200) answer.body.clear();
    return answer;
  }

 private:
  /// For a request to the next address.
  void Prepare(SteadyTime deadline) {
    const auto limit = std::chrono::ceil<std::chrono::milliseconds>(
        deadline - Clock::System().Now());
    // Addresses that do not answer leave time for the others.
    auto to_connect = limit;
    if (proxy_.empty()) {
      client_->set_hostname_addr_map({{host_, addresses_[address_]}});
      to_connect /= static_cast<std::int64_t>(addresses_.size() - address_);
    }
    client_->set_connection_timeout(to_connect);
    client_->set_read_timeout(limit);
    client_->set_write_timeout(limit);
    client_->set_max_timeout(limit);
  }

  const HttpGet& request_;
  const HttpUrl& url_;
  std::string host_;
  std::unique_ptr<httplib::Client> client_;
  std::string proxy_;                   ///< empty: none
  std::vector<std::string> addresses_;  ///< numeric; none with a proxy
  std::size_t address_ = 0;             ///< the one to try
};

}  // namespace

std::unique_ptr<LibraryServer> CreateLibraryServer(LibraryExchange& exchange) {
  return std::make_unique<Server>(exchange);
}

Error Unavailable(const std::string& cause) {
  return {ErrorCode::kUnavailable, cause};
}

std::string StatusWords(int status) { return httplib::status_message(status); }

std::unique_ptr<LibraryClient> CreateLibraryClient(const HttpGet& request,
                                                   const HttpUrl& url) {
  auto client = std::make_unique<Client>(request, url);
  if (!client->is_valid()) return nullptr;
  return client;
}

}  // namespace echo_exporter
