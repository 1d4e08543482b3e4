#include "echo_exporter/http_client.h"

#include <httplib.h>
#include <openssl/bio.h>
#include <openssl/err.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <memory>

#include "echo_exporter/ip_address.h"
#include "src/base/host_name.h"

namespace echo_exporter {
namespace {

constexpr int kMostRedirects = 10;

std::string Authority(const HttpUrl& url, const std::string& host) {
  const bool has_colon = host.find(':') != std::string::npos;
  return (has_colon ? "[" + host + "]" : host) + ":" + std::to_string(url.port);
}

/// The numeric addresses of a host, in the order to try them.
std::vector<std::string> NumericAddresses(const HttpUrl& url) {
  std::vector<std::string> addresses;
  BIO_ADDRINFO* found = nullptr;
  if (BIO_lookup_ex(url.host.c_str(), nullptr, BIO_LOOKUP_CLIENT, AF_UNSPEC,
                    SOCK_STREAM, 0, &found) != 1) {
    ERR_clear_error();
    return addresses;
  }
  const std::unique_ptr<BIO_ADDRINFO, void (*)(BIO_ADDRINFO*)> owner(
      found, &BIO_ADDRINFO_free);
  for (; found != nullptr;
       found = const_cast<BIO_ADDRINFO*>(BIO_ADDRINFO_next(found))) {
    const std::unique_ptr<char, void (*)(char*)> text(
        BIO_ADDR_hostname_string(BIO_ADDRINFO_address(found), 1),
        [](char* memory) { OPENSSL_free(memory); });
    if (text) addresses.emplace_back(text.get());
  }
  return addresses;
}

Error Unavailable(const std::string& cause) {
  return {ErrorCode::kUnavailable, cause};
}

bool IsConnectionFault(httplib::Error error) {
  return error == httplib::Error::Connection ||
         error == httplib::Error::ConnectionTimeout;
}

/// Why there is no answer; `is_late`: its time is over. `proxy`: empty: none.
std::string CauseOf(const httplib::Result& result, const HttpUrl& url,
                    const std::string& proxy, bool is_late) {
  const std::string server = Authority(url, url.host);
  const std::string peer = proxy.empty() ? server : "the proxy " + proxy;
  switch (result.error()) {
    case httplib::Error::Connection:
      return "cannot connect to " + peer;
    case httplib::Error::ConnectionTimeout:
      return "connecting to " + peer + ": time-out";
    case httplib::Error::ProxyConnection:
      return "cannot connect to " + server + " through the proxy";
    case httplib::Error::Read:
      if (!is_late) {
        return server + " ends the connection, or its answer is not valid HTTP";
      }
      [[fallthrough]];
    case httplib::Error::Timeout:
      return server + " does not answer in time";
    case httplib::Error::SSLLoadingCerts:
      return "ca_file has no certificates in the PEM format, or cannot be read";
    case httplib::Error::SSLServerVerification:
      return "the certificate of " + server + " is not trusted: " +
             httplib::tls::TlsError::verify_error_to_string(
                 static_cast<long>(result.ssl_backend_error()));
    case httplib::Error::SSLServerHostnameVerification:
      return "the certificate of " + server + " is for another host";
    case httplib::Error::SSLConnection:
      return "no TLS connection to " + server;
    default:
      return server + ": " + httplib::to_string(result.error());
  }
}

/// A server, and how it is reached.
class Connection {
 public:
  Connection(const HttpGet& request, const HttpUrl& url) : url_(url) {
    const bool renamed = url.is_tls && !request.server_name.empty();
    // What is in the certificate is the host of the library, which is told
    // where that is, and what is asked for.
    host_ = renamed ? request.server_name : url.host;
    client_ = std::make_unique<httplib::Client>(
        (url.is_tls ? "https://" : "http://") + Authority(url, host_),
        request.cert_file, request.key_file);
    if (!request.ca_file.empty()) {
      client_->set_ca_cert_path(request.ca_file);
    }
    if (const auto proxy = HttpUrl::Parse(request.proxy_url)) {
      client_->set_proxy(proxy->host, proxy->port);
      proxy_ = Authority(*proxy, proxy->host);
    } else {
      addresses_ = NumericAddresses(url);
    }
    client_->set_path_encode(false);
    client_->set_keep_alive(false);
  }

  bool is_valid() const { return client_->is_valid(); }

  Result<HttpAnswer> Get(const HttpGet& request, const std::string& path,
                         SteadyTime deadline, std::string* location) {
    if (proxy_.empty() && addresses_.empty()) {
      return Unavailable(Authority(url_, url_.host) +
                         ": the host name has no address");
    }
    httplib::Headers headers(request.headers.begin(), request.headers.end());
    const bool is_default_port = url_.port == (url_.is_tls ? 443 : 80);
    std::string host = Authority(url_, url_.host);
    if (is_default_port) host.resize(host.rfind(':'));
    headers.emplace("Host", host);
    headers.emplace("Accept-Encoding", "gzip");
    HttpAnswer answer;
    bool too_large = false;
    const auto send = [&] {
      return client_->Get(
          path, headers, [&](const char* data, std::size_t size) {
            too_large = size > request.max_bytes - answer.body.size();
            if (!too_large) answer.body.append(data, size);
            return !too_large;
          });
    };
    Prepare(deadline);
    auto result = send();
    while (IsConnectionFault(result.error()) &&
           address_ + 1 < addresses_.size() &&
           Clock::System().Now() < deadline) {
      ++address_;
      Prepare(deadline);
      result = send();
    }
    if (too_large) {
      return Unavailable("the answer has more than " +
                         std::to_string(request.max_bytes) + " bytes");
    }
    if (!result) {
      // The library counts whole milliseconds.
      const bool is_late =
          Clock::System().Now() >= deadline - std::chrono::milliseconds(2);
      return Unavailable(CauseOf(result, url_, proxy_, is_late));
    }
    answer.status = result->status;
    answer.content_type = result->get_header_value("Content-Type");
    answer.etag = result->get_header_value("ETag");
    *location = result->get_header_value("Location");
    if (answer.status != 200) answer.body.clear();
    return answer;
  }

 private:
  /// For a request to the next address.
  void Prepare(SteadyTime deadline) {
    const auto limit = std::chrono::ceil<std::chrono::milliseconds>(
        deadline - Clock::System().Now());
    // Addresses that do not answer leave time for the others.
    auto to_connect = limit;
    if (proxy_.empty()) {
      client_->set_hostname_addr_map({{host_, addresses_[address_]}});
      to_connect /= static_cast<std::int64_t>(addresses_.size() - address_);
    }
    client_->set_connection_timeout(to_connect);
    client_->set_read_timeout(limit);
    client_->set_write_timeout(limit);
    client_->set_max_timeout(limit);
  }

  const HttpUrl& url_;
  std::string host_;
  std::unique_ptr<httplib::Client> client_;
  std::string proxy_;                   ///< empty: none
  std::vector<std::string> addresses_;  ///< numeric; none with a proxy
  std::size_t address_ = 0;             ///< the one to try
};

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
  Connection server(request, *url);
  if (!server.is_valid()) {
    return Unavailable(
        "cert_file or key_file cannot be read, or they do not fit");
  }
  const SteadyTime deadline = Clock::System().Now() + request.timeout;
  std::string path = url->path;
  for (int redirects = 0;; ++redirects) {
    if (Clock::System().Now() >= deadline) return Unavailable("time-out");
    std::string location;
    auto answer = server.Get(request, path, deadline, &location);
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
