#include "src/http/tls_channel.h"

#include <openssl/err.h>

#include <utility>

namespace echo_exporter {

TlsChannel::TlsChannel(std::shared_ptr<const TlsContext> context,
                       OpensslPtr<SSL> ssl)
    : context_(std::move(context)), ssl_(std::move(ssl)) {}

Channel::Step TlsChannel::Open() {
  ERR_clear_error();
  const Step step = Classify(SSL_accept(ssl_.get()), 0);
  opened_ = step.state == State::kDone;
  return step;
}

Channel::Step TlsChannel::Read(char* data, std::size_t size) {
  std::size_t bytes = 0;
  ERR_clear_error();
  const int result = SSL_read_ex(ssl_.get(), data, size, &bytes);
  return Classify(result, bytes);
}

Channel::Step TlsChannel::Write(const char* data, std::size_t size) {
  std::size_t bytes = 0;
  ERR_clear_error();
  const int result = SSL_write_ex(ssl_.get(), data, size, &bytes);
  return Classify(result, bytes);
}

Channel::Step TlsChannel::Close() {
  if (!opened_ || failed_) return {State::kDone, 0};
  ERR_clear_error();
  const int result = SSL_shutdown(ssl_.get());
  // 0: sent; the peer's close_notify has not arrived and is not waited for.
  return Classify(result == 0 ? 1 : result, 0);
}

std::string TlsChannel::plain_http_error() const {
  if (!plain_http_) return {};
  return "HTTP/1.0 400 Bad Request\r\n"
         "Content-Type: text/plain; charset=utf-8\r\n"
         "Connection: close\r\n\r\n"
         "Plain HTTP request sent to an HTTPS port.\n";
}

Channel::Step TlsChannel::Classify(int result, std::size_t bytes) {
  if (result > 0) return {State::kDone, bytes};
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      return {State::kToRead, 0};
    case SSL_ERROR_WANT_WRITE:
      return {State::kToWrite, 0};
    case SSL_ERROR_ZERO_RETURN:
      return {State::kEnd, 0};
    default:
      break;
  }
  failed_ = true;
  const unsigned long error = ERR_peek_last_error();
  plain_http_ = !opened_ && ERR_GET_LIB(error) == ERR_LIB_SSL &&
                ERR_GET_REASON(error) == SSL_R_HTTP_REQUEST;
  failure_ = error == 0 ? "the client disconnected" : TakeOpensslError();
  if (const long verdict = SSL_get_verify_result(ssl_.get());
      verdict != X509_V_OK) {
    failure_ +=
        std::string(" (") + X509_verify_cert_error_string(verdict) + ')';
  }
  return {State::kFailed, 0};
}

}  // namespace echo_exporter
