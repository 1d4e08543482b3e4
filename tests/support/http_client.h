#ifndef ECHO_EXPORTER_TESTS_SUPPORT_HTTP_CLIENT_H_
#define ECHO_EXPORTER_TESTS_SUPPORT_HTTP_CLIENT_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

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

/// A client of HTTP that was not written with our server.
///
/// Confined to one thread.
class HttpClient {
 public:
  /// One connection for all requests to a server such as
  /// "http://127.0.0.1:10115".
  explicit HttpClient(const std::string& url);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  /// `target` is sent as it is. Absent when no complete response came.
  std::optional<ReceivedResponse> Get(const std::string& target,
                                      const HttpHeaders& headers = {});
  /// Without a body.
  std::optional<ReceivedResponse> Post(const std::string& target);

 private:
  struct Library;

  const std::unique_ptr<Library> library_;
};

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_TESTS_SUPPORT_HTTP_CLIENT_H_
