#include "src/web/routes.h"

#include <utility>

#include "echo_exporter/version.h"
#include "src/web/landing_page.h"

namespace echo_exporter {
namespace {

HttpResponse RespondWithLandingPage(std::size_t pair_count) {
  return {
      .content_type = "text/html; charset=utf-8",
      .body = RenderLandingPage({
          .version = std::string(kVersion),
          .pair_count = pair_count,
          .links = {{"/metrics", "Metrics"},
                    {"/probe?target=127.0.0.1&module=icmp",
                     "Probe 127.0.0.1 with the module icmp"},
                    {"/config", "Effective configuration"},
                    {"/-/healthy", "Health"},
                    {"/-/ready", "Readiness"}},
      }),
      .headers = {{"Content-Security-Policy",
                   "default-src 'none'; base-uri 'none'; form-action 'none'; "
                   "frame-ancestors 'none'"}}};
}

HttpResponse RespondWhetherReady(const std::string& not_ready_reason) {
  return not_ready_reason.empty()
             ? HttpResponse::Text(200, "Ready")
             : HttpResponse::Text(503, "Not ready: " + not_ready_reason);
}

}  // namespace

std::vector<HttpRoute> MakeRoutes(WebContent content) {
  std::vector<HttpRoute> routes;
  const auto add = [&routes](std::string path, auto handler) {
    routes.push_back({.path = std::move(path), .handler = std::move(handler)});
  };
  add("/", [pair_count = std::move(content.pair_count)](const HttpRequest&) {
    return RespondWithLandingPage(pair_count());
  });
  add("/-/healthy",
      [](const HttpRequest&) { return HttpResponse::Text(200, "Healthy"); });
  add("/-/ready",
      [reason = std::move(content.not_ready_reason)](const HttpRequest&) {
        return RespondWhetherReady(reason());
      });
  add("/config", [config = std::move(content.config)](const HttpRequest&) {
    return HttpResponse{.body = config()};
  });
  add("/metrics",
      [metrics = std::move(content.metrics),
       memory = std::move(content.metrics_memory)](const HttpRequest&) {
        return HttpResponse{
            .content_type = "text/plain; version=0.0.4; charset=utf-8",
            .write_body = metrics,
            .held_bytes = memory()};
      });
  add("/probe", std::move(content.probe));
  routes.push_back({.path = "/-/reload",
                    .methods = {"POST"},
                    .handler = [reload = std::move(content.reload)](
                                   const HttpRequest&) { return reload(); }});
  return routes;
}

}  // namespace echo_exporter
