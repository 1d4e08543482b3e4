#include "src/web/routes.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "src/web/metrics_query.h"
#include "src/web/static_files.h"
#include "src/web/status_pages.h"

namespace echo_exporter {
namespace {

HttpResponse RespondWhetherReady(const std::string& not_ready_reason) {
  return not_ready_reason.empty()
             ? HttpResponse::Text(200, "Ready")
             : HttpResponse::Text(503, "Not ready: " + not_ready_reason);
}

HttpResponse RespondWithConfig(std::shared_ptr<const std::string> text) {
  return {.write_body = [text = std::move(text)](const TextSink& sink) {
    // The server copies each piece.
    constexpr std::size_t kPieceBytes = 16384;
    std::string_view rest = *text;
    while (!rest.empty() && sink(rest.substr(0, kPieceBytes))) {
      rest.remove_prefix(std::min(kPieceBytes, rest.size()));
    }
  }};
}

HttpResponse RespondWithMetrics(const HttpRequest& request,
                                const WebContent& content) {
  const auto config = content.status.config();
  Result<MetricsQuery> query =
      ParseMetricsQuery(request.query, [&config](std::string_view name) {
        return std::ranges::find(config->groups, name, &GroupConfig::name) !=
               config->groups.end();
      });
  if (!query.ok()) return HttpResponse::Text(400, query.error().message);
  query.value().format = ChooseMetricsFormat(request.HeaderList("Accept"));
  return {.content_type = std::string(ContentTypeOf(query.value().format)),
          .headers = {{"Vary", "Accept"}},
          .write_body = [query = query.value(), write = content.metrics](
                            const TextSink& sink) { write(query, sink); },
          .held_bytes = content.metrics_memory(query.value())};
}

/// Leads from what lacks something of the first page's path to that page.
HttpRoute MakeRedirect(std::string path, const std::string& location) {
  return {.path = std::move(path),
          .name = "/",
          .handler = [location](const HttpRequest&) {
            HttpResponse response = HttpResponse::Text(302, "See " + location);
            response.headers.emplace_back("Location", location);
            return response;
          }};
}

/// What makes `path` relative to its own folder, with a slash: "a/" for "/x/a".
std::string LastFolder(const std::string& path) {
  return path.substr(path.rfind('/') + 1) + "/";
}

/// `add`: adds a route of a name and a handler to `routes`.
template <typename Add>
void AddStatusRoutes(const StatusContent& content, const Add& add,
                     std::vector<HttpRoute>* routes) {
  const auto pages = std::make_shared<StatusPages>(content);
  const auto add_page = [&](const std::string& name, auto member) {
    add(name, [pages, member](const HttpRequest& request) {
      return (*pages.*member)(request);
    });
  };
  add_page("/", &StatusPages::Page);
  add_page("/api/v1/status", &StatusPages::Status);
  add_page("/api/v1/pairs", &StatusPages::Pairs);
  add_page("/api/v1/pair", &StatusPages::Pair);
  add_page("/api/v1/matrix", &StatusPages::Matrix);
  add_page("/api/v1/probe", &StatusPages::Probe);
  routes->back().methods = {"POST"};
}

}  // namespace

std::vector<HttpRoute> MakeRoutes(const WebContent& content,
                                  const WebPlace& place) {
  const std::string& prefix = place.route_prefix;
  std::vector<HttpRoute> routes;
  const auto add = [&](const std::string& name, auto handler) {
    routes.push_back(
        {.path = prefix + name, .name = name, .handler = std::move(handler)});
  };
  add("/-/healthy",
      [](const HttpRequest&) { return HttpResponse::Text(200, "Healthy"); });
  add("/-/ready", [reason = content.not_ready_reason](const HttpRequest&) {
    return RespondWhetherReady(reason());
  });
  add("/config", [config = content.config](const HttpRequest&) {
    return RespondWithConfig(config());
  });
  add("/metrics", [content](const HttpRequest& request) {
    return RespondWithMetrics(request, content);
  });
  add("/probe", content.probe);
  for (const StaticFile& file : StaticFiles()) {
    add("/static/" + std::string(file.name),
        [file](const HttpRequest&) { return RespondWithFile(file); });
    routes.back().name = "/static";
  }
  add("/-/reload",
      [reload = content.reload](const HttpRequest&) { return reload(); });
  routes.back().methods = {"POST"};
  AddStatusRoutes(content.status, add, &routes);
  if (!prefix.empty()) {
    // The links of the first page are relative to its folder.
    routes.push_back(MakeRedirect(prefix, LastFolder(prefix)));
    routes.push_back(MakeRedirect("/", place.external_url.empty()
                                           ? prefix.substr(1) + "/"
                                           : place.external_url + "/"));
  }
  return routes;
}

}  // namespace echo_exporter
