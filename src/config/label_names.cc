#include "src/config/label_names.h"

#include <algorithm>
#include <array>

#include "src/config/quoted.h"

namespace echo_exporter {
namespace {

constexpr std::array<std::string_view, 9> kBuiltInLabels = {
    "group",  "source",         "destination",         "outcome",   "le",
    "reason", "source_address", "destination_address", "ip_version"};

bool IsLabelName(std::string_view name) {
  const auto is_letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  return !name.empty() && is_letter(name.front()) && !name.starts_with("__") &&
         std::ranges::all_of(name, [&](char c) {
           return is_letter(c) || (c >= '0' && c <= '9');
         });
}

}  // namespace

std::string LabelNameFault(std::string_view name) {
  if (!IsLabelName(name)) {
    return Excerpt(name) +
           " is not a valid label name: use letters, digits and \"_\", not "
           "beginning with a digit or \"__\"";
  }
  if (std::ranges::find(kBuiltInLabels, name) != kBuiltInLabels.end()) {
    return Quoted(name) +
           " is a built-in label of the exporter; choose another name";
  }
  if (IsLabelOfPrometheus(name)) {
    return Quoted(name) +
           " is a label that Prometheus gives to the exporter as a whole; "
           "choose another name, or set it in the scrape configuration";
  }
  return {};
}

bool IsLabelOfPrometheus(std::string_view name) {
  return name == "instance" || name == "job";
}

}  // namespace echo_exporter
