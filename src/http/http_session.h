#ifndef ECHO_EXPORTER_SRC_HTTP_HTTP_SESSION_H_
#define ECHO_EXPORTER_SRC_HTTP_HTTP_SESSION_H_

#include "echo_exporter/http_server.h"
#include "echo_exporter/web_security.h"
#include "src/http/connection_table.h"
#include "src/http/route_table.h"

namespace echo_exporter {

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

#endif  // ECHO_EXPORTER_SRC_HTTP_HTTP_SESSION_H_
