#include "src/http/http_session.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "src/base/log.h"
#include "src/http/connection_stream.h"
#include "src/http/gzip_encoder.h"
#include "src/http/http_library.h"
#include "src/http/routes.h"
#include "src/http/web_policy.h"

namespace echo_exporter {
namespace {

// Of every answer, also of errors.
constexpr std::array<std::pair<const char*, const char*>, 3> kSecurityHeaders =
    {{{"X-Content-Type-Options", "nosniff"},
      {"X-Frame-Options", "deny"},
      {"Referrer-Policy", "no-referrer"}}};

std::string ErrorSentence(int status) {
  switch (status) {
    case 400:
      return "The request is not valid HTTP/1.1.";
    case 408:
      return "The request took too long to arrive.";
    case 414:
      return "The address asked for is longer than 8192 bytes.";
    case 416:
      return "The Range header is not valid.";
    case 417:
      return "No request body is accepted.";
    case 431:
      return "The head of the request is longer than 8192 bytes.";
    default:
      return std::string(httplib::status_message(status)) + ".";
  }
}

bool IsHttp10(const httplib::Request& request) {
  return request.version == "HTTP/1.0";
}

bool HasBody(const httplib::Request& request) {
  const std::size_t lengths = request.get_header_value_count("Content-Length");
  return request.has_header("Transfer-Encoding") || lengths > 1 ||
         (lengths == 1 && request.get_header_value("Content-Length") != "0");
}

/// Whether the head says in one way, or not at all, how long the body is
/// (RFC 9112 section 6.3). Where it does not, others on the way may have read
/// the request differently.
bool HasClearLength(const httplib::Request& request) {
  const std::size_t lengths = request.get_header_value_count("Content-Length");
  if (lengths == 0) return true;
  const std::string length = request.get_header_value("Content-Length");
  return lengths == 1 && !request.has_header("Transfer-Encoding") &&
         !length.empty() &&
         length.find_first_not_of("0123456789") == std::string::npos;
}

HttpRequest ToHttpRequest(const httplib::Request& request,
                          const std::optional<IpAddress>& client) {
  // httplib's own parameters are lenient in decoding and lose repetitions.
  constexpr const char* kTimeoutHeader = "X-Prometheus-Scrape-Timeout-Seconds";
  const std::size_t mark =
      std::min(request.target.find('?'), request.target.size());
  HttpRequest result{
      .method = request.method,
      .path = request.path,
      .query = request.target.substr(std::min(mark + 1, request.target.size())),
      .scrape_timeout = {},
      .client = client};
  if (request.has_header(kTimeoutHeader)) {
    result.scrape_timeout = request.get_header_value(kTimeoutHeader);
  }
  return result;
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

// Implementation notes. httplib::Server is used for what HTTP is: it parses a
// request and writes an answer (process_request). Its own listening is not,
// because a) it ends for good at the first accept() that fails for a reason
// other than a few, which on Windows a client brings about by a reset;
// b) its timeouts are per read, so that a client that sends a byte now and
// then holds a thread for ever; c) a waiting keep-alive connection polls 100
// times a second; d) it listens with a backlog of 5 and, on Windows, shares
// its port with whoever asks.
//
// Each session is a server of its own, so that the callbacks below know which
// connection they serve; that costs some empty containers a connection.

/// Confined to the connection's thread.
class HttpSession : private httplib::Server {
 public:
  /// `policy` is null exactly when `security` is.
  HttpSession(Connection& connection, Channel& channel,
              const HttpLimits& limits, const MetricsServerHandlers& handlers,
              WebSecurity* security, std::shared_ptr<const WebPolicy> policy);

  /// Returns when the connection is over.
  void Run();

 private:
  void ExplainFailedOpening();
  bool AnswerNext(bool last);
  std::optional<HttpAnswer> Refuse(const httplib::Request& request);
  void Answer(const httplib::Request& request, httplib::Response* response);
  void WriteBody(const httplib::Request& request, HttpAnswer answer,
                 httplib::Response* response);
  void ExplainError(httplib::Response* response) const;
  void CompleteHeaders(httplib::Response* response) const;

  Connection& connection_;
  Channel& channel_;
  const HttpLimits limits_;
  const MetricsServerHandlers& handlers_;
  WebSecurity* const security_;
  /// As it was when the last request arrived.
  std::shared_ptr<const WebPolicy> policy_;
  ConnectionStream stream_;
  bool last_ = false;  ///< the answer under way ends the connection
};

HttpSession::HttpSession(Connection& connection, Channel& channel,
                         const HttpLimits& limits,
                         const MetricsServerHandlers& handlers,
                         WebSecurity* security,
                         std::shared_ptr<const WebPolicy> policy)
    : connection_(connection),
      channel_(channel),
      limits_(limits),
      handlers_(handlers),
      security_(security),
      policy_(std::move(policy)),
      stream_(connection, channel, limits) {
  using httplib::Request;
  using httplib::Response;
  // A server without a listening socket would take itself for shutting down,
  // and write no chunks.
  svr_sock_ = stream_.socket();
  set_keep_alive_timeout(static_cast<time_t>(
      std::chrono::duration_cast<std::chrono::seconds>(limits.idle_timeout)
          .count()));
  // httplib asks before it reads a body, so that it never reads one.
  set_pre_routing_handler([this](const Request& request, Response& response) {
    if (HasClearLength(request)) {
      Answer(request, &response);
    } else {
      response.status = 400;
    }
    return HandlerResponse::Handled;
  });
  set_expect_100_continue_handler([](const Request&, Response& response) {
    response.status = 417;
    return 0;  // neither 100 nor 417: the response as it is, then the end
  });
  set_exception_handler([](const Request&, Response& response,
                           std::exception_ptr) { response.status = 500; });
  set_error_handler([this](const Request&, Response& response) {
    ExplainError(&response);
    return HandlerResponse::Handled;
  });
  set_post_routing_handler([this](const Request&, Response& response) {
    CompleteHeaders(&response);
  });
  set_logger([this](const Request& request, const Response& response) {
    handlers_.on_request(HandlerName(request.path), response.status);
  });
}

void HttpSession::Run() {
  const Clock& clock = Clock::System();
  // One for the handshake and the first byte behind it: TLS buys no time.
  SteadyTime deadline = clock.Now() + limits_.receive_timeout;
  if (!stream_.Open(deadline)) {
    ExplainFailedOpening();
    stream_.Finish();
    return;
  }
  for (std::size_t left = keep_alive_max_count_;
       left > 0 && stream_.AwaitRequest(deadline) && AnswerNext(left == 1);
       --left) {
    deadline = clock.Now() + limits_.idle_timeout;
  }
  stream_.Finish();
}

void HttpSession::ExplainFailedOpening() {
  const std::string plain_http_error = channel_.plain_http_error();
  if (!plain_http_error.empty()) {
    PlainChannel(connection_.socket())
        .Write(plain_http_error.data(), plain_http_error.size());
    handlers_.on_request(HandlerName(""), 400);
  }
  const std::string failure = channel_.failure();
  // Anyone can bring this about: no more than a line for whoever looks for it.
  Log(LogLevel::kDebug, "TLS handshake failed",
      {{"client",
        connection_.remote_address().value_or(IpAddress()).ToString()},
       {"error", failure.empty() ? "it took too long" : failure}});
}

/// False when the connection is over.
bool HttpSession::AnswerNext(bool last) {
  // Until its head is known, a request may leave bytes behind that are not
  // the next one's.
  last_ = true;
  bool closed = false;
  const bool answered = process_request(
      stream_, "", 0, "", 0, last, closed, [&](httplib::Request& request) {
        connection_.EndWaiting();
        // What ends with the connection needs neither a length nor chunks.
        last_ = last || closed || HasBody(request) || IsHttp10(request);
        // No answer comes in parts (RFC 9110 section 14.2 leaves that to us).
        request.ranges.clear();
      });
  return answered && !closed && !last_;
}

/// The answer to a client that may not be served; absent when it may.
std::optional<HttpAnswer> HttpSession::Refuse(const httplib::Request& request) {
  if (!security_) return std::nullopt;
  const auto before = std::exchange(policy_, security_->Current());
  if (!policy_->VerifiesClientsAs(*before)) {
    last_ = true;
    return HttpAnswer{.status = 421,
                      .body = "Who may come in has changed: connect again.\n"};
  }
  std::optional<std::string> authorization;
  if (const auto count = request.get_header_value_count("Authorization")) {
    authorization = count == 1 ? request.get_header_value("Authorization") : "";
  }
  return policy_->Refuse(authorization, Clock::System().Now());
}

void HttpSession::Answer(const httplib::Request& request,
                         httplib::Response* response) {
  auto refusal = Refuse(request);
  HttpAnswer answer =
      refusal
          ? *std::move(refusal)
          : AnswerRequest(ToHttpRequest(request, connection_.remote_address()),
                          handlers_);
  response->status = answer.status;
  stream_.set_held_bytes(answer.held_bytes);
  if (answer.write_body) {
    WriteBody(request, std::move(answer), response);
    return;
  }
  response->set_header("Content-Type", answer.content_type);
  for (const auto& [name, value] : answer.headers) {
    response->set_header(name, value);
  }
  response->body = std::move(answer.body);
  if (answer.content_type == kHtmlContentType) {
    response->set_header("Content-Security-Policy",
                         "default-src 'none'; base-uri 'none'; "
                         "form-action 'none'; frame-ancestors 'none'");
  }
}

/// Has a long body written as it comes, compressed if the client likes it so.
void HttpSession::WriteBody(const httplib::Request& request, HttpAnswer answer,
                            httplib::Response* response) {
  const bool chunked = !IsHttp10(request);  // which knows no chunks
  response->set_header("Vary", "Accept-Encoding");
  const bool gzip =
      chunked && AcceptsGzip(request.get_header_value("Accept-Encoding"));
  if (gzip) response->set_header("Content-Encoding", "gzip");
  const auto provide = [this, gzip, write = std::move(answer.write_body)](
                           std::size_t, httplib::DataSink& sink) {
    // httplib catches what handlers throw, but not here, where the answer
    // has begun: it is broken off.
    try {
      connection_.BeginRendering();
      WriteText(write, gzip, sink);
      return true;
    } catch (const std::exception& error) {
      Log(LogLevel::kError, "an answer was broken off",
          {{"error", error.what()}});
      return false;
    }
  };
  if (chunked) {
    response->set_chunked_content_provider(answer.content_type, provide);
  } else {
    response->set_content_provider(answer.content_type, provide);
  }
}

/// Fills in what httplib refuses by itself.
void HttpSession::ExplainError(httplib::Response* response) const {
  if (response->status == 400 && response->body.empty()) {
    if (stream_.head_too_late()) response->status = 408;
    if (stream_.head_too_long()) response->status = 431;
  }
  if (response->body.empty()) {
    response->set_header("Content-Type", "text/plain; charset=utf-8");
    response->body = ErrorSentence(response->status) + "\n";
  }
}

void HttpSession::CompleteHeaders(httplib::Response* response) const {
  response->headers.erase("Accept-Ranges");  // none are
  for (const auto& [name, value] : kSecurityHeaders) {
    response->set_header(name, value);
  }
  if (policy_) {
    for (const auto& [name, value] : policy_->headers()) {
      response->headers.erase(name);
      response->set_header(name, value);
    }
  }
  if (last_) {
    response->headers.erase("Keep-Alive");
    response->headers.erase("Connection");
    response->set_header("Connection", "close");
  }
}

}  // namespace

void ServeHttp(Connection& connection, const HttpLimits& limits,
               const MetricsServerHandlers& handlers, WebSecurity* security) {
  std::shared_ptr<const WebPolicy> policy;
  if (security) policy = security->Current();
  const std::unique_ptr<Channel> channel =
      policy ? policy->OpenChannel(connection.socket())
             : std::make_unique<PlainChannel>(connection.socket());
  if (!channel) return;
  HttpSession(connection, *channel, limits, handlers, security,
              std::move(policy))
      .Run();
}

}  // namespace echo_exporter
