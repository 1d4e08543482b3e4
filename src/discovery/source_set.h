#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "echo_exporter/config.h"
#include "echo_exporter/probe_recorder.h"
#include "src/discovery/list_source.h"

namespace echo_exporter {

/// The group of a source and its configuration: equal ones are the same source.
using SourceKey =
    std::pair<std::string,
              std::variant<FileDiscoveryConfig, HttpDiscoveryConfig>>;
using SourceSet = std::map<SourceKey, std::shared_ptr<ListSource>>;

/// `rejected`: besides those that are no targets anywhere, by the names of
/// group and list with a NUL between them.
std::vector<DiscoveryStatus::Lists> StatusOf(
    const SourceSet& sources,
    const std::map<std::string, std::uint64_t>& rejected);

/// Whoever ends a source and begins it again later wants none of its targets
/// back, so they do not stay stored.
void DropEnded(const SourceSet& before, const SourceSet& now);

}  // namespace echo_exporter
