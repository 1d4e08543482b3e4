#include "src/service/privileges.h"

namespace echo_exporter {

// Nothing is needed beyond what any user has, neither to send (the IP Helper
// API asks for no right) nor to listen (no port is reserved), so there is
// nothing to give up: the service's account has what rights it has.
Status DropPrivileges(const KeptRights& /*rights*/) { return std::monostate{}; }

}  // namespace echo_exporter
