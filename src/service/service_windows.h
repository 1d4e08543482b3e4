#ifndef ECHO_EXPORTER_SRC_SERVICE_SERVICE_WINDOWS_H_
#define ECHO_EXPORTER_SRC_SERVICE_SERVICE_WINDOWS_H_

namespace echo_exporter {

/// The name of the Windows service.
inline constexpr wchar_t kServiceName[] = L"echo_exporter";

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_SRC_SERVICE_SERVICE_WINDOWS_H_
