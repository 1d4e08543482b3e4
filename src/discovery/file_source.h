#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "echo_exporter/config.h"
#include "src/base/mutex.h"
#include "src/base/settled.h"
#include "src/discovery/list_source.h"

namespace echo_exporter {

/// Target lists in files. A file is looked at every kInterval. A change counts
/// when two looks have seen it, kSettling apart; only what is there when
/// nothing was known before counts at once.
///
/// A file that cannot be read, or is no good, keeps its targets, and so does
/// one that is gone: it may be about to be written anew. But where others match
/// the same pattern all the while, a file that stays away for kGone was
/// removed, with its targets. The same holds for one that went before the
/// start, if its list is stored. A file without a "*" in the configuration is
/// never removed.
class FileSource final : public ListSource {
 public:
  static constexpr Nanoseconds kInterval = std::chrono::seconds(5);
  static constexpr Nanoseconds kSettling = std::chrono::seconds(1);
  static constexpr Nanoseconds kGone = std::chrono::minutes(1);
  /// A file that changes between any two looks for so long is reported.
  static constexpr Nanoseconds kMostUnrest = std::chrono::seconds(10);
  /// A file whose time and size are the same is read again after this.
  static constexpr Nanoseconds kTrust = std::chrono::minutes(1);

  FileSource(ListServices& services, FileDiscoveryConfig config)
      : services_(services), config_(std::move(config)) {}
  ~FileSource() override;
  FileSource(const FileSource&) = delete;
  FileSource& operator=(const FileSource&) = delete;

  SteadyTime Look(SteadyTime now) override;
  std::vector<std::shared_ptr<KeptList>> Lists() override;
  std::uint64_t removed() const override;
  std::uint64_t removed_failures() const override;

 private:
  /// What shows a change without reading.
  struct Stamp {
    std::filesystem::file_time_type time;
    std::uintmax_t size = 0;
    friend bool operator==(const Stamp&, const Stamp&) = default;
  };
  struct File {
    std::shared_ptr<KeptList> list;
    Settled<std::size_t> seen = {};  ///< HashOf() its content
    std::string fault = {};          ///< of what was seen last; empty: none
    std::optional<Stamp> stamp = {};
    SteadyTime read_at{};
    std::optional<SteadyTime> gone_since = {};
    std::optional<SteadyTime> unsettled_since = {};
  };
  /// What matches each of the patterns; absent where that is unknown.
  using Found = std::vector<std::optional<std::vector<std::string>>>;

  Found FindAll() REQUIRES(mutex_);
  void Restore() REQUIRES(mutex_);
  void LookAt(const std::string& path, File& file, SteadyTime now)
      REQUIRES(mutex_);
  void TellOfUnrest(File& file, SteadyTime now) REQUIRES(mutex_);
  File& FileAt(const std::string& path) REQUIRES(mutex_);
  bool IsGone(const std::string& path, const Found& found) const;
  void RemoveGone(const Found& found, SteadyTime now) REQUIRES(mutex_);

  ListServices& services_;
  const FileDiscoveryConfig config_;
  mutable Mutex mutex_;
  std::map<std::string, File> files_ GUARDED_BY(mutex_);  ///< by path
  std::optional<SteadyTime> next_ GUARDED_BY(mutex_);
  std::uint64_t removed_ GUARDED_BY(mutex_) = 0;
  std::uint64_t removed_failures_ GUARDED_BY(mutex_) = 0;
};

}  // namespace echo_exporter
