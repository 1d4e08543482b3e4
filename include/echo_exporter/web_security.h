#ifndef ECHO_EXPORTER_WEB_SECURITY_H_
#define ECHO_EXPORTER_WEB_SECURITY_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace echo_exporter {

class WebPolicy;
struct WebSecurityOutcome;

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

  /// Calls `on_reload` after every reload, with whether the files were valid.
  /// It must not call this object. The one before is not called any more.
  virtual void SetReloadObserver(std::function<void(bool good)> on_reload) = 0;
};

/// Either the policy or every error in it.
struct WebSecurityOutcome {
  std::shared_ptr<WebSecurity> security;
  std::vector<std::string> errors;    ///< "file:line:column: sentence" each
  std::vector<std::string> warnings;  ///< the same
  std::vector<std::string> files;     ///< the file and those that it names
};

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_WEB_SECURITY_H_
