#include "src/config/findings.h"

#include <algorithm>

#include "src/config/quoted.h"

namespace echo_exporter {

TextPosition PositionFinder::At(std::size_t offset) {
  offset = std::min(offset, text_.size());
  if (offset < at_) {
    at_ = begin_;
    position_ = {};
  }
  for (; at_ < offset; ++at_) {
    if (text_[at_] == '\n') {
      position_ = {position_.line + 1, 1};
    } else if (!ContinuesUtf8(text_[at_])) {
      ++position_.column;
    }
  }
  return position_;
}

void Findings::AddError(TextPosition position, std::string_view sentence) {
  errors_.push_back({position, std::string(sentence)});
}

void Findings::AddWarning(TextPosition position, std::string_view sentence) {
  warnings_.push_back({position, std::string(sentence)});
}

std::string Findings::PlaceText(TextPosition position) const {
  if (position.line <= line_places_.size()) {
    return line_places_[position.line - 1];
  }
  return file_name_ + ':' + std::to_string(position.line) + ':' +
         std::to_string(position.column);
}

std::vector<std::string> Findings::InFileOrder(
    std::vector<Finding> findings) const {
  std::stable_sort(findings.begin(), findings.end(),
                   [](const Finding& a, const Finding& b) {
                     return a.position < b.position;
                   });
  std::vector<std::string> lines;
  for (const Finding& finding : findings) {
    // A finding is one line, but parsers quote keys unchanged.
    lines.push_back(PlaceText(finding.position) + ": " +
                    EscapeControls(finding.sentence));
  }
  return lines;
}

}  // namespace echo_exporter
