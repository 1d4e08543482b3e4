#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace echo_exporter {

/// The same on every platform, in every version: FNV-1a, then splitmix64 with a
/// seed. For fairness, not for security.
std::uint64_t SpreadHash(std::string_view text, std::uint64_t seed);

/// The indices, ascending, of the `count` targets that `self` watches, or of
/// all if there are no more; `targets` are without `self` and differ.
///
/// There are `count` rings, on each of which a hash gives every target and
/// `self` a place; `self` watches the next target of each. So where the agents
/// are the targets, each target is watched by `count` agents, but for the few
/// whose next one on two rings is the same. (If each agent took the targets
/// with the highest hash of both names, some would be watched by two and others
/// by twenty.) A target that comes or goes changes one choice of each of
/// `count` agents. Pure.
std::vector<std::size_t> ChooseNeighbours(
    std::string_view self, const std::vector<std::string>& targets,
    std::uint32_t count);

}  // namespace echo_exporter
