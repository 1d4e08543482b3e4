#include "src/http/http_session.h"

#include <httplib.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "src/base/condition_log.h"
#include "src/base/header_value.h"
#include "src/base/log.h"
#include "src/http/connection_stream.h"
#include "src/http/gzip_encoder.h"
#include "src/http/request_head.h"
#include "src/http/web_policy.h"

namespace echo_exporter {
namespace {

// Headers of every response, including errors.
constexpr std::array<std::pair<const char*, const char*>, 3> kSecurityHeaders =
    {{{"X-Content-Type-Options", "nosniff"},
      {"X-Frame-Options", "deny"},
      {"Referrer-Policy", "no-referrer"}}};

// Per connection, as announced in its Keep-Alive headers.
constexpr std::size_t kMaxRequests = 100;

/// Never destroyed: connections may outlive static objects.
ConditionLog& AbortedResponses() {
  static ConditionLog& log = *new ConditionLog({.level = LogLevel::kError,
                                                .begins = "response aborted",
                                                .subject = "error"});
  return log;
}

std::string ErrorSentence(int status) {
  switch (status) {
    case 400:
      return "The request is not valid HTTP/1.1.";
    case 408:
      return "The request was not received in time.";
    case 414:
      return "The request line is longer than 8192 bytes.";
    case 417:
      return "Request bodies are not accepted.";
    case 431:
      return "The request head is longer than 8192 bytes.";
    default:
      return std::string(httplib::status_message(status)) + ".";
  }
}

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

HttpRequest ToHttpRequest(const httplib::Request& request,
                          const RequestHead& head,
                          const std::optional<IpAddress>& client) {
  // httplib decodes parameters leniently and loses repeated ones.
  const std::size_t mark =
      std::min(request.target.find('?'), request.target.size());
  return {
      .method = request.method,
      .path = request.path,
      .query = request.target.substr(std::min(mark + 1, request.target.size())),
      .headers = head.headers,
      .client = client};
}

void WriteText(const std::function<void(const TextSink&)>& write, bool gzip,
               httplib::DataSink& client) {
  const TextSink sink = [&client](std::string_view piece) {
    return client.write(piece.data(), piece.size());
  };
  if (gzip) {
    GzipEncoder encoder(sink);
    write([&](std::string_view piece) { return encoder.Write(piece); });
    encoder.Finish();
  } else {
    write(sink);
  }
  client.done();
}

/// A connection as httplib sees it: with one head to read, and no body.
class StreamAdapter final : public httplib::Stream {
 public:
  explicit StreamAdapter(ConnectionStream& stream) : stream_(stream) {}

  void SetHead(std::string head) {
    head_ = std::move(head);
    read_ = 0;
  }

  // write() waits itself, until its deadline.
  bool is_readable() const override { return IsOpen(); }
  bool wait_readable() const override { return IsOpen(); }
  bool wait_writable() const override { return IsOpen(); }
  time_t duration() const override { return 0; }

  ssize_t read(char* data, size_t size) override {
    const std::size_t taken = head_.copy(data, size, read_);
    read_ += taken;
    return static_cast<ssize_t>(taken);
  }
  ssize_t write(const char* data, size_t size) override {
    return stream_.Write(data, size) ? static_cast<ssize_t>(size) : -1;
  }

  // Requests carry no addresses: handlers get the connection's.
  void get_remote_ip_and_port(std::string&, int&) const override {}
  void get_local_ip_and_port(std::string&, int&) const override {}
  socket_t socket() const override {
    return static_cast<socket_t>(stream_.connection().socket());
  }

 private:
  bool IsOpen() const { return !stream_.connection().cut(); }

  ConnectionStream& stream_;
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

/// Confined to the connection's thread.
class HttpSession : private httplib::Server {
 public:
  /// `policy` is null exactly when the service's security is.
  HttpSession(Connection& connection, Channel& channel,
              const HttpService& service,
              std::shared_ptr<const WebPolicy> policy);

  /// Serves requests until the connection ends.
  void Run();

 private:
  void ExplainFailedOpening();
  std::string ReadHead();
  bool RespondToNext(bool last);
  std::optional<HttpResponse> Reject();
  void Respond(const httplib::Request& request, httplib::Response* response);
  void WriteBody(HttpResponse content, httplib::Response* response);
  void ExplainError(httplib::Response* response) const;
  void CompleteHeaders(httplib::Response* response) const;

