#include <windows.h>

#include "src/base/thread_priority.h"

namespace echo_exporter {

RaisedThreadPriority::RaisedThreadPriority() {
  const int before = GetThreadPriority(GetCurrentThread());
  if (before != THREAD_PRIORITY_ERROR_RETURN &&
      SetThreadPriority(GetCurrentThread(), THREAD_PRIORITY_ABOVE_NORMAL) !=
          FALSE) {
    before_ = before;
  }
}

RaisedThreadPriority::~RaisedThreadPriority() {
  if (before_)
    SetThreadPriority(GetCurrentThread(), static_cast<int>(*before_));
}

}  // namespace echo_exporter
