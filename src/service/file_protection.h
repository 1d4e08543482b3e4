#ifndef ECHO_EXPORTER_SRC_SERVICE_FILE_PROTECTION_H_
#define ECHO_EXPORTER_SRC_SERVICE_FILE_PROTECTION_H_

#include <string>
#include <vector>

namespace echo_exporter {

/// For each of `files`, and of the folders on the way to them, that others than
/// administrators, the system and the account of this process can change: a
/// sentence that names it, who they are, and the commands that take it away
/// from them. Files that do not exist are passed over; where this cannot be
/// told, the log has a warning, or for a file without the right to ask, there
/// is a sentence, too. Thread-safe.
///
/// A Windows service needs this, because folders outside of those of the system
/// may be written to by every user unless somebody has seen to it. Always empty
/// on Linux, where new files are their owner's.
std::vector<std::string> FindUnprotected(const std::vector<std::string>& files);

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_SRC_SERVICE_FILE_PROTECTION_H_
