#include "src/discovery/http_source.h"

#include <algorithm>
#include <exception>
#include <optional>
#include <string_view>
#include <utility>

#include "echo_exporter/version.h"
#include "src/base/duration.h"
#include "src/base/file.h"
#include "src/base/host_name.h"
#include "src/base/number_text.h"
#include "src/base/utf8.h"
#include "src/discovery/neighbours.h"

namespace echo_exporter {
namespace {

std::string Base64(std::string_view bytes) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      const bool there = i + k < bytes.size();
      group =
          group << 8 | (there ? static_cast<unsigned char>(bytes[i + k]) : 0U);
    }
    for (std::size_t k = 0; k < 4; ++k) {
      const bool there = i + k <= bytes.size();
      text += there ? kDigits[group >> (18 - 6 * k) & 63] : '=';
    }
  }
  return text;
}

/// What is in the file of a secret, which may end with a line break.
Result<std::string> ReadSecret(std::string_view key, const std::string& path) {
  constexpr std::size_t kMostBytes = std::size_t{64} * 1024;
  const auto fault = [&](const std::string& cause) {
    return Error{ErrorCode::kUnavailable,
                 std::string(key) + ": " + path + ": " + cause};
  };
  auto text = ReadFile(path, kMostBytes);
  if (!text.ok()) return fault(text.error().message);
  std::string secret = std::move(text).value();
  secret.erase(secret.find_last_not_of(" \t\r\n") + 1);  // npos: all of it
  if (secret.empty()) return fault("it is empty");
  if (HasControl(secret)) return fault("it has more than one line");
  return secret;
}

/// As Prometheus does: application/json, in UTF-8 if it has a character set.
bool IsJson(const std::string& content_type) {
  std::string text = LowerCase(content_type);
  std::erase_if(text, [](char c) { return c == ' ' || c == '\t' || c == '"'; });
  return text == "application/json" || text == "application/json;charset=utf-8";
}

}  // namespace

HttpSource::HttpSource(ListServices& services, const Means& means,
                       HttpDiscoveryConfig config)
    : services_(services),
      means_(means),
      config_(std::move(config)),
      list_(std::make_shared<KeptList>(
          services, config_.url, TargetListFormat::kJson, config_.strip_port)) {
}

SteadyTime HttpSource::Look(SteadyTime now) {
  {
    const MutexLock lock(mutex_);
    if (busy_) return SteadyTime::max();
    if (!next_) next_ = now + Spread(config_.refresh_interval / 10);
    if (now < *next_) return *next_;
    busy_ = true;
  }
  const auto fetch = [self = shared_from_this()] {
    bool good = false;
    try {
      const std::string fault = self->Fetch();
      good = fault.empty();
      if (!good) self->list_->Fail(fault);
    } catch (const std::exception&) {
      self->list_->FailWithoutMemory();
    }
    self->End(good);
  };
  if (!means_.run(fetch)) {
    list_->Fail("no thread or no memory to fetch the list");
    End(/*good=*/false);
  }
  return SteadyTime::max();
}

/// A part of `time` that differs between hosts and between calls.
Nanoseconds HttpSource::Spread(Nanoseconds time) {
  const std::uint64_t draw =
      SpreadHash(means_.hostname + '\0' + config_.url, draws_++);
  constexpr double kAll = 18446744073709551616.0;  // 2^64
  return Nanoseconds(static_cast<std::int64_t>(
      static_cast<double>(draw) / kAll * static_cast<double>(time.count())));
}

void HttpSource::End(bool good) {
  {
    const MutexLock lock(mutex_);
    busy_ = false;
    Nanoseconds wait = config_.refresh_interval;
    if (good) {
      failures_ = 0;
    } else {
      constexpr std::uint32_t kMostDoublings = 10;
      constexpr Nanoseconds kLongestRetry = std::chrono::minutes(10);
      wait = std::min(kFirstRetry * (1 << std::min(failures_, kMostDoublings)),
                      std::clamp(wait, kMostPatience, kLongestRetry));
      ++failures_;
    }
    next_ = services_.clock.Now() + wait - wait / 20 + Spread(wait / 10);
  }
  means_.wake();
}

Result<HttpGet> HttpSource::Request() const {
  HttpGet request{.url = config_.url,
                  .ca_file = config_.ca_file,
                  .cert_file = config_.cert_file,
                  .key_file = config_.key_file,
                  .server_name = config_.server_name,
                  .proxy_url = config_.proxy_url,
                  .timeout = std::min(config_.refresh_interval, kMostPatience),
                  .max_bytes = kMaxTargetListBytes};
  request.headers = {{"User-Agent", "echo_exporter/" + std::string(kVersion)},
                     {"Accept", "application/json"},
                     {"X-Prometheus-Refresh-Interval-Seconds",
                      NumberText(ToSeconds(config_.refresh_interval))}};
  if (!config_.bearer_token_file.empty()) {
    const auto token =
        ReadSecret("bearer_token_file", config_.bearer_token_file);
    if (!token.ok()) return token.error();
    request.headers.emplace_back("Authorization", "Bearer " + token.value());
  } else if (!config_.username.empty()) {
    const auto password = ReadSecret("password_file", config_.password_file);
    if (!password.ok()) return password.error();
    request.headers.emplace_back(
        "Authorization",
        "Basic " + Base64(config_.username + ':' + password.value()));
  }
  return request;
}

std::string HttpSource::Fetch() {
  auto request = Request();
  if (!request.ok()) return request.error().message;
  const std::string etag = list_->etag();
  if (!etag.empty()) {
    request.value().headers.emplace_back("If-None-Match", etag);
  }
  auto answer = means_.fetch(request.value());
  if (!answer.ok()) return answer.error().message;
  HttpAnswer& got = answer.value();
  if (got.status == 304 && !etag.empty()) {
    list_->Confirm();
    return "";
  }
  if (got.status != 200) {
    return "the server answers with the status " + std::to_string(got.status) +
           ", not 200";
  }
  if (!IsJson(got.content_type)) {
    return "the content type is \"" + got.content_type +
           "\", not application/json";
  }
  if (got.etag.size() > 1024 || HasControl(got.etag)) got.etag.clear();
  return list_->Take(std::move(got.body), std::move(got.etag));
}

}  // namespace echo_exporter
