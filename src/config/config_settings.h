#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "echo_exporter/config.h"
#include "src/config/document_reader.h"
#include "src/config/quoted.h"

namespace echo_exporter {

// Settings that more than one kind of table may contain.

/// Reads the keys that [defaults], groups and modules share.
void ReadEchoSettings(DocumentReader& table, EchoSettings* settings);

/// Reads those and the other keys that [defaults] and groups share.
void ReadGroupSettings(DocumentReader& table, GroupConfig* group);

/// Warns of settings that rarely work, or do not work on this platform. They
/// must be complete.
void CheckEchoSettings(DocumentReader& table, const EchoSettings& settings,
                       const ConfigPlatform& platform);

/// Reads a source of a group or a module; absent, with an error added, when
/// `item` is not a source.
std::optional<SourceConfig> ReadSource(
    DocumentReader& table, std::string_view key,
    const Located<std::string>& item,
    const std::map<std::string, SourceConfig>& named);

/// Warns of a link-local address without a zone, which selects its adapter.
void CheckZone(DocumentReader& table, std::string_view key,
               const Located<std::string>& item, const ZonedAddress& zoned);

/// The first position of each element of a list, by its canonical spelling: two
/// with the same key are duplicates.
using Seen = std::unordered_map<std::string, TextPosition>;

/// False, with an error added, when `key` was seen before. `item` is the value
/// in the file that stands for, or contains, `name`.
bool AddOnce(DocumentReader& table, std::string_view list,
             const Located<std::string>& item, const std::string& name,
             const std::string& key, Seen* seen);

/// The place of each name that is defined in one of the files.
using Definitions = std::map<std::string, std::string>;

/// Adds an error when `name` is defined already; `what` begins the sentence.
void Define(DocumentReader& table, const std::string& what,
            const Located<std::string>& name, Definitions* definitions);

/// The words that a key may have, and what each stands for.
template <typename T, std::size_t count>
using Words = std::array<std::pair<std::string_view, T>, count>;

inline constexpr Words<IpPreference, 5> kIpVersionWords = {
    {{"4", IpPreference::kV4Only},
     {"6", IpPreference::kV6Only},
     {"prefer4", IpPreference::kPreferV4},
     {"prefer6", IpPreference::kPreferV6},
     {"any", IpPreference::kAny}}};
inline constexpr Words<FlowPolicy, 2> kFlowWords = {
    {{"steady", FlowPolicy::kSteady}, {"fresh", FlowPolicy::kFresh}}};
inline constexpr Words<NameAddresses, 2> kAddressesWords = {
    {{"first", NameAddresses::kFirst}, {"all", NameAddresses::kAll}}};
inline constexpr Words<ModuleConfig::Mode, 2> kModeWords = {
    {{"on_demand", ModuleConfig::Mode::kOnDemand},
     {"continuous", ModuleConfig::Mode::kContinuous}}};

/// The word that stands for `value`.
template <typename T, std::size_t count>
std::string_view WordOf(const Words<T, count>& words, T value) {
  return std::ranges::find(words, value, &Words<T, count>::value_type::second)
      ->first;
}

template <typename T, std::size_t count>
void ReadWord(DocumentReader& table, std::string_view key,
              const Words<T, count>& words, T* value) {
  const auto text = table.ReadText(key);
  if (!text) return;
  std::string wanted;
  for (const auto& [word, meaning] : words) {
    if (word == text->value) {
      *value = meaning;
      return;
    }
    const bool last = word == words.back().first;
    wanted += (wanted.empty() ? "" : last ? " or " : ", ") + Quoted(word);
  }
  table.AddError(text->position, std::string(key) + " must be " + wanted +
                                     ", not " + Excerpt(text->value));
}

/// Why `text` cannot name a group, source, destination or module; empty when it
/// can. Names become label values.
std::string_view NameFault(std::string_view text);

}  // namespace echo_exporter
