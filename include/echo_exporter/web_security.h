#ifndef ECHO_EXPORTER_WEB_SECURITY_H_
#define ECHO_EXPORTER_WEB_SECURITY_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace echo_exporter {

class WebPolicySource;
struct WebSecurityOutcome;

/// What the file of --web.config.file says, kept up to date: the file, and the
/// certificates, keys and CAs that it names, are read again when they have
/// changed, at the requests that come in. A new version that is wrong leaves
/// the old one in force.
///
/// Thread-safe.
class WebSecurity {
 public:
  /// Reads the file for the first time.
  static WebSecurityOutcome Open(const std::string& path);

  virtual ~WebSecurity() = default;

  /// Whether the server speaks TLS. It stays that way: a version that says
  /// otherwise is taken for wrong, so that no slip of a hand turns HTTPS into
  /// HTTP.
  virtual bool uses_tls() const = 0;

  /// Calls `on_reload` whenever the files were read again, with whether they
  /// were good. It must not call back.
  virtual void SetReloadObserver(std::function<void(bool good)> on_reload) = 0;

 private:
  // The server's own view of it: Open() makes nothing else.
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
