#ifndef ECHO_EXPORTER_SRC_SERVICE_SERVICE_WINDOWS_H_
#define ECHO_EXPORTER_SRC_SERVICE_SERVICE_WINDOWS_H_

namespace echo_exporter {

/// The name of the Windows service.
inline constexpr wchar_t kServiceName[] = L"echo_exporter";

/// The SID of its account, NT SERVICE\\echo_exporter. It follows from the name
/// (the SHA-1 digest of the name in capitals as UTF-16, as five numbers), on
/// every machine and also before there is a service.
inline constexpr char kServiceSid[] =
    "S-1-5-80-3346263763-1372307240-3842606757-558583402-3289773060";

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_SRC_SERVICE_SERVICE_WINDOWS_H_
