#pragma once

#include <initializer_list>
#include <iterator>
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

/// False, with an error added, when `name` is defined already. `what` begins
/// the sentence.
bool Define(DocumentReader& table, const std::string& what,
            const Located<std::string>& name, Definitions* definitions);

/// Reads one of the words, each of which stands for a value.
template <typename T>
void ReadWord(DocumentReader& table, std::string_view key,
              std::initializer_list<std::pair<std::string_view, T>> words,
              T* value) {
  const auto text = table.ReadText(key);
  if (!text) return;
  std::string wanted;
  for (const auto& [word, meaning] : words) {
    if (word == text->value) {
      *value = meaning;
      return;
    }
    const bool last = word == std::rbegin(words)->first;
    wanted += (wanted.empty() ? "" : last ? " or " : ", ") + Quoted(word);
  }
  table.AddError(text->position, std::string(key) + " must be " + wanted +
                                     ", not " + Excerpt(text->value));
}

/// Why `text` cannot name a group, source, destination or module; empty when it
/// can. Names become label values.
std::string_view NameFault(std::string_view text);

}  // namespace echo_exporter
