#pragma once

#include <string>
#include <utility>
#include <variant>

namespace echo_exporter {

enum class ErrorCode {
  kInvalidArgument,  ///< the request is invalid; retrying fails again
  kNotFound,         ///< the named object does not exist (now)
  kNotAllowed,       ///< rejected by configuration or by the operating system
  kExhausted,        ///< a limit was reached; may succeed later
  kUnavailable,      ///< a temporary failure; may succeed later
  kUnsupported,      ///< this operating system cannot do it
};

/// The cause of a failure. `message` has the form "doing what: subject: cause
/// (code)" and can be shown to an administrator unchanged.
struct Error {
  ErrorCode code;
  std::string message;
};

/// Either a value or an Error; never both, never neither.
///
/// A plain value type: as thread-safe as T.
template <typename T>
class [[nodiscard]] Result {
 public:
  // Implicit: a function returns a value or an error as it is.
  // NOLINTNEXTLINE(google-explicit-constructor)
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  // NOLINTNEXTLINE(google-explicit-constructor)
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const { return state_.index() == 0; }

  /// Requires ok().
  T& value() & { return std::get<0>(state_); }
  const T& value() const& { return std::get<0>(state_); }
  T&& value() && { return std::get<0>(std::move(state_)); }

  /// Requires !ok().
  const Error& error() const { return std::get<1>(state_); }

 private:
  std::variant<T, Error> state_;
};

/// The result of an operation that returns no value on success.
using Status = Result<std::monostate>;

}  // namespace echo_exporter
