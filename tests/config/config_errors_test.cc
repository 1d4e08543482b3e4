#include <gtest/gtest.h>

#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "echo_exporter/config.h"
#include "tests/support/source_file.h"

namespace echo_exporter {
namespace {

struct InvalidConfig {
  std::string rule;      ///< as in testdata/invalid-<rule>.toml
  std::string messages;  ///< all of them, one a line
};

/// One file for each rule, with everything that is said about it.
const std::vector<InvalidConfig>& InvalidConfigs() {
  static const std::vector<InvalidConfig> configs = {
      {"allowed-sources",
       R"(invalid-allowed-sources.toml:5:64: [probe]: allowed_sources: "10.0.0.1/8" is neither "auto", nor an address, nor a prefix such as "10.0.0.0/8", nor a name or an adapter of [sources]
invalid-allowed-sources.toml:5:78: [probe]: allowed_sources: "wan3" is neither "auto", nor an address, nor a prefix such as "10.0.0.0/8", nor a name or an adapter of [sources]
invalid-allowed-sources.toml:5:86: [probe]: allowed_sources: "*" is neither "auto", nor an address, nor a prefix such as "10.0.0.0/8", nor a name or an adapter of [sources]
invalid-allowed-sources.toml:5:91: [probe]: allowed_sources: "" is neither "auto", nor an address, nor a prefix such as "10.0.0.0/8", nor a name or an adapter of [sources]
)"},
      {"allowed-targets",
       R"(invalid-allowed-targets.toml:2:69: [probe]: allowed_targets: "10.0.0.1/8" is neither an address, nor a prefix such as "10.0.0.0/8", nor a pattern of host names such as "*.example.net"
invalid-allowed-targets.toml:2:83: [probe]: allowed_targets: "10.0.*" is neither an address, nor a prefix such as "10.0.0.0/8", nor a pattern of host names such as "*.example.net"
invalid-allowed-targets.toml:2:93: [probe]: allowed_targets: "a b" is neither an address, nor a prefix such as "10.0.0.0/8", nor a pattern of host names such as "*.example.net"
invalid-allowed-targets.toml:2:100: [probe]: allowed_targets: "" is neither an address, nor a prefix such as "10.0.0.0/8", nor a pattern of host names such as "*.example.net"
)"},
      {"array-element-type",
       R"(invalid-array-element-type.toml:2:21: [web]: listen_addresses must be an array of strings only, not an integer
invalid-array-element-type.toml:4:16: [metrics]: rtt_buckets must be an array of numbers only, not a string
invalid-array-element-type.toml:7:30: group "g": destinations must be an array of strings only, not an integer
invalid-array-element-type.toml:7:33: group "g": destinations must be an array of strings only, not an array
)"},
      {"array-type",
       R"(invalid-array-type.toml:2:20: [web]: listen_addresses must be an array of strings, not a string
invalid-array-type.toml:4:15: [metrics]: rtt_buckets must be an array of numbers, not an integer
invalid-array-type.toml:7:16: group "g": destinations must be an array of strings, not a string
)"},
      {"backslash",
       R"(invalid-backslash.toml:3:3: not valid TOML: a line-ending backslash before a character that is not ASCII
)"},
      {"boolean-type",
       R"(invalid-boolean-type.toml:2:17: [defaults]: dont_fragment must be true or false, not an integer
)"},
      {"destination-duplicate-prefix",
       R"(invalid-destination-duplicate-prefix.toml:3:33: group "g": destinations: "192.0.2.2" is a duplicate of line 3, column 17
invalid-destination-duplicate-prefix.toml:3:46: group "g": destinations: "192.0.2.0/29" holds "192.0.2.1", which is a duplicate of line 3, column 17
)"},
      {"destination-duplicate-spelling",
       R"(invalid-destination-duplicate-spelling.toml:5:3: group "g": destinations: "2001:DB8:0::1" is a duplicate of line 4, column 3
)"},
      {"destination-duplicate",
       R"(invalid-destination-duplicate.toml:3:43: group "g": destinations: "A.EXAMPLE" is a duplicate of line 3, column 17
invalid-destination-duplicate.toml:3:56: group "g": destinations: "192.0.2.1" is a duplicate of line 3, column 30
)"},
      {"destination-mistyped-address",
       R"(invalid-destination-mistyped-address.toml:3:17: group "g": destinations: "300.1.1.1" is neither an address, nor a prefix such as "10.0.0.0/29", nor a host name (letters, digits, "-" and "_" between dots, the last part no number)
invalid-destination-mistyped-address.toml:3:30: group "g": destinations: "1.2.3" is neither an address, nor a prefix such as "10.0.0.0/29", nor a host name (letters, digits, "-" and "_" between dots, the last part no number)
invalid-destination-mistyped-address.toml:3:39: group "g": destinations: "2001:db8:1" is neither an address, nor a prefix such as "10.0.0.0/29", nor a host name (letters, digits, "-" and "_" between dots, the last part no number)
invalid-destination-mistyped-address.toml:3:53: group "g": destinations: "192.0.2.01" is neither an address, nor a prefix such as "10.0.0.0/29", nor a host name (letters, digits, "-" and "_" between dots, the last part no number)
)"},
      {"destination-unspecified",
       R"(invalid-destination-unspecified.toml:3:17: group "g": destinations: "0.0.0.0" is the unspecified address, which no host has
invalid-destination-unspecified.toml:3:28: group "g": destinations: "::" is the unspecified address, which no host has
invalid-destination-unspecified.toml:3:34: group "g": destinations: "0.0.0.0/31" holds the unspecified address, which no host has
)"},
      {"destination",
       R"(invalid-destination.toml:3:17: group "g": destinations: "two words" is neither an address, nor a prefix such as "10.0.0.0/29", nor a host name (letters, digits, "-" and "_" between dots, the last part no number)
invalid-destination.toml:3:30: group "g": destinations: "-a.example.net" is neither an address, nor a prefix such as "10.0.0.0/29", nor a host name (letters, digits, "-" and "_" between dots, the last part no number)
invalid-destination.toml:3:48: group "g": destinations: "a..b" is neither an address, nor a prefix such as "10.0.0.0/29", nor a host name (letters, digits, "-" and "_" between dots, the last part no number)
invalid-destination.toml:3:56: group "g": destinations: "" is neither an address, nor a prefix such as "10.0.0.0/29", nor a host name (letters, digits, "-" and "_" between dots, the last part no number)
invalid-destination.toml:3:60: group "g": destinations: "münchen.example" is neither an address, nor a prefix such as "10.0.0.0/29", nor a host name (letters, digits, "-" and "_" between dots, the last part no number)
)"},
      {"destinations-empty",
       R"(invalid-destinations-empty.toml:3:16: group "g": destinations must not be empty
)"},
      {"destinations-missing",
       R"(invalid-destinations-missing.toml:1:1: group "g": destinations are missing
)"},
      {"duplicate-key",
       R"(invalid-duplicate-key.toml:3:7: not valid TOML: Error while parsing key-value pair: cannot redefine existing integer 'ttl'
)"},
      {"duplicate-label",
       R"(invalid-duplicate-label.toml:4:31: not valid TOML: Error while parsing key-value pair: cannot redefine existing string 'site'
)"},
      {"duplicate-table",
       R"(invalid-duplicate-table.toml:3:1: not valid TOML: Error while parsing table header: cannot redefine existing table 'web'
)"},
      {"duration-range",
       R"(invalid-duration-range.toml:2:12: [defaults]: interval must be from 10ms to 1h, not "9ms"
invalid-duration-range.toml:3:11: [defaults]: timeout must be from 1ms to 1m, not "61s"
invalid-duration-range.toml:4:15: [defaults]: dns_refresh must be from 1s to 1d, not "0s"
)"},
      {"duration-text",
       R"(invalid-duration-text.toml:2:12: [defaults]: interval must be a duration such as "250ms", "1s" or "1h30m", not "1.5s"
invalid-duration-text.toml:3:11: [defaults]: timeout must be a duration such as "250ms", "1s" or "1h30m", not "1 s"
)"},
      {"duration-type",
       R"(invalid-duration-type.toml:2:12: [defaults]: interval must be a duration from 10ms to 1h, such as "1s", not an integer
invalid-duration-type.toml:3:11: [defaults]: timeout must be a duration from 1ms to 1m, such as "1s", not a float
)"},
      {"empty-product-ip-version",
       R"(invalid-empty-product-ip-version.toml:4:16: group "g": no pair is left: source, destination and ip_version never agree on an IP version, as with "auto" to "192.0.2.1"
)"},
      {"empty-product",
       R"(invalid-empty-product.toml:4:16: group "g": no pair is left: source, destination and ip_version never agree on an IP version, as with "192.0.2.10" to "2001:db8::1"
)"},
      {"group-element-type",
       R"(invalid-group-element-type.toml:1:56: group must be tables, each headed [[group]], not an integer
)"},
      {"group-name-duplicate",
       R"(invalid-group-name-duplicate.toml:6:8: group "g": name is a duplicate of line 2, column 8
)"},
      {"group-name-missing",
       R"(invalid-group-name-missing.toml:1:1: group 1: name is missing
invalid-group-name-missing.toml:4:1: group 2: name is missing
)"},
      {"group-name",
       R"(invalid-group-name.toml:2:8: group 1: name must not be empty
invalid-group-name.toml:5:8: group 2: name must have no control characters
invalid-group-name.toml:8:8: group 3: name must have at most 128 bytes
invalid-group-name.toml:11:8: group 4: name must have no control characters
)"},
      {"group-type",
       R"(invalid-group-type.toml:1:1: group must be tables, each headed [[group]], not a table
)"},
      {"integer-range",
       R"(invalid-integer-range.toml:2:7: [defaults]: ttl must be from 1 to 255, not 300
invalid-integer-range.toml:3:16: [defaults]: payload_size must be from 0 to 65500, not 65501
invalid-integer-range.toml:5:17: [engine]: max_in_flight must be from 1 to 1000000, not 1000001
invalid-integer-range.toml:7:18: [probe]: max_concurrent must be from 1 to 10000, not -1
)"},
      {"integer-type",
       R"(invalid-integer-type.toml:2:7: [defaults]: ttl must be an integer from 1 to 255, not a string
invalid-integer-type.toml:3:16: [defaults]: payload_size must be an integer from 0 to 65500, not a float
invalid-integer-type.toml:5:17: [engine]: max_in_flight must be an integer from 1 to 1000000, not a boolean
invalid-integer-type.toml:7:18: [probe]: max_concurrent must be an integer from 1 to 10000, not a date or time
)"},
      {"ip-version",
       R"(invalid-ip-version.toml:2:14: [defaults]: ip_version must be "4", "6" or "any", not "5"
)"},
      {"label-built-in",
       R"(invalid-label-built-in.toml:5:1: group "g": labels: "group" is a label of the exporter's own; choose another name
invalid-label-built-in.toml:6:1: group "g": labels: "source" is a label of the exporter's own; choose another name
invalid-label-built-in.toml:7:1: group "g": labels: "destination" is a label of the exporter's own; choose another name
invalid-label-built-in.toml:8:1: group "g": labels: "outcome" is a label of the exporter's own; choose another name
invalid-label-built-in.toml:9:1: group "g": labels: "le" is a label of the exporter's own; choose another name
invalid-label-built-in.toml:10:1: group "g": labels: "source_address" is a label of the exporter's own; choose another name
invalid-label-built-in.toml:11:1: group "g": labels: "destination_address" is a label of the exporter's own; choose another name
invalid-label-built-in.toml:12:1: group "g": labels: "ip_version" is a label of the exporter's own; choose another name
invalid-label-built-in.toml:13:1: group "g": labels: "reason" is a label of the exporter's own; choose another name
)"},
      {"label-name",
       R"(invalid-label-name.toml:4:12: group "g": labels: "a-b" is not a label name: letters, digits and "_", not beginning with a digit or with "__"
invalid-label-name.toml:4:24: group "g": labels: "__x" is not a label name: letters, digits and "_", not beginning with a digit or with "__"
invalid-label-name.toml:4:34: group "g": labels: "1a" is not a label name: letters, digits and "_", not beginning with a digit or with "__"
invalid-label-name.toml:4:43: group "g": labels: "" is not a label name: letters, digits and "_", not beginning with a digit or with "__"
)"},
      {"label-type",
       R"(invalid-label-type.toml:4:19: group "g": labels: rack must be a string, not an integer
invalid-label-type.toml:4:22: group "g": labels: site must be a string, not a table
)"},
      {"listen-address",
       R"(invalid-listen-address.toml:2:21: [web]: listen_addresses: "127.0.0.1" is no listen address: write "127.0.0.1:10115", "[::1]:10115", "name:10115" or, for all interfaces, ":10115"
invalid-listen-address.toml:2:34: [web]: listen_addresses: "::1:10115" is no listen address: write "127.0.0.1:10115", "[::1]:10115", "name:10115" or, for all interfaces, ":10115"
invalid-listen-address.toml:2:47: [web]: listen_addresses: "host:http" is no listen address: write "127.0.0.1:10115", "[::1]:10115", "name:10115" or, for all interfaces, ":10115"
invalid-listen-address.toml:2:60: [web]: listen_addresses: "1.2.3:80" is no listen address: write "127.0.0.1:10115", "[::1]:10115", "name:10115" or, for all interfaces, ":10115"
invalid-listen-address.toml:2:72: [web]: listen_addresses: ":65536" is no listen address: write "127.0.0.1:10115", "[::1]:10115", "name:10115" or, for all interfaces, ":10115"
)"},
      {"listen-duplicate",
       R"(invalid-listen-duplicate.toml:2:55: [web]: listen_addresses: "[::1]:80" is there twice
)"},
      {"listen-empty",
       R"(invalid-listen-empty.toml:2:20: [web]: listen_addresses must not be empty
)"},
      {"module-source-version",
       R"(invalid-module-source-version.toml:3:10: module "b": source: "192.0.2.1" is not of the module's ip_version
)"},
      {"module",
       R"(invalid-module.toml:1:13: [modules]: "a" must be a table, not an integer
invalid-module.toml:3:1: module "b": unknown key "interval"; allowed here: dont_fragment, ip_version, payload_size, source, timeout, tos, ttl
invalid-module.toml:4:11: module "b": timeout must be from 1ms to 1m, not "61s"
invalid-module.toml:5:10: module "b": source: "wan" is neither "auto" nor an address nor a name of [sources] (there are none)
invalid-module.toml:6:10: [modules]: a name must not be empty
)"},
      {"named-source-name",
       R"(invalid-named-source-name.toml:2:1: [sources]: "auto" means something of its own as a source; choose another name
invalid-named-source-name.toml:3:1: [sources]: "192.0.2.1" means something of its own as a source; choose another name
invalid-named-source-name.toml:4:1: [sources]: a name must not be empty
)"},
      {"named-source",
       R"(invalid-named-source.toml:2:5: [sources]: "a" must be an address or { interface = "adapter name" }, not "example.net"
invalid-named-source.toml:3:5: [sources]: "b" must be an address or { interface = "adapter name" }, not an integer
invalid-named-source.toml:4:5: [sources]: "c": interface is missing
invalid-named-source.toml:5:19: [sources]: "d": interface must be a string, not an integer
invalid-named-source.toml:6:19: [sources]: "e": interface must not be empty
invalid-named-source.toml:7:5: [sources]: "f": interface is missing
invalid-named-source.toml:7:7: [sources]: "f": unknown key "interfaces"; did you mean "interface"?
invalid-named-source.toml:8:5: [sources]: "g" must be an address or { interface = "adapter name" }, not "::"
)"},
      {"nesting",
       R"(invalid-nesting.toml:2:13: not valid TOML: Error while parsing value: exceeded maximum nested value depth of 8 (TOML_MAX_NESTED_VALUES)
)"},
      {"not-ascii-behind-string",
       R"(invalid-not-ascii-behind-string.toml:3:1: not valid TOML: a character that is not ASCII outside of strings and comments
)"},
      {"not-ascii",
       R"(invalid-not-ascii.toml:4:1: not valid TOML: a character that is not ASCII outside of strings and comments
)"},
      {"number-least",
       R"(invalid-number-least.toml:2:23: [probe]: requests_per_second must be at least 0.001, or 0 for no limit
)"},
      {"number-type",
       R"(invalid-number-type.toml:2:23: [probe]: requests_per_second must be a number from 0 to 1000000, not a string
)"},
      {"order",
       R"(invalid-order.toml:2:18: [probe]: max_concurrent must be from 1 to 10000, not 0
invalid-order.toml:4:17: [engine]: max_in_flight must be from 1 to 1000000, not 0
invalid-order.toml:7:7: group "g": ttl must be from 1 to 255, not 0
invalid-order.toml:8:17: group "g": destinations: "x y" is neither an address, nor a prefix such as "10.0.0.0/29", nor a host name (letters, digits, "-" and "_" between dots, the last part no number)
invalid-order.toml:9:12: group "g": sources: "z" is neither "auto" nor an address nor a name of [sources] (there are none)
invalid-order.toml:11:7: [defaults]: ttl must be from 1 to 255, not 0
)"},
      {"prefix-size",
       R"(invalid-prefix-size.toml:3:17: group "g": destinations: "10.0.0.0/15" has more than 65536 hosts
invalid-prefix-size.toml:3:32: group "g": destinations: "2001:db8::/111" has more than 65536 hosts
invalid-prefix-size.toml:3:50: group "g": destinations: "::/0" has more than 65536 hosts
)"},
      {"prefix",
       R"(invalid-prefix.toml:3:17: group "g": destinations: "192.0.2.1/29" is not a prefix: write an address whose bits behind the prefix are zero, "/" and a length, as in "10.0.0.0/29"
invalid-prefix.toml:3:33: group "g": destinations: "192.0.2.0/33" is not a prefix: write an address whose bits behind the prefix are zero, "/" and a length, as in "10.0.0.0/29"
invalid-prefix.toml:3:49: group "g": destinations: "example.net/24" is not a prefix: write an address whose bits behind the prefix are zero, "/" and a length, as in "10.0.0.0/29"
)"},
      {"probe-rate",
       R"(invalid-probe-rate.toml:2:23: [probe]: requests_per_second must be a number from 0 to 1000000, not -1
invalid-probe-rate.toml:3:9: [probe]: burst must be from 1 to 1000000, not 0
)"},
      {"quotes",
       R"(invalid-quotes.toml:2:7: not valid TOML: a character that is not ASCII outside of strings and comments
)"},
      {"rtt-buckets-count",
       R"(invalid-rtt-buckets-count.toml:2:15: [metrics]: rtt_buckets must have from 1 to 200 numbers, not 201
)"},
      {"rtt-buckets-empty",
       R"(invalid-rtt-buckets-empty.toml:2:15: [metrics]: rtt_buckets must have from 1 to 200 numbers, not 0
)"},
      {"rtt-buckets-infinite",
       R"(invalid-rtt-buckets-infinite.toml:2:21: [metrics]: rtt_buckets must be finite numbers of seconds, the first above 0 and each above the one before it
)"},
      {"rtt-buckets-zero",
       R"(invalid-rtt-buckets-zero.toml:2:16: [metrics]: rtt_buckets must be finite numbers of seconds, the first above 0 and each above the one before it
)"},
      {"rtt-buckets",
       R"(invalid-rtt-buckets.toml:2:26: [metrics]: rtt_buckets must be finite numbers of seconds, the first above 0 and each above the one before it
)"},
      {"section-type",
       R"(invalid-section-type.toml:1:7: web must be a table, not an integer
invalid-section-type.toml:2:11: sources must be a table, not an array
invalid-section-type.toml:3:11: modules must be a table, not a string
invalid-section-type.toml:4:9: group must be tables, each headed [[group]], not a table
)"},
      {"source-duplicate",
       R"(invalid-source-duplicate.toml:3:27: group "g": sources: "auto" is a duplicate of line 3, column 12
invalid-source-duplicate.toml:3:35: group "g": sources: "0:0::1" is a duplicate of line 3, column 20
)"},
      {"source-undefined",
       R"(invalid-source-undefined.toml:3:12: group "g": sources: "wan1" is neither "auto" nor an address nor a name of [sources] (there are none)
)"},
      {"source-unspecified",
       R"(invalid-source-unspecified.toml:3:12: group "g": sources: "0.0.0.0" is not the address of a source; write "auto" to let the system choose
invalid-source-unspecified.toml:3:23: group "g": sources: "::" is not the address of a source; write "auto" to let the system choose
)"},
      {"source",
       R"(invalid-source.toml:3:12: group "g": sources: "wan3" is neither "auto" nor an address nor a name of [sources] ("my \"wan\"", "wan1")
invalid-source.toml:3:20: group "g": sources: "Auto" is neither "auto" nor an address nor a name of [sources] ("my \"wan\"", "wan1")
invalid-source.toml:3:28: group "g": sources: "192.0.2.300" is neither "auto" nor an address nor a name of [sources] ("my \"wan\"", "wan1")
)"},
      {"sources-empty",
       R"(invalid-sources-empty.toml:3:11: group "g": sources must not be empty
)"},
      {"string-type",
       R"(invalid-string-type.toml:2:14: [defaults]: ip_version must be a string, not an integer
invalid-string-type.toml:4:8: group 1: name must be a string, not an integer
)"},
      {"syntax",
       R"(invalid-syntax.toml:2:39: not valid TOML: Error while parsing array: encountered end-of-file
)"},
      {"too-many-pairs-by-sources",
       R"(invalid-too-many-pairs-by-sources.toml:4:16: group "g": this makes more than 1000000 pairs in the file, the most allowed
)"},
      {"too-many-pairs",
       R"(invalid-too-many-pairs.toml:3:16: group "g": this makes more than 1000000 pairs in the file, the most allowed
)"},
      {"unknown-key",
       R"(invalid-unknown-key.toml:1:1: unknown key "hosts"; allowed here: defaults, engine, group, metrics, modules, probe, sources, web
invalid-unknown-key.toml:2:2: unknown key "metric"; did you mean "metrics"?
invalid-unknown-key.toml:4:1: [defaults]: unknown key "intervall"; did you mean "interval"?
invalid-unknown-key.toml:6:1: [probe]: unknown key "tos"; allowed here: allowed_sources, allowed_targets, burst, max_concurrent, requests_per_second
invalid-unknown-key.toml:7:1: group "g": destinations are missing
invalid-unknown-key.toml:9:1: group "g": unknown key "destination"; did you mean "destinations"?
)"},
      {"word",
       R"(invalid-word.toml:3:6: not valid TOML: a character that is not ASCII outside of strings and comments
)"},
  };
  return configs;
}

constexpr const char* kTestData = "tests/config/testdata/";

std::string FileName(const InvalidConfig& config) {
  return "invalid-" + config.rule + ".toml";
}

TEST(ConfigErrorsTest, SaysExactlyWhatIsWrongAndWhere) {
  for (const InvalidConfig& config : InvalidConfigs()) {
    const std::string name = FileName(config);
    const ConfigOutcome outcome =
        ParseConfig(ReadSourceFile(kTestData + name), name);
    std::string messages;
    for (const std::string& error : outcome.errors) messages += error + '\n';
    EXPECT_EQ(messages, config.messages);
    EXPECT_FALSE(outcome.config) << name;
  }
}

TEST(ConfigErrorsTest, KnowsEveryInvalidFile) {
  std::set<std::string> known;
  for (const InvalidConfig& config : InvalidConfigs()) {
    known.insert(FileName(config));
  }
  std::set<std::string> files;
  for (const auto& entry :
       std::filesystem::directory_iterator(SourcePath(kTestData))) {
    if (entry.path().extension() != ".toml") continue;
    files.insert(entry.path().filename().string());
  }
  EXPECT_EQ(files, known);
}

}  // namespace
}  // namespace echo_exporter
