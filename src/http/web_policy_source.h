#ifndef ECHO_EXPORTER_SRC_HTTP_WEB_POLICY_SOURCE_H_
#define ECHO_EXPORTER_SRC_HTTP_WEB_POLICY_SOURCE_H_

#include <memory>

#include "echo_exporter/web_security.h"
#include "src/http/web_policy.h"

namespace echo_exporter {

/// What the server sees of a WebSecurity; every one is such a source.
///
/// Thread-safe.
class WebPolicySource : public WebSecurity {
 public:
  /// What is in force now. Looks at the files, but reads them only when they
  /// have changed.
  virtual std::shared_ptr<const WebPolicy> Current() = 0;
};

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_SRC_HTTP_WEB_POLICY_SOURCE_H_
