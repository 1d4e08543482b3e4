#include "src/app/text_columns.h"

#include <algorithm>
#include <cstddef>

namespace echo_exporter {
namespace {

constexpr std::size_t kIndent = 2;
constexpr std::size_t kDescriptionColumn = 30;
constexpr std::size_t kWidth = 80;

}  // namespace

std::string TextColumns(std::string_view term, std::string_view description) {
  std::string text(kIndent, ' ');
  text += term;
  std::size_t column = text.size();
  // At least two spaces separate the columns.
  if (column + 2 > kDescriptionColumn) {
    text += '\n';
    column = 0;
  }
  bool line_is_empty = true;
  while (!description.empty()) {
    const std::size_t size =
        std::min(description.find(' '), description.size());
    if (!line_is_empty && column + 1 + size > kWidth) {
      text += '\n';
      column = 0;
      line_is_empty = true;
    }
    const std::size_t gap = line_is_empty ? kDescriptionColumn - column : 1;
    text.append(gap, ' ');
    text += description.substr(0, size);
    column += gap + size;
    line_is_empty = false;
    description.remove_prefix(std::min(size + 1, description.size()));
  }
  text += '\n';
  return text;
}

}  // namespace echo_exporter
