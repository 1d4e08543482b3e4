#ifndef ECHO_EXPORTER_SRC_CONFIG_CONFIG_SETTINGS_H_
#define ECHO_EXPORTER_SRC_CONFIG_CONFIG_SETTINGS_H_

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "echo_exporter/config.h"
#include "src/config/document_reader.h"

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

/// Why `text` cannot name a group, source or module; empty when it can. Names
/// become label values.
std::string_view NameFault(std::string_view text);

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_SRC_CONFIG_CONFIG_SETTINGS_H_
