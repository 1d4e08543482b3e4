#include "echo_exporter/target_list.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "src/base/duration.h"
#include "src/base/host_name.h"
#include "src/base/number_text.h"
#include "src/base/utf8.h"
#include "src/config/document.h"
#include "src/config/findings.h"
#include "src/config/label_names.h"
#include "src/config/quoted.h"

namespace echo_exporter {
namespace {

using Kind = DocumentNode::Kind;

bool IsPort(std::string_view text) {
  return !text.empty() && text.size() <= 5 &&
         std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

/// A target that may have a port or be a URL, cut to its host.
struct Cut {
  std::string_view host;
  bool has_port = false;
  bool is_url = false;
};

Cut CutToHost(std::string_view text) {
  Cut cut{.host = text};
  if (const auto scheme = text.find("://"); scheme != std::string_view::npos) {
    cut.is_url = true;
    text.remove_prefix(scheme + 3);
    text = text.substr(0, text.find_first_of("/?#"));
    text.remove_prefix(text.rfind('@') + 1);  // npos: nothing
    cut.host = text;
  }
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return cut;
    const std::string_view rest = text.substr(end + 1);
    cut.has_port = rest.starts_with(':') && IsPort(rest.substr(1));
    if (rest.empty() || cut.has_port) cut.host = text.substr(1, end - 1);
    return cut;
  }
  const std::size_t colon = text.find(':');
  if (colon != std::string_view::npos && IsPort(text.substr(colon + 1))) {
    cut.has_port = true;
    cut.host = text.substr(0, colon);
  }
  return cut;
}

Result<DestinationConfig> ParseTarget(std::string_view text, bool strip_port) {
  const auto fault = [&text](std::string_view sentence) {
    return Error{ErrorCode::kInvalidArgument,
                 "target " + Excerpt(text).append(sentence)};
  };
  const Cut cut = CutToHost(text);
  if (cut.is_url && !strip_port) {
    return fault(
        " is a URL; a target is a host name or an address alone (with "
        "strip_port = true, the host of a URL is taken)");
  }
  if (cut.has_port && !strip_port) {
    return fault(
        " has a port, which echo requests do not have; remove it (with "
        "strip_port = true, it is ignored)");
  }
  const bool bracketed = !cut.is_url && text.starts_with('[');
  if (const auto address = ZonedAddress::Parse(cut.host);
      address && (!bracketed || !address->address.is_v4())) {
    if (!address->address.IsHost()) {
      return fault(" is an address that no host has");
    }
    return DestinationConfig{.name = std::string(cut.host),
                             .address = address->address,
                             .zone = address->zone};
  }
  auto host = AsciiHostName(cut.host);
  if (!host || bracketed) {
    return fault(" is neither a host name nor an address");
  }
  DestinationConfig destination{.name = std::string(cut.host), .address = {}};
  if (*host != destination.name) destination.ascii_name = *std::move(host);
  return destination;
}

/// What a group's labels give to each of its targets.
class GroupLabels {
 public:
  /// Empty, or why the targets of the group are rejected.
  std::string Take(const std::string& name, const std::string& value);

  void SortLabels() { std::ranges::sort(target.destination.labels); }

  ListedTarget target;

