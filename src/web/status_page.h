#pragma once

#include <string>

#include "echo_exporter/pair_history.h"
#include "src/web/pair_list.h"
#include "src/web/status_json.h"

namespace echo_exporter {

/// The first page in HTML, which is complete without the script; that takes
/// over the elements with an id. Texts may be any, since the page escapes them.
std::string StatusPage(const PairList& list, const PairQuery& query,
                       const StatusFacts& facts, PairHistory& history);

}  // namespace echo_exporter
