#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "echo_exporter/clock.h"

namespace echo_exporter {

class WebPolicy;
struct WebSecurityOutcome;

/// What there is to know of the web configuration.
struct WebSecurityState {
  bool good = true;  ///< whether the files as last read were valid
  /// When the first of the certificates that are served expires; absent
  /// without TLS.
  std::optional<WallTime> certificate_expiry;
};

/// The most bytes of a password that bcrypt considers.
inline constexpr std::size_t kMaxPasswordBytes = 72;

/// A bcrypt hash for basic_auth_users. `cost`: 4 .. 18, each step doubles the
/// time of a check. Requires 1 to kMaxPasswordBytes bytes, none of them zero.
std::string HashPassword(const std::string& password, std::uint16_t cost);

/// The policy in the file of --web.config.file, kept up to date with the file
/// and with the certificates, keys and CAs that it names. An invalid new
/// version is rejected and the previous one stays in force. No request waits
/// for files.
///
/// Thread-safe.
class WebSecurity {
 public:
  /// Reads the file for the first time.
  static WebSecurityOutcome Open(const std::string& path);

  virtual ~WebSecurity() = default;

  /// Whether the server uses TLS. This never changes: a new version that
  /// differs in it is rejected, so that an editing mistake cannot turn HTTPS
  /// into HTTP.
  virtual bool uses_tls() const = 0;

  /// The policy in force, for the server. Never waits for a file.
  virtual std::shared_ptr<const WebPolicy> Current() = 0;

  /// Reads the files. A change takes effect when two looks in a row have seen
  /// the same files, because files may be seen half written. One that takes
  /// away a kind of authentication, or everything, is rejected for the same
  /// reason.
  virtual void Look() = 0;

  /// Looks each second from now on, on a thread of its own, until destroyed.
  virtual void Watch() = 0;

  /// Reads the files at once because somebody asked for it, and puts them in
  /// force whatever they take away. Returns every error.
  virtual std::vector<std::string> Reload() = 0;

  using Observer = std::function<void(const WebSecurityState&)>;

  /// Calls `observer`, unless null, now and after every reload. It must not
  /// call this object. The one before is not called any more.
  virtual void SetObserver(Observer observer) = 0;
};

/// Either the policy or every error in it.
struct WebSecurityOutcome {
  std::shared_ptr<WebSecurity> security;
  std::vector<std::string> errors;    ///< "file:line:column: sentence" each
  std::vector<std::string> warnings;  ///< the same
  std::vector<std::string> files;     ///< the file and those that it names
};

}  // namespace echo_exporter
