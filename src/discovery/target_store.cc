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

}  // namespace

std::string TargetStore::PathOf(const std::string& name) const {
  return PathToUtf8(PathFromUtf8(folder_) /
                    (HexText(SpreadHash(name, 0)) + ".targets"));
}

std::optional<ListText> TargetStore::Load(const std::string& name) {
  if (folder_.empty()) return std::nullopt;
  const std::string path = PathOf(name);
  std::error_code ignored;
  if (!std::filesystem::exists(PathFromUtf8(path), ignored)) {
    return std::nullopt;
  }
  constexpr std::size_t kMostHead = std::size_t{16} * 1024;
  const auto file = ReadFile(path, kMaxTargetListBytes + kMostHead);
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

void TargetStore::Save(const std::string& name, const ListText& list) {
  if (folder_.empty() || name.find('\n') != std::string::npos) return;
  std::error_code ignored;
  std::filesystem::create_directory(PathFromUtf8(folder_), ignored);
  const auto seconds =
      std::chrono::floor<std::chrono::seconds>(list.changed.time_since_epoch());
  std::string body = name + '\n' + std::to_string(seconds.count()) + '\n' +
                     list.etag + '\n' + list.text;
  body.insert(
      0, std::string(kFirstLine) + '\n' + HexText(SpreadHash(body, 0)) + '\n');
  const Status written = WriteFile(PathOf(name), body);
  if (written.ok()) {
    unwritable_.End(folder_);
  } else {
    unwritable_.Report(folder_, written.error().message);
  }
}

void TargetStore::Remove(const std::string& name) {
  if (folder_.empty()) return;
  std::error_code ignored;
  std::filesystem::remove(PathFromUtf8(PathOf(name)), ignored);
}

}  // namespace echo_exporter
