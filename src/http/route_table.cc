#include "src/http/route_table.h"

#include <algorithm>
#include <string>
#include <utility>

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
