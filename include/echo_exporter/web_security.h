#ifndef ECHO_EXPORTER_WEB_SECURITY_H_
#define ECHO_EXPORTER_WEB_SECURITY_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace echo_exporter {

class WebPolicySource;
struct WebSecurityOutcome;

/// The policy in the file of --web.config.file, kept up to date: each request
/// checks whether the file, or the certificates, keys and CAs that it names,
/// have changed, and reloads them then. An invalid new version is rejected and
/// the previous one stays in force.
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

  /// Calls `on_reload` after every reload, with whether the files were valid.
  /// It must not call this object.
  virtual void SetReloadObserver(std::function<void(bool good)> on_reload) = 0;

 private:
  // The server's view: every object that Open() creates is a WebPolicySource.
  friend class WebPolicySource;
  WebSecurity() = default;
};

/// Either the policy or every error in it.
struct WebSecurityOutcome {
  std::shared_ptr<WebSecurity> security;
  std::vector<std::string> errors;    ///< "file:line:column: sentence" each
  std::vector<std::string> warnings;  ///< the same
};

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_WEB_SECURITY_H_
