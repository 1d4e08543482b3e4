#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "echo_exporter/clock.h"
#include "src/base/condition_log.h"
#include "src/base/mutex.h"

namespace echo_exporter {

/// The text of a good list, as it was received.
struct ListText {
  std::string text;
  std::string etag = {};  ///< of HTTP; empty: none
  WallTime changed{};     ///< when it was first seen, in whole seconds
};

/// Keeps the last good lists in a folder, each in a file of its own, for the
/// next start. What goes wrong is logged, and nothing else depends on it.
///
/// Thread-safe.
class TargetStore {
 public:
  /// An empty folder: it keeps nothing.
  explicit TargetStore(std::string folder) : folder_(std::move(folder)) {}

  /// The list of that name, if one is kept and whole.
  std::optional<ListText> Load(const std::string& name);
  /// False when it is not kept, though there is a folder.
  bool Save(const std::string& name, const ListText& list);
  void Remove(const std::string& name);

  /// The names of the lists that were in the folder at the first call.
  std::vector<std::string> FirstNames();

  const std::string& folder() const { return folder_; }

 private:
  std::string PathOf(const std::string& name) const;

  const std::string folder_;
  Mutex mutex_;
  std::optional<std::vector<std::string>> first_names_ GUARDED_BY(mutex_);
  std::set<std::string> unsaved_ GUARDED_BY(mutex_);  ///< names
  ConditionLog unwritable_{
      {.begins = "target list not stored; a restart would begin without it",
       .ends = "target lists are stored again",
       .subject = "state_dir"}};
};

}  // namespace echo_exporter
