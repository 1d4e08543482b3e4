#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "echo_exporter/clock.h"
#include "echo_exporter/http_client.h"
#include "echo_exporter/result.h"
#include "echo_exporter/text_sink.h"
#include "src/http/request_head.h"
#include "src/http/socket.h"

namespace echo_exporter {

// What is taken of cpp-httplib: its server calls handlers and writes responses,
// its client does the whole of a request.

/// A valid request as the library has read it.
struct LibraryRequest {
  const std::string& method;
  const std::string& path;    ///< decoded, without the query
  const std::string& target;  ///< as sent
};

/// A response. The library adds framing.
struct LibraryResponse {
  int status = 200;
  std::string content_type = {};
  std::string body = {};
  std::vector<std::pair<std::string, std::string>> headers = {};
  /// Used instead of `body`: writes it, and returns false to abort the
  /// response.
  std::function<bool(const TextSink&)> write_body = nullptr;
  /// How `write_body` is sent: in chunks, or ended by the connection's end.
  bool chunked = true;
};

/// The connection of a LibraryServer, and what is decided about its responses.
class LibraryExchange {
 public:
  virtual ~LibraryExchange() = default;

  /// Of the connection.
  virtual SocketHandle socket() const = 0;
  virtual bool IsOpen() const = 0;
  /// False when not all of it was sent.
  virtual bool Write(const char* data, std::size_t size) = 0;

  /// The head is one that the library takes. `closes`: it knows that the
  /// connection ends with the response.
  virtual void BeginResponse(bool closes) = 0;
  /// An exception becomes status 500.
  virtual LibraryResponse Respond(const LibraryRequest& request) = 0;
  /// The response to what the library rejects with `status`, or to what
  /// Respond() gave an error's status and no body.
  virtual LibraryResponse Explain(int status) = 0;
  /// The headers that replace any of the same names, in every response.
  virtual std::vector<std::pair<std::string, std::string>> FinalHeaders()
      const = 0;
  /// Called before the response is sent.
  virtual void OnResponse(const std::string& path, int status) = 0;
};

/// The library's server for one connection.
///
/// Confined to the connection's thread.
class LibraryServer {
 public:
  virtual ~LibraryServer() = default;

  /// Writes the response to a request; `head` is null when it is none. `last`:
  /// the connection is to end with it. False when it has ended.
  virtual bool Respond(const RequestHead* head, bool last) = 0;
};

/// `exchange` must outlive it.
std::unique_ptr<LibraryServer> CreateLibraryServer(LibraryExchange& exchange);

/// The library's words for a status, as in "Not Found".
std::string StatusWords(int status);

/// Why there is no answer.
Error Unavailable(const std::string& cause);

/// A server, and how it is reached.
///
/// Confined to one thread.
class LibraryClient {
 public:
  virtual ~LibraryClient() = default;

  /// `path`: with the query. Fills in `location` where the answer has one.
  virtual Result<HttpAnswer> Get(const std::string& path, SteadyTime deadline,
                                 std::string* location) = 0;
};

/// Null when the certificate or the key cannot be read, or they do not fit.
/// `request` and `url`, which is that of `request`, must outlive it.
std::unique_ptr<LibraryClient> CreateLibraryClient(const HttpGet& request,
                                                   const HttpUrl& url);

}  // namespace echo_exporter
