#include "echo_exporter/http_client.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>

#include "echo_exporter/ip_address.h"
#include "src/base/host_name.h"
#include "src/http/http_library.h"

namespace echo_exporter {
namespace {

constexpr int kMostRedirects = 10;

bool IsRedirect(int status) {
  constexpr std::array kStatuses = {301, 302, 303, 307, 308};
  return std::ranges::find(kStatuses, status) != kStatuses.end();
}

/// Where a redirect from `url` leads to; absent when that is another server.
std::optional<std::string> FollowTo(const std::string& location,
                                    const HttpUrl& url) {
  if (location.starts_with("/") && !location.starts_with("//")) {
    const auto here = HttpUrl::Parse("http://a" + location);
    return here ? std::optional(here->path) : std::nullopt;
  }
  const auto next = HttpUrl::Parse(location);
  if (!next || next->is_tls != url.is_tls || next->host != url.host ||
      next->port != url.port) {
    return std::nullopt;
  }
  return next->path;
}

}  // namespace

std::optional<HttpUrl> HttpUrl::Parse(std::string_view text) {
  const bool is_printable = std::ranges::all_of(
      text, [](char c) { return c > ' ' && c < '\x7f' && c != '\\'; });
  const auto scheme_end = text.find("://");
  if (!is_printable || scheme_end == std::string_view::npos) return {};
  const std::string scheme = LowerCase(std::string(text.substr(0, scheme_end)));
  if (scheme != "http" && scheme != "https") return {};
  HttpUrl url;
  url.is_tls = scheme == "https";
  text.remove_prefix(scheme_end + 3);
  text = text.substr(0, text.find('#'));
  const auto end = std::min(text.find_first_of("/?"), text.size());
  if (end < text.size()) {
    url.path = (text[end] == '?' ? "/" : "") + std::string(text.substr(end));
  }
  std::string_view host = text.substr(0, end);
  const auto colon = host.rfind(':');
  url.port = url.is_tls ? 443 : 80;
  if (colon != std::string_view::npos && !host.ends_with(']')) {
    const std::string_view port = host.substr(colon + 1);
    const auto read =
        std::from_chars(port.data(), port.data() + port.size(), url.port);
    if (read.ec != std::errc() || read.ptr != port.data() + port.size() ||
        url.port < 1 || url.port > 65535) {
      return {};
    }
    host = host.substr(0, colon);
  }
  const bool in_brackets = host.starts_with('[') && host.ends_with(']');
  if (in_brackets) host = host.substr(1, host.size() - 2);
  const auto address = IpAddress::Parse(host);
  if (in_brackets != (address && address->version() == IpVersion::kV6)) {
    return {};
  }
  url.host = LowerCase(std::string(host));
  if (!address && !IsHostName(url.host)) return {};
  return url;
}

Result<HttpAnswer> Get(const HttpGet& request) {
  const auto url = HttpUrl::Parse(request.url);
  if (!url) return Error{ErrorCode::kInvalidArgument, "the URL is invalid"};
  const auto server = CreateLibraryClient(request, *url);
  if (!server) {
    return Unavailable(
        "cert_file or key_file cannot be read, or they do not fit");
  }
  const SteadyTime deadline = Clock::System().Now() + request.timeout;
  std::string path = url->path;
  for (int redirects = 0;; ++redirects) {
    if (Clock::System().Now() >= deadline) return Unavailable("time-out");
    std::string location;
    auto answer = server->Get(path, deadline, &location);
    if (!answer.ok() || !IsRedirect(answer.value().status)) return answer;
    if (redirects == kMostRedirects) return Unavailable("too many redirects");
    const auto next = FollowTo(location, *url);
    if (!next) {
      return Unavailable("status " + std::to_string(answer.value().status) +
                         " leads to another server, which is not followed");
    }
    path = *next;
  }
}

}  // namespace echo_exporter
