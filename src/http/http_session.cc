#include "src/http/http_session.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "src/base/condition_log.h"
#include "src/base/header_value.h"
#include "src/base/log.h"
#include "src/base/url_query.h"
#include "src/http/connection_stream.h"
#include "src/http/gzip_encoder.h"
#include "src/http/request_head.h"
#include "src/http/web_policy.h"

// Implementation notes: not httplib::Server, although cpp-httplib is the client
// here, because a) it stops listening permanently when accept() fails with any
// but a few errors, and on Windows a client can cause another one by a reset;
// b) its timeouts are per read, so that a client that sends a byte now and then
// occupies a thread without limit; c) an idle keep-alive connection polls 100
// times a second; d) its backlog is 5 and, on Windows, other processes can bind
// the same port; e) it reads heads more leniently than programs in front of it
// may.

namespace echo_exporter {
namespace {

// Headers of every response, including errors.
constexpr std::array<std::pair<const char*, const char*>, 3> kSecurityHeaders =
    {{{"X-Content-Type-Options", "nosniff"},
      {"X-Frame-Options", "deny"},
      {"Referrer-Policy", "no-referrer"}}};

// Per connection, as announced in its Keep-Alive headers.
constexpr std::size_t kMaxRequests = 100;

constexpr std::array<std::string_view, 9> kMethods = {
    "GET",     "HEAD",    "POST",  "PUT",  "DELETE",
    "CONNECT", "OPTIONS", "TRACE", "PATCH"};

/// Never destroyed: connections may outlive static objects.
ConditionLog& AbortedResponses() {
  static ConditionLog& log = *new ConditionLog({.level = LogLevel::kError,
                                                .begins = "response aborted",
                                                .subject = "error"});
  return log;
}

/// The reason phrase of a status line (RFC 9110 section 15).
std::string_view ReasonOf(int status) {
  static constexpr std::array<std::pair<int, std::string_view>, 16> kReasons = {
      {{200, "OK"},
       {302, "Found"},
       {304, "Not Modified"},
       {400, "Bad Request"},
       {401, "Unauthorized"},
       {403, "Forbidden"},
       {404, "Not Found"},
       {405, "Method Not Allowed"},
       {408, "Request Timeout"},
       {414, "URI Too Long"},
       {417, "Expectation Failed"},
       {421, "Misdirected Request"},
       {429, "Too Many Requests"},
       {431, "Request Header Fields Too Large"},
       {500, "Internal Server Error"},
       {503, "Service Unavailable"}}};
  const auto found = std::ranges::find(
      kReasons, status, &std::pair<int, std::string_view>::first);
  return found == kReasons.end() ? "" : found->second;
}

/// Nothing is decoded but the path; one with an invalid "%" stays as it was
/// sent, and has no route.
HttpRequest ToHttpRequest(const RequestHead& head,
                          const std::optional<IpAddress>& client) {
  std::string_view target = head.target;
  target = target.substr(0, target.find('#'));
  const std::string_view path = target.substr(0, target.find('?'));
  target.remove_prefix(std::min(path.size() + 1, target.size()));
  return {.method = head.method,
          .path = DecodePercent(path, /*plus_is_space=*/false)
                      .value_or(std::string(path)),
          .query = std::string(target),
          .headers = head.headers,
          .client = client};
}

/// Confined to the connection's thread.
class HttpSession {
 public:
  /// `policy` is null exactly when the service's security is.
  HttpSession(Connection& connection, Channel& channel,
              const HttpService& service,
              std::shared_ptr<const WebPolicy> policy)
      : connection_(connection),
        channel_(channel),
        service_(service),
        policy_(std::move(policy)),
        stream_(connection, channel, service.limits) {}

  /// Serves requests until the connection ends.
  void Run();

 private:
  void ExplainFailedOpening();
  bool RespondToNext(bool last);
  HttpResponse RespondToNoRequest(std::string_view text) const;
  HttpResponse RespondTo(const RequestHead& head, const HttpRequest& request);
  std::optional<HttpResponse> Reject(const RequestHead& head);
  bool Send(HttpResponse response, const RequestHead& head);
  void CompleteHeaders(HttpResponse* response) const;
  bool WriteBody(const HttpResponse& response, bool chunked, bool gzip);
  bool WritePiece(std::string_view piece, bool chunked);

