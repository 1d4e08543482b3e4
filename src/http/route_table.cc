#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include "src/base/header_value.h"
#include "src/http/http_session.h"

namespace echo_exporter {
namespace {

std::string Join(const std::vector<std::string>& words,
                 std::string_view separator) {
  std::string joined;
  for (const std::string& word : words) {
    if (!joined.empty()) joined += separator;
    joined += word;
  }
  return joined;
}

}  // namespace

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

RouteTable::RouteTable(std::vector<HttpRoute> routes)
    : routes_(std::move(routes)) {}

HttpResponse RouteTable::Respond(const HttpRequest& request) const {
  const HttpRoute* const route = FindHandler(request.path);
  if (!route) {
    return HttpResponse::Text(
        404, "Not found. The first page has links to all others.");
  }
  const auto& methods = route->methods;
  if (std::ranges::find(methods, request.method) == methods.end()) {
    HttpResponse response = HttpResponse::Text(
        405, "Only " + Join(methods, " and ") +
                 (methods.size() == 1 ? " is" : " are") + " allowed here.");
    response.headers.emplace_back("Allow", Join(methods, ", "));
    return response;
  }
  return route->handler(request);
}

std::string_view RouteTable::HandlerName(std::string_view path) const {
  const HttpRoute* const route = FindHandler(path);
  if (!route) return "other";
  return route->name.empty() ? route->path : route->name;
}

const HttpRoute* RouteTable::FindHandler(std::string_view path) const {
  const auto found = std::ranges::find(routes_, path, &HttpRoute::path);
  return found == routes_.end() ? nullptr : &*found;
}

}  // namespace echo_exporter
