#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <system_error>

#include "src/base/number_text.h"
#include "src/config/quoted.h"
#include "src/config/web_config_sections.h"

namespace echo_exporter {
namespace {

constexpr std::size_t kMaxHeaderBytes = 4096;

// Up to this cost, the password check takes some seconds at most.
constexpr int kLeastBcryptCost = 4;
constexpr int kMostBcryptCost = 18;

struct HeaderRule {
  std::string_view name;
  std::array<std::string_view, 2> allowed{};  ///< values; empty: any
};
constexpr std::array kHeaders = {
    HeaderRule{"Content-Security-Policy"},
    HeaderRule{"Strict-Transport-Security"},
    HeaderRule{"X-Content-Type-Options", {"nosniff", "nosniff"}},
    HeaderRule{"X-Frame-Options", {"deny", "sameorigin"}},
    HeaderRule{"X-XSS-Protection"},
};

bool IsHeaderText(std::string_view text) {
  return text.size() <= kMaxHeaderBytes &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return c >= ' ' && c <= '~'; });
}

/// Why `hash` is not a bcrypt hash that can be checked; empty when it is. Never
/// repeats any part of the hash.
std::string_view HashFault(std::string_view hash) {
  constexpr std::string_view kAlphabet =
      "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  constexpr std::size_t kSaltAndChecksum = 53;
  const bool is_bcrypt =
      hash.size() == 7 + kSaltAndChecksum &&
      (hash.starts_with("$2a$") || hash.starts_with("$2b$") ||
       hash.starts_with("$2y$")) &&
      hash[6] == '$' &&
      hash.find_first_not_of(kAlphabet, 7) == std::string_view::npos;
  if (!is_bcrypt) {
    return "the password must be a bcrypt hash ($2a$, $2b$ or $2y$), as made "
           "by \"htpasswd -nBC 10 NAME\"";
  }
  const auto cost = ParseNumber<int>(hash.substr(4, 2));
  if (!cost || *cost < kLeastBcryptCost || *cost > kMostBcryptCost) {
    return "the cost of the bcrypt hash must be from 04 to 18";
  }
  return {};
}

}  // namespace

void ReadHeaders(DocumentReader& headers, WebConfig* config) {
  for (const auto& [name, value] : headers.ReadAllTexts()) {
    const auto* const rule =
        std::find_if(kHeaders.begin(), kHeaders.end(),
                     [&wanted = name.value](const HeaderRule& known) {
                       return known.name == wanted;
                     });
    if (rule == kHeaders.end()) {
      std::vector<std::string> names;
      for (const HeaderRule& known : kHeaders) names.emplace_back(known.name);
      headers.AddError(name.position, "header " + Excerpt(name.value) +
                                          " cannot be set; " +
                                          KeyAdvice(name.value, names));
    } else if (const auto& [one, other] = rule->allowed;
               !one.empty() && value.value != one && value.value != other) {
      headers.AddError(value.position,
                       name.value + " must be " + std::string(one) +
                           (one == other ? "" : " or " + std::string(other)) +
                           ", not " + Excerpt(value.value));
    } else if (!IsHeaderText(value.value)) {
      headers.AddError(
          value.position,
          name.value + " must be at most 4096 printable ASCII characters");
    } else if (!value.value.empty()) {  // as in the toolkit, empty: not set
      config->headers.emplace_back(name.value, value.value);
    }
  }
}

void ReadUsers(DocumentReader& users, WebConfig* config) {
  for (const auto& [name, hash] : users.ReadAllTexts()) {
    const std::string subject = "user " + Excerpt(name.value) + ": ";
    if (name.value.empty() || name.value.find(':') != std::string::npos) {
      // A colon separates the name from the password in requests (RFC 7617).
      users.AddError(name.position,
                     subject + "a name must not be empty or contain a colon");
    } else if (const auto fault = HashFault(hash.value); !fault.empty()) {
      users.AddError(hash.position, subject + std::string(fault));
    } else {
      config->users.emplace(name.value, hash.value);
    }
  }
}

// As in the toolkit: without an interval there is no limit, and without a burst
// no request is within it.
void ReadRateLimit(DocumentReader& limit, WebConfig* config) {
  // The time of a whole burst, far below the range of 64-bit nanoseconds.
  constexpr Nanoseconds kFullest = std::chrono::hours(24 * 36500);
  const auto text = limit.ReadText("interval");
  std::int64_t burst = 0;
  limit.ReadInteger("burst", -1'000'000'000, 1'000'000'000, &burst);
  const auto interval =
      text ? ParseGoDuration(text->value) : Nanoseconds::zero();
  if (!interval || *interval > kFullest) {
    limit.AddError(text->position,
                   "interval must be a duration up to 100 years, such as "
                   "\"1s\" or \"250ms\", not " +
                       Excerpt(text->value));
    return;
  }
  if (*interval <= Nanoseconds::zero()) {
    limit.AddWarning(limit.PositionOf("interval"),
                     "without an interval above 0s there is no rate limit");
    return;
  }
  if (burst <= 0) {
    limit.AddWarning(limit.PositionOf("burst"),
                     "without a burst above 0 every request is rejected");
  }
  config->rate_limit = RateLimitConfig{
      .interval = *interval,
      .burst = static_cast<std::uint32_t>(
          std::clamp<std::int64_t>(burst, 0, kFullest / *interval))};
}

std::optional<Nanoseconds> ParseGoDuration(std::string_view text) {
  struct Unit {
    std::string_view name;
    double nanoseconds;
  };
  constexpr std::array kUnits = {Unit{"ns", 1},   Unit{"us", 1e3},
                                 Unit{"ms", 1e6}, Unit{"s", 1e9},
                                 Unit{"m", 60e9}, Unit{"h", 3600e9}};
  const bool has_plus = text.starts_with('+');
  if (const auto number =
          ParseNumber<std::int64_t>(text.substr(has_plus ? 1 : 0))) {
    return Nanoseconds(*number);
  }
  const bool negative = text.starts_with('-');
  if (negative || has_plus) text.remove_prefix(1);
  double total = 0;
  do {
    double number = 0;
    const char* const end = text.data() + text.size();
    const auto [parsed, fault] =
        std::from_chars(text.data(), end, number, std::chars_format::fixed);
    if (fault != std::errc() || !(number >= 0)) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(parsed - text.data()));
    const std::size_t length =
        std::min(text.find_first_of("0123456789."), text.size());
    const auto* const unit = std::find_if(
        kUnits.begin(), kUnits.end(),
        [&](const Unit& u) { return u.name == text.substr(0, length); });
    if (unit == kUnits.end()) return std::nullopt;
    text.remove_prefix(length);
    total += number * unit->nanoseconds;
  } while (!text.empty());
  // Near the largest integer, a double can round up to one out of range.
  if (total > 9.2e18) return std::nullopt;
  return Nanoseconds(std::llround(negative ? -total : total));
}

}  // namespace echo_exporter
