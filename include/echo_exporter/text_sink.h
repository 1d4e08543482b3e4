#pragma once

#include <functional>
#include <string_view>

namespace echo_exporter {

/// Receives a long text piece by piece, in order, so that it never has to be in
/// memory as a whole. A piece is valid only during the call. Returns false when
/// the rest is not needed any more.
using TextSink = std::function<bool(std::string_view piece)>;

}  // namespace echo_exporter
