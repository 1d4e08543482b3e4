#include "src/discovery/file_source.h"

#include <algorithm>
#include <iterator>
#include <system_error>
#include <utility>

#include "src/base/file.h"
#include "src/base/host_name.h"
#include "src/base/log.h"

namespace echo_exporter {
namespace {

bool HasStar(const std::string& pattern) {
  return pattern.find('*') != std::string::npos;
}

TargetListFormat FormatOf(const std::string& path) {
  return LowerCase(path).ends_with(".json") ? TargetListFormat::kJson
                                            : TargetListFormat::kYaml;
}

}  // namespace

FileSource::~FileSource() {
  for (const std::string& pattern : config_.files) {
    services_.failing.Forget(this, pattern);
  }
}

SteadyTime FileSource::Look(SteadyTime now) {
  const MutexLock lock(mutex_);
  if (next_ && now < *next_) return *next_;
  const Found found = FindAll();
  if (!next_) Restore();
  RemoveGone(found, now);
  bool unsettled = false;
  for (auto& [path, file] : files_) {
    LookAt(path, file, now);
    unsettled = unsettled || file.seen.unsettled();
  }
  next_ = now + (unsettled ? kSettling : kInterval);
  return *next_;
}

FileSource::Found FileSource::FindAll() {
  Found found;
  for (const std::string& pattern : config_.files) {
    auto present = FindFiles(pattern);
    if (!present.ok()) {
      services_.failing.Report(this, pattern, present.error().message);
      found.emplace_back();
      continue;
    }
    for (const std::string& path : present.value()) FileAt(path);
    if (HasStar(pattern)) {
      if (present.value().empty()) {
        services_.failing.Report(this, pattern, "no file matches");
      } else {
        services_.failing.End(this, pattern);
      }
    }
    found.emplace_back(std::move(present).value());
  }
  return found;
}

/// Files that went before this source began may come back, as those that go
/// later.
void FileSource::Restore() {
  if (std::ranges::none_of(config_.files, HasStar)) return;
  std::vector<std::string> names = services_.store.FirstNames();
  std::ranges::move(services_.live.Names(), std::back_inserter(names));
  for (const std::string& name : names) {
    const bool matches =
        std::ranges::any_of(config_.files, [&](const std::string& pattern) {
          return MatchesPattern(pattern, name);
        });
    if (!matches || files_.contains(name)) continue;
    // What is stored may be damaged.
    if (!FileAt(name).list->hash()) files_.erase(name);
  }
}

FileSource::File& FileSource::FileAt(const std::string& path) {
  const auto found = files_.find(path);
  if (found != files_.end()) return found->second;
  auto list = std::make_shared<KeptList>(services_, path, FormatOf(path),
                                         config_.strip_port);
  File file{.list = list};
  if (const auto stored = list->hash()) file.seen.MarkSeen(*stored);
  return files_.emplace(path, std::move(file)).first->second;
}

/// Whether each pattern that the file matches has found others and not it.
bool FileSource::IsGone(const std::string& path, const Found& found) const {
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (found[i] && std::ranges::binary_search(*found[i], path)) return false;
    if (!MatchesPattern(config_.files[i], path)) continue;
    if (!found[i] || found[i]->empty()) return false;
  }
  return true;
}

void FileSource::RemoveGone(const Found& found, SteadyTime now) {
  for (auto place = files_.begin(); place != files_.end();) {
    auto& [path, file] = *place;
    if (!IsGone(path, found)) {
      file.gone_since.reset();
    } else if (!file.gone_since) {
      file.gone_since = now;
    } else if (now - *file.gone_since >= kGone) {
      Log(LogLevel::kInfo, "target file removed, and its targets with it",
          {{"file", path}});
      file.list->Drop();
      ++removed_;
      removed_failures_ += file.list->facts().failures;
      place = files_.erase(place);
      continue;
    }
    ++place;
  }
}

/// A file that is another one at each look never counts.
void FileSource::TellOfUnrest(File& file, SteadyTime now) {
  if (!file.unsettled_since) file.unsettled_since = now;
  if (now - *file.unsettled_since < kMostUnrest) return;
  file.list->Fail(file.list->name() +
                  ": it has changed from each look to the next for 10 seconds; "
                  "a list counts when it stays the same for one");
}

void FileSource::LookAt(const std::string& path, File& file, SteadyTime now) {
  const auto tell_again = [&file] {
    if (file.fault.empty()) {
      file.list->Confirm();
    } else {
      file.list->Fail(file.fault);
    }
  };
  std::error_code no_time;
  std::error_code no_size;
  const auto place = PathFromUtf8(path);
  const Stamp stamp{std::filesystem::last_write_time(place, no_time),
                    std::filesystem::file_size(place, no_size)};
  const bool has_stamp = !no_time && !no_size;
  if (has_stamp && file.stamp == stamp && !file.seen.unsettled() &&
      now - file.read_at < kTrust) {
    tell_again();
    return;
  }
  auto text = ReadFile(path, kMaxTargetListBytes);
  file.read_at = now;
  file.stamp = has_stamp ? std::optional(stamp) : std::nullopt;
  const std::size_t hash = HashOf(text);
  if (!file.seen.seen() && !file.list->hash()) {
    // Nothing can be lost.
    file.seen.MarkSeen(hash);
  } else if (!file.seen.Look(hash)) {
    if (file.seen.unsettled()) {
      TellOfUnrest(file, now);
      return;
    }
    if (file.fault.empty()) {
      file.unsettled_since.reset();
      file.list->Confirm();
      return;
    }
  }
  file.unsettled_since.reset();
  // What was no good is judged again: there may have been no memory for it.
  try {
    file.fault = text.ok() ? file.list->Take(std::move(text).value())
                           : path + ": " + text.error().message;
  } catch (...) {
    file.seen.Forget();
    file.stamp.reset();
    throw;
  }
  if (!file.fault.empty()) file.list->Fail(file.fault);
}

std::vector<std::shared_ptr<KeptList>> FileSource::Lists() {
  const MutexLock lock(mutex_);
  std::vector<std::shared_ptr<KeptList>> lists;
  lists.reserve(files_.size());
  for (const auto& [path, file] : files_) lists.push_back(file.list);
  return lists;
}

std::uint64_t FileSource::removed() const {
  const MutexLock lock(mutex_);
  return removed_;
}

std::uint64_t FileSource::removed_failures() const {
  const MutexLock lock(mutex_);
  return removed_failures_;
}

}  // namespace echo_exporter
