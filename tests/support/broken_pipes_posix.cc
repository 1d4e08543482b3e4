// Clients of the tests vanish. That must not end their process, as it does not
// end the program.

#include "src/service/process_events.h"

namespace echo_exporter {
namespace {

[[maybe_unused]] const bool ignored = [] {
  IgnoreBrokenPipes();
  return true;
}();

}  // namespace
}  // namespace echo_exporter
