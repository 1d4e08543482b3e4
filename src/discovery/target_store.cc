#include "src/discovery/target_store.h"

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>

#include "echo_exporter/target_list.h"
#include "src/base/file.h"
#include "src/base/number_text.h"
#include "src/discovery/neighbours.h"

namespace echo_exporter {
namespace {

// A file has this line; one with the hash of all that follows; then the name,
// the time and the tag of the list, each a line; and its text.
constexpr std::string_view kFirstLine = "echo_exporter target list, version 1";
constexpr std::string_view kPattern = "*.targets";

std::string HexText(std::uint64_t number) {
  char text[17];
  std::snprintf(text, sizeof text, "%016llx",
                static_cast<unsigned long long>(number));
  return text;
}

std::string_view TakeLine(std::string_view* text) {
  const std::size_t end = text->find('\n');
  const std::string_view line = text->substr(0, end);
  text->remove_prefix(end == std::string_view::npos ? text->size() : end + 1);
  return line;
}

Result<std::string> ReadStored(const std::string& path) {
  constexpr std::size_t kMostHead = std::size_t{16} * 1024;
  return ReadFile(path, kMaxTargetListBytes + kMostHead);
}

std::optional<ListText> Unpack(std::string_view file, std::string_view name) {
  if (TakeLine(&file) != kFirstLine) return std::nullopt;
  const std::string_view hash = TakeLine(&file);
  if (hash != HexText(SpreadHash(file, 0))) return std::nullopt;
  if (TakeLine(&file) != name) return std::nullopt;
  const std::string_view time = TakeLine(&file);
  ListText list;
  list.changed = WallTime(
      std::chrono::seconds(ParseNumber<std::int64_t>(time).value_or(0)));
  list.etag = TakeLine(&file);
  list.text = file;
  return list;
}

/// Of the list that is stored in a file; whether that is whole remains to be
/// seen.
std::optional<std::string> NameIn(const Result<std::string>& file) {
  if (!file.ok()) return std::nullopt;
  std::string_view text = file.value();
  if (TakeLine(&text) != kFirstLine) return std::nullopt;
  TakeLine(&text);
  return std::string(TakeLine(&text));
}

}  // namespace

std::string TargetStore::PathOf(const std::string& name) const {
  std::string hash = HexText(SpreadHash(name, 0));
  return PathToUtf8(PathFromUtf8(folder_) / hash.append(kPattern.substr(1)));
}

std::optional<ListText> TargetStore::Load(const std::string& name) {
  if (folder_.empty()) return std::nullopt;
  const std::string path = PathOf(name);
  std::error_code error;
  if (!std::filesystem::exists(PathFromUtf8(path), error) && !error) {
    return std::nullopt;
  }
  const auto file = ReadStored(path);
  auto list = file.ok() ? Unpack(file.value(), name) : std::nullopt;
  if (!list) {
    Log(LogLevel::kWarn, "stored target list ignored",
        {{"file", path},
         {"list", name},
         {"error", file.ok()
                       ? "it is damaged, or no target list of this version"
                       : file.error().message}});
  }
  return list;
}

bool TargetStore::Save(const std::string& name, const ListText& list) {
  if (folder_.empty() || name.find('\n') != std::string::npos) return true;
  std::error_code ignored;
  std::filesystem::create_directory(PathFromUtf8(folder_), ignored);
  const auto seconds =
      std::chrono::floor<std::chrono::seconds>(list.changed.time_since_epoch());
  std::string body = name + '\n' + std::to_string(seconds.count()) + '\n' +
                     list.etag + '\n' + list.text;
  body.insert(
      0, std::string(kFirstLine) + '\n' + HexText(SpreadHash(body, 0)) + '\n');
  const Status written = WriteFile(PathOf(name), body);
  const MutexLock lock(mutex_);
  if (written.ok()) {
    unsaved_.erase(name);
    if (unsaved_.empty()) unwritable_.End(folder_);
  } else {
    unsaved_.insert(name);
    unwritable_.Report(folder_, written.error().message);
  }
  return written.ok();
}

void TargetStore::Remove(const std::string& name) {
  if (folder_.empty()) return;
  std::error_code ignored;
  std::filesystem::remove(PathFromUtf8(PathOf(name)), ignored);
  const MutexLock lock(mutex_);
  unsaved_.erase(name);
  if (unsaved_.empty()) unwritable_.End(folder_);
}

std::vector<std::string> TargetStore::FirstNames() {
  if (folder_.empty()) return {};
  const MutexLock lock(mutex_);
  if (first_names_) return *first_names_;
  const auto paths =
      FindFiles(PathToUtf8(PathFromUtf8(folder_) / PathFromUtf8(kPattern)));
  std::vector<std::string> names;
  if (paths.ok()) {
    for (const std::string& path : paths.value()) {
      if (auto name = NameIn(ReadStored(path))) {
        names.push_back(*std::move(name));
      }
    }
  } else if (paths.error().code != ErrorCode::kNotFound) {
    Log(LogLevel::kWarn, "stored target list ignored",
        {{"file", folder_}, {"error", paths.error().message}});
  }
  first_names_ = names;
  return names;
}

}  // namespace echo_exporter
