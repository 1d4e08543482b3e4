#include "src/service/privileges.h"

namespace echo_exporter {

// No special rights are needed, neither to send (the IP Helper API requires
// none) nor to listen (no port is reserved), so there is nothing to drop: the
// account of the service determines its rights.
Status DropPrivileges(const KeptRights& /*rights*/) { return std::monostate{}; }

}  // namespace echo_exporter