  Connection& connection_;
  Channel& channel_;
  const HttpService service_;
  /// The policy at the time of the last request.
  std::shared_ptr<const WebPolicy> policy_;
  ConnectionStream stream_;
  StreamAdapter adapter_;
  /// Of the current request; empty when it is malformed.
  RequestHead head_;
  bool last_ = false;  ///< the current response ends the connection
  /// Route and status of the current response.
  std::optional<std::pair<std::string_view, int>> outcome_;
};

HttpSession::HttpSession(Connection& connection, Channel& channel,
                         const HttpService& service,
                         std::shared_ptr<const WebPolicy> policy)
    : connection_(connection),
      channel_(channel),
      service_(service),
      policy_(std::move(policy)),
      stream_(connection, channel, service.limits),
      adapter_(stream_) {
  using httplib::Request;
  using httplib::Response;
  // Without a listening socket, httplib assumes that it is shutting down and
  // writes no chunks.
  svr_sock_ = adapter_.socket();
  set_pre_routing_handler([this](const Request& request, Response& response) {
    Respond(request, &response);
    return HandlerResponse::Handled;
  });
  set_expect_100_continue_handler([this](const Request&, Response& response) {
    last_ = true;
    response.status = 417;
    return 0;  // neither 100 nor 417: the response, then the end
  });
  set_exception_handler(
      [](const Request&, Response& response, const std::exception_ptr&) {
        response.status = 500;
      });
  set_error_handler([this](const Request&, Response& response) {
    ExplainError(&response);
    return HandlerResponse::Handled;
  });
  set_post_routing_handler([this](const Request&, Response& response) {
    CompleteHeaders(&response);
  });
  set_logger([this](const Request& request, const Response& response) {
    outcome_ = {service_.routes.HandlerName(request.path), response.status};
  });
}

void HttpSession::Run() {
  const Clock& clock = Clock::System();
  // One deadline for the handshake and the first byte after it: TLS does not
  // extend the time.
  SteadyTime deadline = clock.Now() + service_.limits.receive_timeout;
  if (!stream_.Open(deadline)) {
    ExplainFailedOpening();
    stream_.Finish();
    return;
  }
  for (std::size_t left = kMaxRequests;
       left > 0 && stream_.AwaitRequest(deadline) && RespondToNext(left == 1);
       --left) {
    deadline = clock.Now() + service_.limits.idle_timeout;
  }
  stream_.Finish();
}

void HttpSession::ExplainFailedOpening() {
  const std::string plain_http_error = channel_.plain_http_error();
  if (!plain_http_error.empty()) {
    PlainChannel(connection_.socket())
        .Write(plain_http_error.data(), plain_http_error.size());
    service_.on_request(service_.routes.HandlerName(""), 400);
  }
  const std::string failure = channel_.failure();
  // Any client can cause this, so it is logged at the debug level only.
  Log(LogLevel::kDebug, "TLS handshake failed",
      {{"client",
        connection_.remote_address().value_or(IpAddress()).ToString()},
       {"error", failure.empty() ? "timeout" : failure}});
}

/// What was received of a head, possibly not all of it. One empty line before
/// it is ignored (RFC 9112 section 2.2).
std::string HttpSession::ReadHead() {
  std::string head;
  bool skipped = false;
  for (char c = 0; stream_.Read(&c, 1) > 0;) {
    head += c;
    if (c != '\n' || !EndsHead(head)) continue;
    if (skipped || head != "\r\n") break;
    head.clear();
    skipped = true;
  }
  return head;
}

/// False when the connection has ended.
bool HttpSession::RespondToNext(bool last) {
  // A malformed request may leave unread bytes that do not belong to the next
  // one.
  last_ = true;
  outcome_.reset();
  const std::string text = ReadHead();
  if (text.empty() && !stream_.head_too_late()) return false;
  const auto head =
      stream_.head_too_long() ? std::nullopt : ParseRequestHead(text);
  head_ = head.value_or(RequestHead());
  adapter_.SetHead(head ? ForLibrary(head_) : std::string(kNoRequest));
  bool closed = false;
  const bool responded = process_request(
      adapter_, "", 0, "", 0, last, closed, [&](httplib::Request&) {
        connection_.EndWaiting();
        // HTTP/1.0 has no chunks: the end of the connection ends the body.
        last_ = last || closed || head_.HasToken("Connection", "close") ||
                head_.HasBody() || head_.is_http10;
      });
  // httplib reports a request before its response is sent.
  if (outcome_) service_.on_request(outcome_->first, outcome_->second);
  return responded && !closed && !last_;
}

/// The response to a client that may not be served; absent when it may.
std::optional<HttpResponse> HttpSession::Reject() {
  if (!service_.security) return std::nullopt;
  const auto before = std::exchange(policy_, service_.security->Current());
  if (!policy_->VerifiesClientsAs(*before)) {
    last_ = true;
    return HttpResponse::Text(421,
                              "The rules for client certificates have changed; "
                              "open a new connection.");
  }
  std::optional<std::string> authorization;
  if (const auto sent = ValuesOf(head_.headers, "Authorization");
      !sent.empty()) {
    authorization = sent.size() == 1 ? sent.front() : "";
  }
  return policy_->Reject(authorization, connection_.remote_address(),
                         Clock::System().Now());
}

void HttpSession::Respond(const httplib::Request& request,
                          httplib::Response* response) {
  auto rejection = Reject();
  HttpResponse content =
      rejection ? *std::move(rejection)
                : service_.routes.Respond(ToHttpRequest(
                      request, head_, connection_.remote_address()));
  response->status = content.status;
  // httplib sends a copy of a short body, together with the head.
  stream_.set_held_bytes(content.held_bytes + content.body.size());
  for (const auto& [name, value] : content.headers) {
    response->set_header(name, value);
  }
  if (content.write_body) {
    WriteBody(std::move(content), response);
    return;
  }
  response->set_header("Content-Type", content.content_type);
  response->body = std::move(content.body);
}

/// Streams a long body, compressed if the client accepts that.
void HttpSession::WriteBody(HttpResponse content, httplib::Response* response) {
  const bool chunked = !head_.is_http10;  // HTTP/1.0 has no chunks
  response->set_header("Vary", "Accept-Encoding");
  const bool gzip =
      chunked && AcceptsGzip(ListOf(head_.headers, "Accept-Encoding"));
  if (gzip) response->set_header("Content-Encoding", "gzip");
  const auto provide = [this, gzip, write = std::move(content.write_body)](
                           std::size_t, httplib::DataSink& sink) {
    // httplib catches exceptions of handlers, but not here, where the response
    // has begun: it is aborted.
    try {
      connection_.BeginRendering();
      WriteText(write, gzip, sink);
      return true;
    } catch (const std::exception& error) {
      AbortedResponses().Report(error.what(), {});
      return false;
    }
  };
  if (chunked) {
    response->set_chunked_content_provider(content.content_type, provide);
  } else {
    response->set_content_provider(content.content_type, provide);
  }
}

/// Fills in the responses to requests that httplib rejects itself.
void HttpSession::ExplainError(httplib::Response* response) const {
  if (response->status == 400 && response->body.empty()) {
    if (stream_.head_too_late()) response->status = 408;
    if (stream_.head_too_long()) response->status = 431;
    if (stream_.first_line_too_long()) response->status = 414;
  }
  if (response->body.empty()) {
    response->set_header("Content-Type", "text/plain; charset=utf-8");
    response->body = ErrorSentence(response->status) + "\n";
  }
}

void HttpSession::CompleteHeaders(httplib::Response* response) const {
  response->headers.erase("Accept-Ranges");  // ranges are not supported
  for (const auto& [name, value] : kSecurityHeaders) {
    response->set_header(name, value);
  }
  if (policy_) {
    for (const auto& [name, value] : policy_->headers()) {
      response->headers.erase(name);
      response->set_header(name, value);
    }
  }
  // httplib would close the connection after every error.
  response->headers.erase("Keep-Alive");
  response->headers.erase("Connection");
  if (last_) {
    response->set_header("Connection", "close");
  } else {
    const auto timeout = std::chrono::duration_cast<std::chrono::seconds>(
        service_.limits.idle_timeout);
    response->set_header("Keep-Alive",
                         "timeout=" + std::to_string(timeout.count()) +
                             ", max=" + std::to_string(kMaxRequests));
  }
}

}  // namespace

void ServeHttp(Connection& connection, const HttpService& service) {
  std::shared_ptr<const WebPolicy> policy;
  if (service.security) policy = service.security->Current();
  const std::unique_ptr<Channel> channel =
      policy ? policy->OpenChannel(connection.socket())
             : std::make_unique<PlainChannel>(connection.socket());
  if (!channel) return;
  HttpSession(connection, *channel, service, std::move(policy)).Run();
}

}  // namespace echo_exporter
