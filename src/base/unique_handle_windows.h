#pragma once

#include <winsock2.h>  // before windows.h, which would bring its predecessor
#include <windows.h>

#include "src/base/unique_handle.h"

namespace echo_exporter {

struct KernelHandleTraits {
  using Handle = HANDLE;
  static Handle Invalid() { return nullptr; }
  static void Close(Handle handle) { CloseHandle(handle); }
};

/// A handle that CloseHandle() closes and that is null when its creation fails:
/// of events, timers, threads and processes.
using UniqueKernelHandle = UniqueHandle<KernelHandleTraits>;

struct FileHandleTraits : KernelHandleTraits {
  static Handle Invalid() { return INVALID_HANDLE_VALUE; }
};

/// What CreateFile() returns.
using UniqueFileHandle = UniqueHandle<FileHandleTraits>;

struct ServiceHandleTraits {
  using Handle = SC_HANDLE;
  static Handle Invalid() { return nullptr; }
  static void Close(Handle handle) { CloseServiceHandle(handle); }
};

/// Of a service or of the service control manager.
using UniqueServiceHandle = UniqueHandle<ServiceHandleTraits>;

}  // namespace echo_exporter
