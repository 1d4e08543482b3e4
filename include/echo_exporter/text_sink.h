#ifndef ECHO_EXPORTER_TEXT_SINK_H_
#define ECHO_EXPORTER_TEXT_SINK_H_

#include <functional>
#include <string_view>

namespace echo_exporter {

/// Takes a long text piece by piece, in order, so that it never has to be in
/// memory as a whole. A piece is valid during the call only. False: nobody
/// wants the rest any more.
using TextSink = std::function<bool(std::string_view piece)>;

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_TEXT_SINK_H_
