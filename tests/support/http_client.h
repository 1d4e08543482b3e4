#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/support/raw_http_client.h"

namespace echo_exporter {

/// Names and values.
using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

/// What a client has received as a whole.
struct ReceivedResponse {
  int status = 0;
  HttpHeaders headers;
  std::string body;  ///< as sent: compressed if it is

  /// The value of the first header of that name, exactly so written; empty
  /// without one.
  std::string header(const std::string& name) const;
  std::size_t header_count(const std::string& name) const;
};

/// A client of HTTP/1.1 that shares no code with the server, and takes only
/// what is well formed: a body of a length or in chunks, to its last byte.
///
/// Confined to one thread.
class HttpClient {
 public:
  /// One connection for all requests to a server such as
  /// "http://127.0.0.1:10115" or "http://[::1]:10115".
  explicit HttpClient(const std::string& url);

  /// `target` is sent as it is. Absent when no complete response came.
  std::optional<ReceivedResponse> Get(const std::string& target,
                                      const HttpHeaders& headers = {});
  /// Without a body.
  std::optional<ReceivedResponse> Post(const std::string& target);

 private:
  std::optional<ReceivedResponse> Ask(const std::string& request);
  std::optional<std::string> ReadBody(const ReceivedResponse& response);
  std::optional<std::string> ReadChunks();
  std::optional<std::string> ReadLine();
  std::optional<std::string> ReadBytes(std::size_t size);

  RawHttpClient connection_;
  std::string host_;      ///< and port, as in the URL
  std::string received_;  ///< and not looked at yet
};

}  // namespace echo_exporter
