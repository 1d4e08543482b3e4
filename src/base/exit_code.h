#pragma once

namespace echo_exporter {

// Exit codes of the program.
inline constexpr int kExitSuccess = 0;
inline constexpr int kExitFailure = 1;  ///< at run time; `ping`: no reply
inline constexpr int kExitUsage = 2;    ///< command line or configuration

}  // namespace echo_exporter