 private:
  std::string TakeSetting(std::string_view name, const std::string& value);
  std::string TakeDuration(std::string_view name, const std::string& value,
                           Nanoseconds least, Nanoseconds most,
                           std::optional<Nanoseconds>* duration);
};

std::string GroupLabels::Take(const std::string& name,
                              const std::string& value) {
  if (name.starts_with("__echo_")) return TakeSetting(name, value);
  // Prometheus has its own for what it scrapes from here.
  if (name.starts_with("__") || IsLabelOfPrometheus(name)) return "";
  if (std::string fault = LabelNameFault(name); !fault.empty()) {
    return "label " + fault;
  }
  // As in Prometheus, an empty label is none.
  if (!value.empty()) target.destination.labels.emplace_back(name, value);
  return "";
}

std::string GroupLabels::TakeSetting(std::string_view name,
                                     const std::string& value) {
  using std::chrono::hours;
  using std::chrono::milliseconds;
  using std::chrono::seconds;
  if (name == "__echo_interval__") {
    return TakeDuration(name, value, milliseconds(10), hours(1),
                        &target.settings.interval);
  }
  if (name == "__echo_timeout__") {
    return TakeDuration(name, value, milliseconds(1), seconds(60),
                        &target.settings.timeout);
  }
  if (name == "__echo_payload_size__") {
    constexpr std::uint16_t kMost = 65500;
    auto& size = target.settings.payload_size;
    size = ParseNumber<std::uint16_t>(value);
    if (size && *size <= kMost) return "";
    return "__echo_payload_size__ must be an integer from 0 to 65500, not " +
           Excerpt(value);
  }
  if (name == "__echo_source__") {
    target.settings.source = value;
    return value.empty() ? "__echo_source__ must not be empty" : "";
  }
  return "unknown label " + Excerpt(name) +
         "; known are __echo_interval__, __echo_timeout__, "
         "__echo_payload_size__ and __echo_source__";
}

std::string GroupLabels::TakeDuration(std::string_view name,
                                      const std::string& value,
                                      Nanoseconds least, Nanoseconds most,
                                      std::optional<Nanoseconds>* duration) {
  *duration = ParseDuration(value);
  if (*duration && **duration >= least && **duration <= most) return "";
  return std::string(name) + " must be a duration from " +
         FormatDuration(least) + " to " + FormatDuration(most) + ", not " +
         Excerpt(value);
}

/// Reads the tree of one list.
class ListReader {
 public:
  ListReader(std::string_view name, TargetListFormat format, bool strip_port)
      : format_(format == TargetListFormat::kJson ? DocumentFormat::kJson
                                                  : DocumentFormat::kYaml),
        strip_port_(strip_port),
        errors_(name),
        rejections_(name) {
    list_.name = name;
  }

  Result<TargetList> Read(std::string_view text);

 private:
  std::optional<Document> Parse(std::string_view text);
  void ReadGroup(const DocumentNode& group);
  void ReadTargets(const DocumentNode& targets, const DocumentNode* labels);
  void ReadTarget(const DocumentNode& node, const ListedTarget& common);
  void Reject(const DocumentNode& node, const std::string& sentence,
              std::uint64_t targets);
  /// In YAML any scalar, as written.
  bool IsText(const DocumentNode& node) const {
    return node.kind == Kind::kText ||
           (format_ == DocumentFormat::kYaml &&
            (node.kind == Kind::kInteger || node.kind == Kind::kFloat ||
             node.kind == Kind::kBoolean));
  }
  /// False, with an error added, when it is of another kind. Null is empty.
  bool Require(const DocumentNode& node, Kind kind, std::string_view what) {
    if (node.kind == kind) return true;
    if (node.kind != Kind::kNull) AddTypeError(node, what, kind);
    return false;
  }
  void AddTypeError(const DocumentNode& node, std::string_view what,
                    Kind wanted) {
    errors_.AddError(node.position,
                     std::string(what) + " must be " +
                         std::string(TypeName(format_, wanted)) + ", not " +
                         std::string(TypeName(format_, node.kind)));
  }

