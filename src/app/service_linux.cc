#include <memory>

#include "src/app/service.h"

namespace echo_exporter {
namespace {

class LinuxServiceStatus final : public ServiceStatus {
 public:
  void NotifyReady() override {}
  void NotifyReloading() override {}
  void NotifyStopping() override {}
  bool HasNoConsole() const override { return false; }
};

}  // namespace

int RunUnderServiceManager(const DaemonBody& body) {
  const auto events = ProcessEvents::Create(/*reload=*/true);
  LinuxServiceStatus status;
  return body(*events, status);
}

}  // namespace echo_exporter
