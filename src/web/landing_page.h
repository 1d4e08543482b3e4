#ifndef ECHO_EXPORTER_SRC_WEB_LANDING_PAGE_H_
#define ECHO_EXPORTER_SRC_WEB_LANDING_PAGE_H_

#include <cstddef>
#include <string>
#include <vector>

namespace echo_exporter {

/// The content of the page at /. The texts may be any, since the page escapes
/// them.
struct LandingPage {
  struct Link {
    std::string address;
    std::string text;
  };
  std::string version;
  std::size_t pair_count = 0;
  std::vector<Link> links;
};

/// The page in HTML, without style or script. Pure.
std::string RenderLandingPage(const LandingPage& page);

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_SRC_WEB_LANDING_PAGE_H_
