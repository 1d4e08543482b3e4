#include "src/discovery/file_source.h"

#include <algorithm>
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
    services_.failing.Forget(pattern);
  }
}

SteadyTime FileSource::Look(SteadyTime now) {
  const MutexLock lock(mutex_);
  if (next_ && now < *next_) return *next_;
  for (const std::string& pattern : config_.files) LookAt(pattern, now);
  bool unsettled = false;
  for (auto& [path, file] : files_) {
    LookAt(path, file, now);
    unsettled = unsettled || file.seen.unsettled();
  }
  next_ = now + (unsettled ? kSettling : kInterval);
  return *next_;
}

void FileSource::LookAt(const std::string& pattern, SteadyTime now) {
  const auto present = FindFiles(pattern);
  if (!present.ok()) {
    services_.failing.Report(pattern, present.error().message);
    return;
  }
  for (const std::string& path : present.value()) FileAt(path);
  if (!HasStar(pattern)) return;
  if (present.value().empty()) {
    services_.failing.Report(pattern, "no file matches");
  } else {
    services_.failing.End(pattern);
  }
  RemoveGone(pattern, present.value(), now);
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

void FileSource::RemoveGone(const std::string& pattern,
                            const std::vector<std::string>& present,
                            SteadyTime now) {
  for (auto place = files_.begin(); place != files_.end();) {
    const auto& [path, file] = *place;
    const bool matches = MatchesPattern(path, pattern);
    const bool gone = !present.empty() && matches &&
                      !std::ranges::binary_search(present, path);
    auto& since = place->second.gone_since;
    if (!gone) {
      if (matches) since.reset();
    } else if (!since) {
      since = now;
    } else if (now - *since >= kGone) {
      Log(LogLevel::kInfo, "target file removed, and its targets with it",
          {{"file", path}});
      file.list->Drop();
      ++removed_;
      place = files_.erase(place);
      continue;
    }
    ++place;
  }
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
  } else if (!file.seen.Look(hash) &&
             (file.seen.unsettled() || file.fault.empty())) {
    if (!file.seen.unsettled()) file.list->Confirm();
    return;
  }
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

}  // namespace echo_exporter
