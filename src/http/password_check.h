#ifndef ECHO_EXPORTER_SRC_HTTP_PASSWORD_CHECK_H_
#define ECHO_EXPORTER_SRC_HTTP_PASSWORD_CHECK_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <deque>
#include <map>
#include <string>

#include "src/base/mutex.h"

namespace echo_exporter {

/// Checks names and passwords against bcrypt hashes, which is slow by design:
/// one at a time, so that guessing occupies at most one processor. A password
/// found right is cached, so that it is computed only once.
///
/// A name that does not exist takes as long as a wrong password if all hashes
/// have the same cost. The cache contains only keyed digests, which are useless
/// outside this process.
///
/// Thread-safe.
class PasswordCheck {
 public:
  enum class Verdict {
    kRight,
    kWrong,
    kBusy,  ///< too many are waiting; not checked
  };

  /// How many may wait at once. Each occupies a connection that cannot be
  /// evicted meanwhile.
  static constexpr std::uint32_t kMaxWaiting = 16;

  /// `users`: names and bcrypt hashes, at least one.
  explicit PasswordCheck(std::map<std::string, std::string> users);

  Verdict Check(const std::string& user, const std::string& password);

 private:
  using Digest = std::array<unsigned char, 32>;
  static constexpr std::size_t kMaxRemembered = 128;

  Digest DigestOf(const std::string& user, const std::string& password) const;
  bool IsRemembered(const Digest& digest);
  void Remember(const Digest& digest);
  bool Compute(const std::string& user, const std::string& password);

  const std::map<std::string, std::string> users_;
  const std::string costliest_hash_;
  std::array<unsigned char, 32> key_{};

  std::atomic<std::uint32_t> waiting_{0};
  Mutex computing_;  ///< held while bcrypt computes

  Mutex mutex_;
  std::deque<Digest> remembered_ GUARDED_BY(mutex_);  ///< oldest first
};

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_SRC_HTTP_PASSWORD_CHECK_H_
