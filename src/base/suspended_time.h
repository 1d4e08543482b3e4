#pragma once

#include "echo_exporter/clock.h"

namespace echo_exporter {

/// How long this machine was suspended (sleep, hibernation) in total since an
/// arbitrary moment: the difference of a clock that counts suspended time and
/// one that does not. Two results that are minutes apart differ by the
/// suspended time between them, to within 100 ms. A virtual machine whose host
/// pauses it without telling it is not suspended in this sense: its clocks
/// stand still or advance together.
///
/// A process that was merely stopped was not suspended. Thread-safe.
Nanoseconds SuspendedTime();

}  // namespace echo_exporter
