#ifndef ECHO_EXPORTER_SRC_WEB_STATUS_PAGE_H_
#define ECHO_EXPORTER_SRC_WEB_STATUS_PAGE_H_

#include <string>
#include <string_view>
#include <vector>

#include "echo_exporter/pair_history.h"
#include "src/web/pair_list.h"
#include "src/web/status_json.h"

namespace echo_exporter {

/// What the status page needs besides pairs.
struct PageParts {
  std::string script;  ///< its address, as that of the style
  std::string style;
  std::vector<std::string> modules;  ///< of /probe; none: it is off
};

/// The first page in HTML, which is complete without the script; that takes
/// over the elements with an id. Texts may be any, since the page escapes them.
std::string StatusPage(const PairList& list, const PairQuery& query,
                       const StatusFacts& facts, const PageParts& parts,
                       PairHistory& history);

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_SRC_WEB_STATUS_PAGE_H_
