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
#include <vector>

#include "src/base/condition_log.h"
#include "src/base/header_value.h"
#include "src/base/log.h"
#include "src/http/connection_stream.h"
#include "src/http/gzip_encoder.h"
#include "src/http/http_library.h"
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
      return StatusWords(status) + ".";
  }
}

HttpRequest ToHttpRequest(const LibraryRequest& request,
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
               const TextSink& sink) {
  if (!gzip) {
    write(sink);
    return;
  }
  GzipEncoder encoder(sink);
  write([&](std::string_view piece) { return encoder.Write(piece); });
  encoder.Finish();
}

/// Confined to the connection's thread.
class HttpSession : private LibraryExchange {
 public:
  /// `policy` is null exactly when the service's security is.
  HttpSession(Connection& connection, Channel& channel,
              const HttpService& service,
              std::shared_ptr<const WebPolicy> policy)
      : connection_(connection),
        channel_(channel),
        service_(service),
        policy_(std::move(policy)),
        stream_(connection, channel, service.limits),
        library_(CreateLibraryServer(*this)) {}

  /// Serves requests until the connection ends.
  void Run();

 private:
  SocketHandle socket() const override { return connection_.socket(); }
  bool IsOpen() const override { return !connection_.cut(); }
  bool Write(const char* data, std::size_t size) override {
    return stream_.Write(data, size);
  }
  void BeginResponse(bool closes) override;
  LibraryResponse Respond(const LibraryRequest& request) override;
  LibraryResponse Explain(int status) override;
  std::vector<std::pair<std::string, std::string>> FinalHeaders()
      const override;
  void OnResponse(const std::string& path, int status) override {
    outcome_ = {service_.routes.HandlerName(path), status};
  }

  void ExplainFailedOpening();
  std::string ReadHead();
  bool RespondToNext(bool last);
  std::optional<HttpResponse> Reject();
  void Stream(std::function<void(const TextSink&)> write,
              LibraryResponse* response);

  Connection& connection_;
  Channel& channel_;
  const HttpService service_;
  /// The policy at the time of the last request.
  std::shared_ptr<const WebPolicy> policy_;
  ConnectionStream stream_;
  const std::unique_ptr<LibraryServer> library_;
  /// Of the current request; empty when it is malformed.
  RequestHead head_;
  bool last_ = false;  ///< the current response ends the connection
  /// Route and status of the current response.
  std::optional<std::pair<std::string_view, int>> outcome_;
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
  const bool responded = library_->Respond(head ? &head_ : nullptr, last);
  // Known before the response is sent, reported afterwards.
  if (outcome_) service_.on_request(outcome_->first, outcome_->second);
  return responded && !last_;
}

void HttpSession::BeginResponse(bool closes) {
  connection_.EndWaiting();
  // HTTP/1.0 has no chunks: the end of the connection ends the body.
  last_ = closes || head_.HasToken("Connection", "close") || head_.HasBody() ||
          head_.is_http10;
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

LibraryResponse HttpSession::Respond(const LibraryRequest& request) {
  auto rejection = Reject();
  HttpResponse content =
      rejection ? *std::move(rejection)
                : service_.routes.Respond(ToHttpRequest(
                      request, head_, connection_.remote_address()));
  // httplib sends a copy of a short body, together with the head.
  stream_.set_held_bytes(content.held_bytes + content.body.size());
  LibraryResponse response{.status = content.status,
                           .content_type = std::move(content.content_type),
                           .body = std::move(content.body),
                           .headers = std::move(content.headers)};
  if (content.write_body) Stream(std::move(content.write_body), &response);
  return response;
}

/// Streams a long body, compressed if the client accepts that.
void HttpSession::Stream(std::function<void(const TextSink&)> write,
                         LibraryResponse* response) {
  response->chunked = !head_.is_http10;  // HTTP/1.0 has no chunks
  response->headers.emplace_back("Vary", "Accept-Encoding");
  const bool gzip = response->chunked &&
                    AcceptsGzip(ListOf(head_.headers, "Accept-Encoding"));
  if (gzip) response->headers.emplace_back("Content-Encoding", "gzip");
  response->write_body = [this, gzip,
                          write = std::move(write)](const TextSink& sink) {
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
}

LibraryResponse HttpSession::Explain(int status) {
  if (status == 400) {
    if (stream_.head_too_late()) status = 408;
    if (stream_.head_too_long()) status = 431;
    if (stream_.first_line_too_long()) status = 414;
  }
  // The body that the client waits to send is not read.
  if (status == 417) last_ = true;
  return {.status = status,
          .content_type = "text/plain; charset=utf-8",
          .body = ErrorSentence(status) + "\n"};
}

std::vector<std::pair<std::string, std::string>> HttpSession::FinalHeaders()
    const {
  std::vector<std::pair<std::string, std::string>> headers(
      kSecurityHeaders.begin(), kSecurityHeaders.end());
  if (policy_) {
    for (const auto& header : policy_->headers()) headers.push_back(header);
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
  return headers;
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
