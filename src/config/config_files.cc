#include "src/config/config_files.h"

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "src/base/file.h"
#include "src/base/utf8.h"
#include "src/config/quoted.h"

namespace echo_exporter {
namespace {

constexpr std::string_view kInclude = "include";

/// Why `pattern` cannot be included; empty when it can.
std::string_view IncludeFault(std::string_view pattern) {
  if (pattern.empty()) return "must not be empty";
  if (HasControl(pattern)) return "must not contain control characters";
  const std::size_t star = pattern.find('*');
  if (star != std::string_view::npos &&
      pattern.find_first_of("*/\\", star + 1) != std::string_view::npos) {
    return "must have at most one \"*\", which is behind the last \"/\"";
  }
  return {};
}

/// The elements of a text's `include`; those that are not texts are left out.
std::vector<std::string> PatternsIn(const std::string& text) {
  std::vector<std::string> patterns;
  // Parsing takes its time, and is done again.
  if (text.find(kInclude) == std::string::npos) return patterns;
  Findings ignored({});
  const auto document = ParseToml(text, ignored);
  if (!document) return patterns;
  const DocumentNode* const array = document->root.Find(kInclude);
  if (array == nullptr || array->kind != DocumentNode::Kind::kArray) {
    return patterns;
  }
  for (const DocumentNode& element : array->children) {
    if (element.kind == DocumentNode::Kind::kText) {
      patterns.push_back(element.text);
    }
  }
  return patterns;
}

Result<std::vector<ConfigFile>> ReadIncluded(const std::string& main,
                                             const std::string& pattern) {
  std::vector<ConfigFile> files;
  if (!IncludeFault(pattern).empty()) return files;
  const auto paths = FindFiles(
      PathToUtf8(PathFromUtf8(main).parent_path() / PathFromUtf8(pattern)));
  if (!paths.ok()) {
    if (paths.error().code == ErrorCode::kNotFound) return files;
    return paths.error();
  }
  const bool is_glob = pattern.find('*') != std::string::npos;
  for (const std::string& path : paths.value()) {
    // Some editors keep such files beside that which they have open.
    const bool hidden =
        PathToUtf8(PathFromUtf8(path).filename()).starts_with('.');
    if (is_glob && hidden) continue;
    files.push_back({path, ReadFile(path, kMaxConfigBytes)});
  }
  return files;
}

/// Without comment, and without spaces around it.
std::string_view Trimmed(std::string_view line) {
  constexpr std::string_view kSpace = " \t\r";
  line = line.substr(0, line.find('#'));
  const std::size_t begin = line.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return line.substr(begin, line.find_last_not_of(kSpace) - begin + 1);
}

/// A document of TOML, line by line, and where each line comes from.
struct TargetLines {
  void Add(const std::string& line, std::string place) {
    text += line + '\n';
    places.push_back(std::move(place));
  }

  void AddFile(std::string_view rest, const std::string& path) {
    constexpr std::string_view kMark = "\xef\xbb\xbf";
    if (rest.starts_with(kMark)) rest.remove_prefix(kMark.size());
    for (std::size_t number = 1; !rest.empty(); ++number) {
      const std::size_t end = std::min(rest.find('\n'), rest.size());
      const std::string_view target = Trimmed(rest.substr(0, end));
      if (!target.empty()) {
        Add(Quoted(target) + ',', path + ':' + std::to_string(number));
      }
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }

  std::string text;
  std::vector<std::string> places;
};

/// Adds a file that `item` of `include` names to `parsed`, unless it is there.
void ParseIncluded(DocumentReader& root, const Located<std::string>& item,
                   const ConfigFile& file,
                   std::set<std::filesystem::path>* seen,
                   std::deque<ParsedFile>* parsed) {
  if (!seen->insert(PathFromUtf8(file.path)).second) return;
  if (!file.text.ok()) {
    root.AddError(item.position, "include: reading " + Excerpt(file.path) +
                                     ": " + file.text.error().message);
    return;
  }
  parsed->push_back({Findings(file.path)});
  ParsedFile& added = parsed->back();
  added.document = ParseToml(file.text.value(), added.findings);
}

}  // namespace

void ParseFiles(const ConfigFiles& files, std::deque<ParsedFile>* parsed,
                std::vector<DocumentReader>* roots) {
  parsed->push_back({Findings(files.main.path, files.line_places)});
  ParsedFile& main = parsed->front();
  main.document = ParseToml(files.main.text.value(), main.findings);
  if (!main.document) return;
  DocumentReader root(*main.document, main.findings);
  std::set<std::filesystem::path> seen = {PathFromUtf8(files.main.path)};
  const auto items =
      root.ReadTexts(kInclude).value_or(std::vector<Located<std::string>>());
  const Result<std::vector<ConfigFile>> none = std::vector<ConfigFile>();
  for (std::size_t i = 0; i < items.size(); ++i) {
    const auto& item = items[i];
    const auto& found = i < files.included.size() ? files.included[i] : none;
    if (const auto fault = IncludeFault(item.value); !fault.empty()) {
      root.AddError(item.position, "include: " + Excerpt(item.value) + ' ' +
                                       std::string(fault));
    } else if (!found.ok()) {
      root.AddError(item.position, "include: " + Excerpt(item.value) + ": " +
                                       found.error().message);
    } else if (found.value().empty()) {
      root.AddWarning(item.position,
                      "include: " + Excerpt(item.value) + " matches no file");
    } else {
      for (const ConfigFile& file : found.value()) {
        ParseIncluded(root, item, file, &seen, parsed);
      }
    }
  }
  roots->push_back(std::move(root));
  for (std::size_t i = 1; i < parsed->size(); ++i) {
    ParsedFile& file = (*parsed)[i];
    if (!file.document) continue;
    roots->push_back(DocumentReader(*file.document, file.findings)
                         .Enter(file.document->root, "in an included file: "));
  }
}

ConfigFiles ReadConfigFiles(const std::string& path, ConfigMedium medium) {
  ConfigFiles files{
      .main = {.path = path,
               .text = medium == ConfigMedium::kFile
                           ? ReadFile(path, kMaxConfigBytes)
                           : ReadFileOrPipe(path, kMaxConfigBytes)},
      .paths = {path}};
  if (!files.main.text.ok()) return files;
  for (const std::string& pattern : PatternsIn(files.main.text.value())) {
    files.included.push_back(ReadIncluded(path, pattern));
    if (!files.included.back().ok()) continue;
    for (const ConfigFile& file : files.included.back().value()) {
      if (std::ranges::find(files.paths, file.path) == files.paths.end()) {
        files.paths.push_back(file.path);
      }
    }
  }
  return files;
}

ConfigFiles ReadTargets(const std::vector<std::string>& targets) {
  const std::string option = "--target";
  ConfigFiles files{.main = {.path = option, .text = std::string()}};
  TargetLines lines;
  lines.Add("[[group]]", option);
  lines.Add("name = \"targets\"", option);
  lines.Add("destinations = [", option);
  for (const std::string& target : targets) {
    if (!target.starts_with('@')) {
      lines.Add(Quoted(target) + ',', option);
      continue;
    }
    const std::string path = target.substr(1);
    const auto text = ReadFile(path, kMaxConfigBytes);
    files.paths.push_back(path);
    if (!text.ok()) {
      files.main.text =
          Error{text.error().code, Excerpt(path) + ": " + text.error().message};
      return files;
    }
    lines.AddFile(text.value(), path);
  }
  lines.Add("]", option);
  files.main.text = std::move(lines.text);
  files.line_places = std::move(lines.places);
  return files;
}

}  // namespace echo_exporter
