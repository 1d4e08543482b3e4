#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "echo_exporter/config.h"
#include "echo_exporter/probe_recorder.h"
#include "src/discovery/list_source.h"

namespace echo_exporter {

/// Everything that makes a source what it is: equal ones are the same source.
using SourceKey = std::vector<std::string>;

SourceKey KeyOf(const std::string& group, const FileDiscoveryConfig& config);
SourceKey KeyOf(const std::string& group, const HttpDiscoveryConfig& config);

struct GroupSource {
  std::string group;
  std::shared_ptr<ListSource> source;
};
using SourceSet = std::map<SourceKey, GroupSource>;

/// `rejected`: besides those that are no targets anywhere, by the names of
/// group and list with a NUL between them.
std::vector<DiscoveryStatus::Lists> StatusOf(
    const SourceSet& sources,
    const std::map<std::string, std::uint64_t>& rejected);

}  // namespace echo_exporter
