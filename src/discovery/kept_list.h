#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "echo_exporter/clock.h"
#include "echo_exporter/target_list.h"
#include "src/base/mutex.h"
#include "src/discovery/failing_lists.h"
#include "src/discovery/target_store.h"

namespace echo_exporter {

class KeptList;

/// A good text of a list, and what it means.
struct ListVersion {
  std::shared_ptr<const TargetList> list;
  ListText origin;       ///< the text only until it is stored
  std::size_t hash = 0;  ///< of the text
  bool stored = false;
};

/// The lists that there are. A source that a reload changes is another one,
/// which goes on with the lists of the one before.
///
/// Thread-safe.
class LiveLists {
 public:
  void Add(const KeptList& list);
  void Remove(const KeptList& list);
  std::vector<std::string> Names() const;

  struct Heritage {
    ListVersion version;
    std::optional<WallTime> last_success;
  };
  /// What a list that is to be `heir` begins with, if there is another with the
  /// same name that is read in the same way.
  std::optional<Heritage> HeritageOf(const KeptList& heir) const;

 private:
  mutable Mutex mutex_;
  std::multimap<std::string, const KeptList*> lists_ GUARDED_BY(mutex_);
};

/// What all lists share.
struct ListServices {
  const Clock& clock;
  TargetStore store;
  FailingLists failing{};
  LiveLists live{};
};

/// One list of targets, by its file or URL: the good one in use, and the newer
/// good one that is to follow it.
///
/// Thread-safe.
class KeptList {
 public:
  /// Begins with the list that another of this name has in use, or that is
  /// stored, if there is one. `services` must outlive this.
  KeptList(ListServices& services, std::string name, TargetListFormat format,
           bool strip_port);
  /// Its conditions are no longer reported.
  ~KeptList();
  KeptList(const KeptList&) = delete;
  KeptList& operator=(const KeptList&) = delete;

  const std::string& name() const { return name_; }

  /// The text of the list was read: if it is good, it is to be used. Returns
  /// why it is not good; empty if it is.
  std::string Take(std::string text, std::string etag = {});
  /// It was found unchanged. What could not be stored before is tried again.
  void Confirm();
  /// It could not be had, or is no good.
  void Fail(const std::string& error);
  /// The same where there is no memory to say why.
  void FailWithoutMemory() noexcept;

  /// The list to use, if there is any: the newer one if `newer`.
  std::shared_ptr<const TargetList> Get(bool newer) const;
  /// Whether there is a newer one that has not been refused.
  bool HasNews() const;
  /// The newer one that Get() gave is in use from now on.
  void Accept(const std::shared_ptr<const TargetList>& newer);
  /// It cannot be used, for now.
  void Refuse(const std::string& error);
  /// Its targets are gone for good: nothing of it stays stored.
  void Drop();

  /// Of the newest good text, if there is one.
  std::optional<std::size_t> hash() const;
  std::string etag() const;

  struct Facts {
    std::uint64_t targets = 0;  ///< of the list in use
    std::uint64_t rejected = 0;
    std::uint64_t failures = 0;
    std::optional<WallTime> last_success;  ///< or since when it is stored
    std::optional<WallTime> last_change;
  };
  Facts facts() const;

 private:
  friend class LiveLists;

  void Begin();
  std::string Set(ListText origin, bool stored);
  void StoreLocked() REQUIRES(mutex_);
  void FailLocked(const std::string& error) REQUIRES(mutex_);

  ListServices& services_;
  const std::string name_;
  const TargetListFormat format_;
  const bool strip_port_;
  mutable Mutex mutex_;
  ListVersion used_ GUARDED_BY(mutex_);
  std::optional<ListVersion> newer_ GUARDED_BY(mutex_);
  bool refused_ GUARDED_BY(mutex_) = false;  ///< `newer_`
  std::uint64_t failures_ GUARDED_BY(mutex_) = 0;
  std::optional<WallTime> last_success_ GUARDED_BY(mutex_);
  SteadyTime store_due_ GUARDED_BY(mutex_){};  ///< unless `used_` is stored
};

}  // namespace echo_exporter
