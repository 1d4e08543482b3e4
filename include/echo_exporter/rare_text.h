#pragma once

#include <memory>
#include <string>
#include <utility>

namespace echo_exporter {

/// A text that is empty in most of very many objects, and then takes no more
/// than a pointer.
class RareText {
 public:
  RareText() = default;
  // Implicit, so that it is used as a text.
  // NOLINTNEXTLINE(google-explicit-constructor)
  RareText(std::string text)
      : text_(text.empty() ? nullptr
                           : std::make_unique<std::string>(std::move(text))) {}
  // NOLINTNEXTLINE(google-explicit-constructor)
  RareText(const char* text) : RareText(std::string(text)) {}
  RareText(const RareText& other) : RareText(other.text()) {}
  RareText(RareText&&) noexcept = default;
  RareText& operator=(const RareText& other) { return *this = RareText(other); }
  RareText& operator=(RareText&&) noexcept = default;
  ~RareText() = default;

  bool empty() const { return text_ == nullptr; }
  const std::string& text() const {
    static const std::string none;
    return text_ ? *text_ : none;
  }
  // NOLINTNEXTLINE(google-explicit-constructor)
  operator const std::string&() const { return text(); }

  friend bool operator==(const RareText& a, const RareText& b) {
    return a.text() == b.text();
  }

 private:
  std::unique_ptr<std::string> text_;  ///< null: empty
};

}  // namespace echo_exporter
