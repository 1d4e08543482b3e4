#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "echo_exporter/clock.h"
#include "echo_exporter/result.h"

namespace echo_exporter {

/// "http://host:port/path?query", taken apart.
struct HttpUrl {
  bool is_tls = false;
  std::string host;  ///< an address without brackets, or a name
  int port = 0;
  /// With the query, without a fragment. In the query, a space that is sent as
  /// "%20" here is sent as "+".
  std::string path = "/";

  /// Absent when the text is none, has a user or a password (which pages and
  /// logs would show), or what may not be in a URL.
  static std::optional<HttpUrl> Parse(std::string_view text);
};

/// One GET request.
struct HttpGet {
  std::string url;  ///< see HttpUrl::Parse()
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::string ca_file = {};    ///< PEM; empty: the system's authorities
  std::string cert_file = {};  ///< PEM; this and the next: both or neither
  std::string key_file = {};
  /// In the certificate, if it is not the host in `url`; not with a proxy.
  std::string server_name = {};
  std::string proxy_url = {};  ///< http://host:port; empty: none
  Nanoseconds timeout = std::chrono::seconds(60);  ///< for all of it
  std::size_t max_bytes = 0;  ///< of the body, uncompressed
};

struct HttpAnswer {
  int status = 0;
  std::string content_type;  ///< with its parameters
  std::string etag;
  std::string body;  ///< of status 200 only
};

/// Sends it to the first address of the host that accepts it, follows up to ten
/// redirects to the same server, and reads the answer; blocks for its timeout
/// at most, and for as long as the system takes to look up the host. Verifies
/// the server's certificate. An error is a sentence without anything of the
/// request but host names. Thread-safe.
Result<HttpAnswer> Get(const HttpGet& request);

}  // namespace echo_exporter