  const DocumentFormat format_;
  const bool strip_port_;
  Findings errors_;
  Findings rejections_;
  TargetList list_;
};

std::optional<Document> ListReader::Parse(std::string_view text) {
  if (format_ == DocumentFormat::kJson) return ParseJson(text, errors_);
  std::size_t length = 0;
  for (std::size_t at = 0; at < text.size(); at += length) {
    length = Utf8Length(text.substr(at));
    if (length > 0) continue;
    errors_.AddError(PositionFinder(text).At(at), "not valid UTF-8");
    return std::nullopt;
  }
  return ParseYaml(text, errors_);
}

Result<TargetList> ListReader::Read(std::string_view text) {
  const auto document = Parse(text);
  if (document) {
    const DocumentNode& root = document->root;
    if (root.kind == Kind::kArray) {
      for (const DocumentNode& group : root.children) ReadGroup(group);
      if (!root.children.empty() && list_.targets.empty() &&
          list_.rejected == 0 && errors_.error_count() == 0) {
        errors_.AddError(root.position,
                         "there is no target; an empty list must be []");
      }
    } else if (root.kind == Kind::kNull) {
      errors_.AddError({}, "there is nothing; an empty list must be []");
    } else {
      AddTypeError(root, "a target list", Kind::kArray);
    }
  }
  if (const auto errors = errors_.Errors(); !errors.empty()) {
    return Error{
        ErrorCode::kInvalidArgument,
        errors.front() +
            (errors.size() == 1
                 ? ""
                 : " (and " + std::to_string(errors.size() - 1) + " more)")};
  }
  list_.rejections = rejections_.Errors();
  if (list_.targets.empty() && list_.rejected > 0) {
    return Error{ErrorCode::kInvalidArgument,
                 list_.rejections.front() + " (so all targets are rejected: " +
                     std::to_string(list_.rejected) + ")"};
  }
  return std::move(list_);
}

void ListReader::ReadGroup(const DocumentNode& group) {
  if (group.kind != Kind::kTable) {
    AddTypeError(group, "a target group", Kind::kTable);
    return;
  }
  for (const Finding& fault : group.faults) {
    errors_.AddError(fault.position, "key " + fault.sentence);
  }
  const DocumentNode* targets = nullptr;
  const DocumentNode* labels = nullptr;
  for (const DocumentNode& child : group.children) {
    if (child.key == "targets") {
      if (Require(child, Kind::kArray, "targets")) targets = &child;
    } else if (child.key == "labels") {
      if (Require(child, Kind::kTable, "labels")) labels = &child;
    } else {
      errors_.AddError(child.key_position,
                       "unknown key " + Excerpt(child.key) +
                           "; a target group has targets and labels");
    }
  }
  if (targets != nullptr) ReadTargets(*targets, labels);
}

void ListReader::ReadTargets(const DocumentNode& targets,
                             const DocumentNode* labels) {
  GroupLabels common;
  std::string fault;
  const DocumentNode* faulty = nullptr;
  if (labels != nullptr) {
    for (const Finding& wrong : labels->faults) {
      errors_.AddError(wrong.position, "label " + wrong.sentence);
    }
    for (const DocumentNode& label : labels->children) {
      if (!IsText(label)) {
        AddTypeError(label, "label " + Excerpt(label.key), Kind::kText);
      } else if (fault.empty()) {
        fault = common.Take(label.key, label.text);
        faulty = &label;
      }
    }
  }
  common.SortLabels();
  if (!fault.empty()) {
    Reject(*faulty, fault, targets.children.size());
    return;
  }
  for (const DocumentNode& target : targets.children) {
    if (IsText(target)) {
      ReadTarget(target, common.target);
    } else {
      AddTypeError(target, "a target", Kind::kText);
    }
  }
}

void ListReader::ReadTarget(const DocumentNode& node,
                            const ListedTarget& common) {
  auto destination = ParseTarget(node.text, strip_port_);
  if (!destination.ok()) {
    Reject(node, destination.error().message, 1);
    return;
  }
  ListedTarget& target = list_.targets.emplace_back(common);
  destination.value().labels = common.destination.labels;
  target.destination = std::move(destination).value();
  target.line = node.position.line;
  target.column = node.position.column;
}

void ListReader::Reject(const DocumentNode& node, const std::string& sentence,
                        std::uint64_t targets) {
  list_.rejected += targets;
  if (rejections_.error_count() == kMostRejections) return;
  rejections_.AddError(node.position, sentence);
}

}  // namespace

Result<TargetList> ReadTargetList(std::string_view text, std::string_view name,
                                  TargetListFormat format, bool strip_port) {
  return ListReader(name, format, strip_port).Read(text);
}

}  // namespace echo_exporter
