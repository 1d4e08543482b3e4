#include <chrono>
#include <utility>

#include "echo_exporter/http_server.h"
#include "src/base/header_value.h"

namespace echo_exporter {

std::optional<std::string> HttpRequest::Header(std::string_view name) const {
  const auto values = ValuesOf(headers, name);
  if (values.empty()) return std::nullopt;
  return std::string(values.front());
}

std::string HttpRequest::HeaderList(std::string_view name) const {
  return ListOf(headers, name);
}

HttpResponse HttpResponse::Text(int status, std::string line) {
  return {.status = status, .body = std::move(line) + "\n"};
}

HttpResponse HttpResponse::RetryAfter(int status, Nanoseconds wait,
                                      std::string line) {
  HttpResponse response = Text(status, std::move(line));
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(wait);
  response.headers.emplace_back("Retry-After", std::to_string(seconds.count()));
  return response;
}

}  // namespace echo_exporter
