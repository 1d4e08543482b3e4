#include <ostream>

#include "src/base/exit_code.h"
#include "src/service/service_command.h"

namespace echo_exporter {

int RunServiceCommand(const ServiceOptions& /*options*/, std::ostream& /*out*/,
                      std::ostream& err) {
  err << "echo_exporter: `service` is available on Windows only; on Linux use "
         "systemd, as in `systemctl status echo_exporter`\n";
  return kExitUsage;
}

}  // namespace echo_exporter
