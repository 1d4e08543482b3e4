#include "src/base/console.h"

namespace echo_exporter {

Utf8Console::Utf8Console() = default;

void Utf8Console::Restore() { old_code_page_ = 0; }

}  // namespace echo_exporter
