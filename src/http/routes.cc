#include "src/http/routes.h"

#include <algorithm>
#include <array>
#include <utility>

#include "echo_exporter/version.h"
#include "src/http/landing_page.h"
#include "src/http/probe_query.h"

namespace echo_exporter {
namespace {

HttpAnswer PlainText(int status, std::string text) {
  HttpAnswer answer;
  answer.status = status;
  answer.body = std::move(text) + "\n";
  return answer;
}

HttpAnswer AnswerLandingPage(const HttpRequest&,
                             const MetricsServerHandlers& handlers) {
  HttpAnswer answer;
  answer.content_type = kHtmlContentType;
  answer.body = RenderLandingPage({
      .version = std::string(kVersion),
      .pair_count = handlers.pair_count(),
      .links = {{"/metrics", "Metrics"},
                {"/probe?target=127.0.0.1&module=icmp",
                 "Probe 127.0.0.1 with the module icmp"},
                {"/config", "Configuration in effect"},
                {"/-/healthy", "Alive"},
                {"/-/ready", "Ready to probe"}},
  });
  return answer;
}

HttpAnswer AnswerHealthy(const HttpRequest&, const MetricsServerHandlers&) {
  return PlainText(200, "Healthy");
}

HttpAnswer AnswerReady(const HttpRequest&,
                       const MetricsServerHandlers& handlers) {
  std::string reason = handlers.not_ready_reason();
  return reason.empty() ? PlainText(200, "Ready")
                        : PlainText(503, "Not ready: " + std::move(reason));
}

HttpAnswer AnswerConfig(const HttpRequest&,
                        const MetricsServerHandlers& handlers) {
  HttpAnswer answer;
  answer.body = handlers.config();
  return answer;
}

HttpAnswer AnswerMetrics(const HttpRequest&,
                         const MetricsServerHandlers& handlers) {
  HttpAnswer answer;
  answer.content_type = "text/plain; version=0.0.4; charset=utf-8";
  answer.write_body = handlers.metrics;
  answer.held_bytes = handlers.metrics_memory();
  return answer;
}

HttpAnswer AnswerReload(const HttpRequest&,
                        const MetricsServerHandlers& handlers) {
  return handlers.reload();
}

HttpAnswer AnswerProbe(const HttpRequest& request,
                       const MetricsServerHandlers& handlers) {
  Result<ProbeQuery> query =
      ParseProbeQuery(request.query, request.scrape_timeout);
  if (!query.ok()) return PlainText(400, query.error().message);
  query.value().client = request.client;
  return handlers.probe(query.value());
}

enum class Methods { kRead, kPost };

struct Route {
  std::string_view path;
  HttpAnswer (*answer)(const HttpRequest&, const MetricsServerHandlers&);
  Methods methods = Methods::kRead;
};

constexpr std::array kRoutes = {
    Route{"/", AnswerLandingPage},
    Route{"/-/healthy", AnswerHealthy},
    Route{"/-/ready", AnswerReady},
    Route{"/-/reload", AnswerReload, Methods::kPost},
    Route{"/config", AnswerConfig},
    Route{"/metrics", AnswerMetrics},
    Route{"/probe", AnswerProbe},
};

const Route* FindRoute(std::string_view path) {
  const auto* const route =
      std::find_if(kRoutes.data(), kRoutes.data() + kRoutes.size(),
                   [path](const Route& r) { return r.path == path; });
  return route == kRoutes.data() + kRoutes.size() ? nullptr : route;
}

}  // namespace

HttpAnswer AnswerRequest(const HttpRequest& request,
                         const MetricsServerHandlers& handlers) {
  const Route* route = FindRoute(request.path);
  if (!route) {
    return PlainText(404, "There is nothing here; / lists what there is.");
  }
  const bool post = route->methods == Methods::kPost;
  if (post ? request.method != "POST"
           : request.method != "GET" && request.method != "HEAD") {
    HttpAnswer answer =
        PlainText(405, post ? "Only POST is allowed here."
                            : "Only GET and HEAD are allowed here.");
    answer.headers = {{"Allow", post ? "POST" : "GET, HEAD"}};
    return answer;
  }
  return route->answer(request, handlers);
}

std::string_view HandlerName(std::string_view path) {
  const Route* route = FindRoute(path);
  return route ? route->path : "other";
}

}  // namespace echo_exporter
