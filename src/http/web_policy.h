#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "echo_exporter/clock.h"
#include "echo_exporter/http_server.h"
#include "echo_exporter/web_config.h"
#include "src/base/mutex.h"
#include "src/base/token_bucket.h"
#include "src/http/channel.h"
#include "src/http/password_check.h"
#include "src/http/tls_context.h"

namespace echo_exporter {

/// One version of the web configuration, ready for use.
///
/// Thread-safe.
class WebPolicy {
 public:
  /// Null, with errors added, when a certificate, a key or a CA is not valid.
  /// `passwords` remembers passwords from one version to the next.
  static std::shared_ptr<const WebPolicy> Create(
      const WebConfig& config, std::shared_ptr<PasswordCheck> passwords,
      std::vector<std::string>* errors);

  bool uses_tls() const { return tls_ != nullptr; }

  /// As in WebSecurityState.
  std::optional<WallTime> certificate_expiry() const {
    if (tls_ == nullptr) return std::nullopt;
    return tls_->certificate_expiry();
  }

  /// Whether this version has the same rules for client certificates as the
  /// other, so that a client accepted by that one need not be verified again.
  bool VerifiesClientsAs(const WebPolicy& other) const {
    return client_rules_ == other.client_rules_;
  }

  /// A channel for a new connection; null when memory runs out.
  std::unique_ptr<Channel> OpenChannel(SocketHandle socket) const;

  /// The response to a request that is rejected; absent when it is allowed.
  /// `authorization` is the value of the Authorization header; absent when
  /// there is none, empty when there are several. `client` is the client's
  /// address; absent when the system does not report it.
  std::optional<HttpResponse> Reject(
      const std::optional<std::string>& authorization,
      const std::optional<IpAddress>& client, SteadyTime now) const;

  /// Headers of every response; they come before the server's own.
  const std::vector<std::pair<std::string, std::string>>& headers() const {
    return headers_;
  }

 private:
  WebPolicy(const WebConfig& config, std::shared_ptr<PasswordCheck> passwords);

  bool IsWithinLimit(SteadyTime now, Nanoseconds* wait) const;

  /// The requirements for a client's certificate.
  struct ClientRules {
    std::string ca;
    ClientAuth auth = ClientAuth::kNoClientCert;
    std::vector<std::string> allowed_sans;

    friend bool operator==(const ClientRules&, const ClientRules&) = default;
  };

  std::shared_ptr<const TlsContext> tls_;
  ClientRules client_rules_;
  const std::vector<std::pair<std::string, std::string>> headers_;
  const std::optional<UserTable> users_;  ///< absent: no password is needed
  const std::shared_ptr<PasswordCheck> passwords_;
  /// Present when the rate limit rejects every request: how long clients are
  /// told to wait.
  std::optional<Nanoseconds> closed_;

  mutable Mutex mutex_;
  mutable std::optional<TokenBucket> limit_ GUARDED_BY(mutex_);
};

/// The name and the password in the value of an Authorization header with the
/// scheme Basic (RFC 7617). Absent for anything else. Pure.
std::optional<std::pair<std::string, std::string>> ParseBasicAuthorization(
    std::string_view value);

}  // namespace echo_exporter
