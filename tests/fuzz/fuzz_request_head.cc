// libFuzzer target: the head of an HTTP request.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "src/http/request_head.h"

namespace {

using echo_exporter::EndsHead;
using echo_exporter::ParseRequestHead;
using echo_exporter::RequestHead;

void Require(bool condition) {
  if (!condition) std::abort();
}

/// The head as the plainest client would send it.
std::string Compose(const RequestHead& head) {
  std::string text = head.method + ' ' + head.target +
                     (head.is_http10 ? " HTTP/1.0\r\n" : " HTTP/1.1\r\n");
  for (const auto& [name, value] : head.headers) {
    text.append(name).append(": ").append(value).append("\r\n");
  }
  return text + "\r\n";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto head = ParseRequestHead(text);
  if (!head) return 0;

  // It ends where a reader of lines sees its end, and nowhere before.
  Require(EndsHead(text));
  for (std::size_t end = 0; end < size; ++end) {
    Require(!EndsHead(text.substr(0, end)));
  }
  Require(head->target.starts_with('/') || head->target == "*");
  Require(std::ranges::none_of(head->target, [](char c) {
    return (c >= 0 && c <= ' ') || c == '\x7f';
  }));
  // Nothing is lost, and no value can be taken for more than one header.
  const auto again = ParseRequestHead(Compose(*head));
  Require(
      again && again->method == head->method && again->target == head->target &&
      again->is_http10 == head->is_http10 && again->headers == head->headers &&
      again->HasBody() == head->HasBody());
  return 0;
}
