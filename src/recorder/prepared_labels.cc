#include "src/recorder/prepared_labels.h"

#include <string_view>

#include "src/recorder/text_format.h"

namespace echo_exporter {

std::string RenderPairLabels(const PairLabels& labels) {
  std::string text;
  ForEachLabel(labels, [&text](std::string_view name, std::string_view value) {
    if (!text.empty()) text.push_back(',');
    AppendLabel(name, value, &text);
  });
  text.shrink_to_fit();
  return text;
}

}  // namespace echo_exporter
