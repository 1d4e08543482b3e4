#pragma once

#include <array>
#include <map>
#include <string>

#include "echo_exporter/ip_address.h"
#include "src/base/mutex.h"
#include "src/http/fair_turns.h"

namespace echo_exporter {

/// The users of one version of the web configuration.
///
/// Immutable after construction.
struct UserTable {
  /// Names and bcrypt hashes, at least one.
  explicit UserTable(std::map<std::string, std::string> users);

  const std::map<std::string, std::string> hashes;
  const std::string costliest_hash;
};

/// Checks names and passwords against bcrypt hashes, which is slow by design:
/// one at a time, so that guessing occupies at most one processor, in turns
/// between the clients. A password found right is cached with the hash that it
/// belongs to, so that it is computed only once, also when other users, or
/// other parts of the web configuration, change.
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

  PasswordCheck();

  /// `client` is the unit that turns go by.
  Verdict Check(const UserTable& users, const std::string& user,
                const std::string& password, const IpAddress& client);

 private:
  using Digest = std::array<unsigned char, 32>;

  Digest DigestOf(const std::string& user, const std::string& hash,
                  const std::string& password) const;

  std::array<unsigned char, 32> key_{};
  FairTurns turns_;  ///< one for each computation

  Mutex mutex_;
  /// By user, of those that were found right: guesses cannot evict them.
  std::map<std::string, Digest> remembered_ GUARDED_BY(mutex_);
};

}  // namespace echo_exporter
