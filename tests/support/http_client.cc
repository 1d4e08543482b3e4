#include "tests/support/http_client.h"

#include <httplib.h>

#include <algorithm>

namespace echo_exporter {
namespace {

std::optional<ReceivedResponse> ToResponse(const httplib::Result& result) {
  if (!result) return std::nullopt;
  return ReceivedResponse{
      .status = result->status,
      .headers = {result->headers.begin(), result->headers.end()},
      .body = result->body};
}

}  // namespace

std::string ReceivedResponse::header(const std::string& name) const {
  for (const auto& [key, value] : headers) {
    if (key == name) return value;
  }
  return {};
}

std::size_t ReceivedResponse::header_count(const std::string& name) const {
  return static_cast<std::size_t>(
      std::ranges::count(headers, name, &HttpHeaders::value_type::first));
}

struct HttpClient::Library {
  explicit Library(const std::string& url) : client(url) {
    client.set_keep_alive(true);
    client.set_decompress(false);
  }

  httplib::Client client;
};

HttpClient::HttpClient(const std::string& url)
    : library_(std::make_unique<Library>(url)) {}

HttpClient::~HttpClient() = default;

std::optional<ReceivedResponse> HttpClient::Get(const std::string& target,
                                                const HttpHeaders& headers) {
  return ToResponse(
      library_->client.Get(target, {headers.begin(), headers.end()}));
}

std::optional<ReceivedResponse> HttpClient::Post(const std::string& target) {
  return ToResponse(library_->client.Post(target));
}

}  // namespace echo_exporter
