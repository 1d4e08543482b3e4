#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "echo_exporter/clock.h"
#include "src/discovery/kept_list.h"

namespace echo_exporter {

/// One [[group.file_sd]] or [[group.http_sd]].
///
/// Look() is confined to one thread at a time; everything else is thread-safe.
class ListSource {
 public:
  virtual ~ListSource() = default;

  /// Does what is due, and returns when it is to be called again.
  virtual SteadyTime Look(SteadyTime now) = 0;

  /// In a fixed order.
  virtual std::vector<std::shared_ptr<KeptList>> Lists() = 0;

  /// How many lists have been removed since the beginning.
  virtual std::uint64_t removed() const { return 0; }

  /// How often these could not be refreshed.
  virtual std::uint64_t removed_failures() const { return 0; }
};

}  // namespace echo_exporter
