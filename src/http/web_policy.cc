#include "src/http/web_policy.h"

#include <botan/base64.h>

#include <algorithm>
#include <chrono>
#include <exception>

#include "src/base/header_value.h"

namespace echo_exporter {
namespace {

std::optional<UserTable> UsersOf(const WebConfig& config) {
  if (config.users.empty()) return std::nullopt;
  return std::optional<UserTable>(std::in_place, config.users);
}

}  // namespace

WebPolicy::WebPolicy(const WebConfig& config,
                     std::shared_ptr<PasswordCheck> passwords)
    : headers_(config.headers),
      users_(UsersOf(config)),
      passwords_(std::move(passwords)) {
  if (!config.rate_limit) return;
  if (config.rate_limit->burst == 0) {
    closed_ = config.rate_limit->interval;
  } else {
    limit_.emplace(config.rate_limit->interval, config.rate_limit->burst);
  }
}

std::shared_ptr<const WebPolicy> WebPolicy::Create(
    const WebConfig& config, std::shared_ptr<PasswordCheck> passwords,
    std::vector<std::string>* errors) {
  const std::shared_ptr<WebPolicy> policy(
      new WebPolicy(config, std::move(passwords)));
  if (config.tls) {
    policy->tls_ = TlsContext::Create(*config.tls, errors);
    if (!policy->tls_) return nullptr;
    policy->client_rules_ = {.ca = config.tls->client_ca.pem,
                             .auth = config.tls->client_auth,
                             .allowed_sans = config.tls->client_allowed_sans};
  }
  return policy;
}

std::unique_ptr<Channel> WebPolicy::OpenChannel(SocketHandle socket) const {
  if (tls_) return tls_->OpenChannel(socket);
  return std::make_unique<PlainChannel>(socket);
}

std::optional<HttpResponse> WebPolicy::Reject(
    const std::optional<std::string>& authorization,
    const std::optional<IpAddress>& client, SteadyTime now) const {
  Nanoseconds wait{};
  // First, because checking passwords takes time.
  if (!IsWithinLimit(now, &wait)) {
    return HttpResponse::RetryAfter(
        429, wait,
        "The rate limit of the web configuration is exceeded; retry later.");
  }
  if (!users_) return std::nullopt;
  if (authorization) {
    if (const auto pair = ParseBasicAuthorization(*authorization)) {
      switch (passwords_->Check(*users_, pair->first, pair->second,
                                ClientNetwork(client.value_or(IpAddress())))) {
        case PasswordCheck::Verdict::kRight:
          return std::nullopt;
        case PasswordCheck::Verdict::kBusy:
          return HttpResponse::RetryAfter(
              503, std::chrono::seconds(1),
              "Too many authentication attempts in progress; retry later.");
        case PasswordCheck::Verdict::kWrong:
          break;
      }
    }
  }
  HttpResponse response = HttpResponse::Text(401, "Authentication required.");
  response.headers.emplace_back("WWW-Authenticate", "Basic");
  return response;
}

bool WebPolicy::IsWithinLimit(SteadyTime now, Nanoseconds* wait) const {
  if (closed_) {
    *wait = *closed_;
    return false;
  }
  const MutexLock lock(mutex_);
  if (!limit_) return true;
  *wait = limit_->Take(now);
  return *wait == Nanoseconds::zero();
}

std::optional<std::pair<std::string, std::string>> ParseBasicAuthorization(
    std::string_view value) {
  constexpr std::string_view kScheme = "basic ";
  constexpr std::size_t kMaxBytes = 4096;
  if (value.size() > kMaxBytes ||
      !EqualsIgnoringCase(value.substr(0, kScheme.size()), kScheme)) {
    return std::nullopt;
  }
  value.remove_prefix(kScheme.size());
  value.remove_prefix(std::min(value.find_first_not_of(' '), value.size()));
  try {
    const auto bytes =
        Botan::base64_decode(value.data(), value.size(), /*ignore_ws=*/false);
    const std::string text(bytes.begin(), bytes.end());
    const std::size_t colon = text.find(':');
    if (colon == std::string::npos) return std::nullopt;
    return std::pair(text.substr(0, colon), text.substr(colon + 1));
  } catch (const std::exception&) {
    return std::nullopt;  // not base64
  }
}

}  // namespace echo_exporter
