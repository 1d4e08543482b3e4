#ifndef ECHO_EXPORTER_SRC_HTTP_WEB_POLICY_SOURCE_H_
#define ECHO_EXPORTER_SRC_HTTP_WEB_POLICY_SOURCE_H_

#include <memory>

#include "echo_exporter/web_security.h"
#include "src/http/web_policy.h"

namespace echo_exporter {

/// The server's view of a WebSecurity; every WebSecurity is such a source.
///
/// Thread-safe.
class WebPolicySource : public WebSecurity {
 public:
  /// The policy in force. Never waits for a file.
  virtual std::shared_ptr<const WebPolicy> Current() = 0;

  /// Looks for changes once, as Watch() does each second.
  virtual void Look() = 0;
};

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_SRC_HTTP_WEB_POLICY_SOURCE_H_
