#pragma once

#include <iosfwd>

#include "echo_exporter/address_book.h"
#include "echo_exporter/exporter.h"
#include "src/app/command_line.h"
#include "src/service/process_events.h"

namespace echo_exporter {

/// `echo_exporter ping`: sends from the calling thread, writes a line per echo
/// to `out` and a summary at the end, or at a stop of `events`. Errors go to
/// `err`. Returns the program's exit code: 0 when any reply came, 1 when none,
/// 2 when the request makes no sense.
int RunPing(const PingOptions& options,
            const Exporter::Environment& environment, ProcessEvents& events,
            std::ostream& out, std::ostream& err);

}  // namespace echo_exporter