  Connection& connection_;
  Channel& channel_;
  const HttpService service_;
  /// The policy at the time of the last request.
  std::shared_ptr<const WebPolicy> policy_;
  ConnectionStream stream_;
  bool last_ = false;  ///< the current response ends the connection
};

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

/// False when the connection has ended.
bool HttpSession::RespondToNext(bool last) {
  const std::string text = stream_.ReadHead();
  if (text.empty() && !stream_.head_too_late()) return false;
  const bool too_long = text.size() == ConnectionStream::kMaxHeadBytes;
  auto head = too_long ? std::nullopt : ParseRequestHead(text);
  if (head && std::ranges::find(kMethods, head->method) == kMethods.end()) {
    head.reset();
  }
  HttpRequest request;
  HttpResponse response;
  if (head) {
    connection_.EndWaiting();
    // HTTP/1.0 has no chunks: the end of the connection ends the body.
    last_ = last || head->HasToken("Connection", "close") || head->HasBody() ||
            head->is_http10;
    request = ToHttpRequest(*head, connection_.remote_address());
    response = RespondTo(*head, request);
  } else {
    // Unread bytes may be left that do not belong to the next request.
    last_ = true;
    response = RespondToNoRequest(text);
  }
  const int status = response.status;
  const bool sent = Send(std::move(response), head.value_or(RequestHead()));
  service_.on_request(service_.routes.HandlerName(request.path), status);
  return sent && !last_;
}

/// To what is no request, or not a whole one.
HttpResponse HttpSession::RespondToNoRequest(std::string_view text) const {
  if (text.size() == ConnectionStream::kMaxHeadBytes) {
    return text.find('\n') == std::string_view::npos
               ? HttpResponse::Text(
                     414, "The request line is longer than 8192 bytes.")
               : HttpResponse::Text(
                     431, "The request head is longer than 8192 bytes.");
  }
  if (stream_.head_too_late()) {
    return HttpResponse::Text(408, "The request was not received in time.");
  }
  return HttpResponse::Text(400, "The request is not valid HTTP/1.1.");
}

HttpResponse HttpSession::RespondTo(const RequestHead& head,
                                    const HttpRequest& request) {
  if (head.HasToken("Expect", "100-continue")) {
    last_ = true;
    return HttpResponse::Text(417, "Request bodies are not accepted.");
  }
  try {
    if (auto rejection = Reject(head)) return *std::move(rejection);
    return service_.routes.Respond(request);
  } catch (...) {
    return HttpResponse::Text(500, "Internal Server Error.");
  }
}

/// The response to a client that may not be served; absent when it may.
std::optional<HttpResponse> HttpSession::Reject(const RequestHead& head) {
  if (!service_.security) return std::nullopt;
  const auto before = std::exchange(policy_, service_.security->Current());
  if (!policy_->VerifiesClientsAs(*before)) {
    last_ = true;
    return HttpResponse::Text(421,
                              "The rules for client certificates have changed; "
                              "open a new connection.");
  }
  std::optional<std::string> authorization;
  if (const auto sent = ValuesOf(head.headers, "Authorization");
      !sent.empty()) {
    authorization = sent.size() == 1 ? sent.front() : "";
  }
  return policy_->Reject(authorization, connection_.remote_address(),
                         Clock::System().Now());
}

/// False when not all of it was sent. A long body is streamed, compressed if
/// the client accepts that.
bool HttpSession::Send(HttpResponse response, const RequestHead& head) {
  const bool is_long = response.write_body != nullptr;
  const bool chunked = is_long && !head.is_http10;  // HTTP/1.0 has no chunks
  const bool gzip =
      chunked && AcceptsGzip(ListOf(head.headers, "Accept-Encoding"));
  auto& headers = response.headers;
  headers.emplace_back("Content-Type", response.content_type);
  if (is_long) headers.emplace_back("Vary", "Accept-Encoding");
  if (gzip) headers.emplace_back("Content-Encoding", "gzip");
  if (chunked) headers.emplace_back("Transfer-Encoding", "chunked");
  if (!is_long) {
    headers.emplace_back("Content-Length",
                         std::to_string(response.body.size()));
  }
  CompleteHeaders(&response);
  std::string text = "HTTP/1.1 " + std::to_string(response.status) + ' ';
  text.append(ReasonOf(response.status)).append("\r\n");
  for (const auto& [name, value] : headers) {
    text.append(name).append(": ").append(value).append("\r\n");
  }
  text += "\r\n";
  const bool has_body = head.method != "HEAD";
  if (has_body) text += response.body;
  // A short body is in memory twice.
  stream_.set_held_bytes(response.held_bytes + response.body.size());
  if (!stream_.Write(text)) return false;
  return !is_long || !has_body || WriteBody(response, chunked, gzip);
}

void HttpSession::CompleteHeaders(HttpResponse* response) const {
  auto& headers = response->headers;
  for (const auto& [name, value] : kSecurityHeaders) {
    headers.emplace_back(name, value);
  }
  if (policy_) {
    for (const auto& header : policy_->headers()) {
      std::erase_if(headers, [&](const auto& other) {
        return EqualsIgnoringCase(other.first, header.first);
      });
      headers.push_back(header);
    }
  }
  if (last_) {
    headers.emplace_back("Connection", "close");
  } else {
    const auto timeout = std::chrono::duration_cast<std::chrono::seconds>(
        service_.limits.idle_timeout);
    headers.emplace_back("Keep-Alive",
                         "timeout=" + std::to_string(timeout.count()) +
                             ", max=" + std::to_string(kMaxRequests));
  }
}

/// The response has begun, so it is aborted when its writing fails.
bool HttpSession::WriteBody(const HttpResponse& response, bool chunked,
                            bool gzip) {
  bool sent = true;
  const TextSink sink = [&](std::string_view piece) {
    sent = sent && WritePiece(piece, chunked);
    return sent;
  };
  try {
    connection_.BeginRendering();
    if (gzip) {
      GzipEncoder encoder(sink);
      response.write_body(
          [&](std::string_view piece) { return encoder.Write(piece); });
      encoder.Finish();
    } else {
      response.write_body(sink);
    }
  } catch (const std::exception& error) {
    AbortedResponses().Report(error.what(), {});
    return false;
  }
  return sent && (!chunked || stream_.Write("0\r\n\r\n"));
}

bool HttpSession::WritePiece(std::string_view piece, bool chunked) {
  if (!chunked || piece.empty()) return stream_.Write(piece);
  std::array<char, 16> size;
  const auto end = std::to_chars(size.data(), size.data() + size.size(),
                                 piece.size(), /*base=*/16);
  std::string chunk(size.data(), end.ptr);
  chunk.append("\r\n").append(piece).append("\r\n");
  return stream_.Write(chunk);
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
