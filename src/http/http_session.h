#pragma once

#include <string_view>
#include <vector>

#include "echo_exporter/http_server.h"
#include "echo_exporter/web_security.h"
#include "src/http/connection_table.h"

namespace echo_exporter {

/// The routes of a server.
///
/// Immutable after construction.
class RouteTable {
 public:
  explicit RouteTable(std::vector<HttpRoute> routes);

  /// The response of the route's handler, or status 404 or 405. Exceptions of
  /// the handler pass through.
  HttpResponse Respond(const HttpRequest& request) const;

  /// The name in metrics of the route with that path; "other" without one.
  std::string_view HandlerName(std::string_view path) const;

 private:
  const HttpRoute* FindHandler(std::string_view path) const;

  const std::vector<HttpRoute> routes_;
};

/// The parts of a server that all its connections share; they outlive the
/// connections.
struct HttpService {
  const HttpLimits& limits;
  const RouteTable& routes;
  /// May be null: everyone is served, in plain HTTP.
  WebSecurity* security;
  const HttpServer::RequestObserver& on_request;
};

/// Responds to the requests of one connection, one after the other, until the
/// connection ends. Called on the connection's thread.
void ServeHttp(Connection& connection, const HttpService& service);

}  // namespace echo_exporter
