#ifndef ECHO_EXPORTER_SRC_HTTP_ROUTE_TABLE_H_
#define ECHO_EXPORTER_SRC_HTTP_ROUTE_TABLE_H_

#include <string_view>
#include <vector>

#include "echo_exporter/http_server.h"

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

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_SRC_HTTP_ROUTE_TABLE_H_
