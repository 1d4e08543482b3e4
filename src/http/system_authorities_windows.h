#pragma once

// clang-format off: windows.h first.
#include <windows.h>
#include <wincrypt.h>
// clang-format on

namespace echo_exporter {

/// Whether an authority may certify clients, as far as it, or the system's
/// store, restricts what it may certify. Thread-safe.
bool MayCertifyClients(PCCERT_CONTEXT authority);

}  // namespace echo_exporter
