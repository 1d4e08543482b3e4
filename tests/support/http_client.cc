#include "tests/support/http_client.h"

#include <algorithm>
#include <charconv>
#include <system_error>

namespace echo_exporter {
namespace {

constexpr std::string_view kScheme = "http://";
constexpr std::string_view kVersion = "HTTP/1.1 ";
constexpr int kDecimal = 10;
constexpr int kHexadecimal = 16;

int PortOf(const std::string& url) {
  return std::stoi(url.substr(url.rfind(':') + 1));
}

// The host of a URL without the brackets of an IPv6 address.
std::string AddressOf(const std::string& url) {
  std::string host = url.substr(0, url.rfind(':')).substr(kScheme.size());
  std::erase_if(host, [](char c) { return c == '[' || c == ']'; });
  return host;
}

std::optional<std::size_t> ToSize(std::string_view text, int base) {
  std::size_t size = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, size, base);
  if (error != std::errc{} || rest != end) return std::nullopt;
  return size;
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

HttpClient::HttpClient(const std::string& url)
    : connection_(PortOf(url), 0, AddressOf(url).c_str()),
      host_(url.substr(kScheme.size())) {}

std::optional<ReceivedResponse> HttpClient::Get(const std::string& target,
                                                const HttpHeaders& headers) {
  std::string request =
      "GET " + target + " HTTP/1.1\r\nHost: " + host_ + "\r\n";
  for (const auto& [name, value] : headers) {
    request.append(name).append(": ").append(value).append("\r\n");
  }
  return Ask(request + "\r\n");
}

std::optional<ReceivedResponse> HttpClient::Post(const std::string& target) {
  return Ask("POST " + target + " HTTP/1.1\r\nHost: " + host_ +
             "\r\nContent-Length: 0\r\n\r\n");
}

std::optional<ReceivedResponse> HttpClient::Ask(const std::string& request) {
  if (!connection_.connected()) return std::nullopt;
  connection_.Send(request);  // a refused request may have a response as well
  const auto status = ReadLine();
  if (!status || !status->starts_with(kVersion)) return std::nullopt;
  ReceivedResponse response;
  response.status = std::stoi(status->substr(kVersion.size()));
  while (true) {
    const auto line = ReadLine();
    if (!line) return std::nullopt;
    if (line->empty()) break;
    const std::size_t colon = line->find(": ");
    if (colon == std::string::npos) return std::nullopt;
    response.headers.emplace_back(line->substr(0, colon),
                                  line->substr(colon + 2));
  }
  auto body = ReadBody(response);
  if (!body) return std::nullopt;
  response.body = std::move(*body);
  return response;
}

std::optional<std::string> HttpClient::ReadBody(
    const ReceivedResponse& response) {
  if (response.header("Transfer-Encoding") == "chunked") return ReadChunks();
  const auto length = ToSize(response.header("Content-Length"), kDecimal);
  return length ? ReadBytes(*length) : std::nullopt;
}

std::optional<std::string> HttpClient::ReadChunks() {
  std::string body;
  while (true) {
    const auto line = ReadLine();
    const auto size = line ? ToSize(*line, kHexadecimal) : std::nullopt;
    if (!size) return std::nullopt;
    const auto chunk = ReadBytes(*size);
    if (!chunk || ReadLine() != "") return std::nullopt;
    if (*size == 0) return body;
    body += *chunk;
  }
}

std::optional<std::string> HttpClient::ReadLine() {
  std::size_t end;
  while ((end = received_.find("\r\n")) == std::string::npos) {
    if (!connection_.ReadSome(&received_)) return std::nullopt;
  }
  std::string line = received_.substr(0, end);
  received_.erase(0, end + 2);
  return line;
}

std::optional<std::string> HttpClient::ReadBytes(std::size_t size) {
  while (received_.size() < size) {
    if (!connection_.ReadSome(&received_)) return std::nullopt;
  }
  std::string bytes = received_.substr(0, size);
  received_.erase(0, size);
  return bytes;
}

}  // namespace echo_exporter
