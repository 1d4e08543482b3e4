#ifndef ECHO_EXPORTER_SRC_APP_RESTART_SETTINGS_H_
#define ECHO_EXPORTER_SRC_APP_RESTART_SETTINGS_H_

#include <cstddef>
#include <string>
#include <vector>

#include "echo_exporter/config.h"

namespace echo_exporter {

/// Copies the settings that a running exporter cannot change from `now` to
/// `next`, and adds a note for each that differs.
void KeepUntilRestart(const ExporterConfig& now, ExporterConfig* next,
                      std::vector<std::string>* notes);

/// The most requests in flight at once. Without a number in the file, there is
/// room for twice as many pairs as there are at the start where discovery may
/// bring more, and for many in any case.
std::size_t MaxInFlight(const ExporterConfig& effective, bool discovers);

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_SRC_APP_RESTART_SETTINGS_H_
