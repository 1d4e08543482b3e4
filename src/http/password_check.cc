#include "src/http/password_check.h"

#include <botan/bcrypt.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <algorithm>
#include <exception>
#include <stdexcept>
#include <utility>

#include "src/base/permit.h"

namespace echo_exporter {
namespace {

/// The two digits of the cost have a fixed place and width.
std::string CostliestOf(const std::map<std::string, std::string>& users) {
  const auto costliest = std::max_element(
      users.begin(), users.end(), [](const auto& a, const auto& b) {
        return a.second.substr(4, 2) < b.second.substr(4, 2);
      });
  return costliest->second;
}

}  // namespace

PasswordCheck::PasswordCheck(std::map<std::string, std::string> users)
    : users_(std::move(users)), costliest_hash_(CostliestOf(users_)) {
  if (RAND_bytes(key_.data(), static_cast<int>(key_.size())) != 1) {
    throw std::runtime_error("the system provides no random numbers");
  }
}

PasswordCheck::Verdict PasswordCheck::Check(const std::string& user,
                                            const std::string& password) {
  const Digest digest = DigestOf(user, password);
  if (IsRemembered(digest)) return Verdict::kRight;
  const Permit permit(waiting_, kMaxWaiting);
  if (!permit.granted()) return Verdict::kBusy;
  const MutexLock lock(computing_);
  // A client with several connections sends the same password several times at
  // once.
  if (IsRemembered(digest)) return Verdict::kRight;
  if (!Compute(user, password)) return Verdict::kWrong;
  Remember(digest);
  return Verdict::kRight;
}

PasswordCheck::Digest PasswordCheck::DigestOf(
    const std::string& user, const std::string& password) const {
  // A name contains no colon.
  const std::string text = user + ':' + password;
  Digest digest{};
  unsigned int size = 0;
  if (!HMAC(EVP_sha256(), key_.data(), static_cast<int>(key_.size()),
            reinterpret_cast<const unsigned char*>(text.data()), text.size(),
            digest.data(), &size)) {
    throw std::runtime_error("computing a digest failed");
  }
  return digest;
}

bool PasswordCheck::IsRemembered(const Digest& digest) {
  const MutexLock lock(mutex_);
  return std::find(remembered_.begin(), remembered_.end(), digest) !=
         remembered_.end();
}

// Only right passwords are cached, so that guesses cannot evict them.
void PasswordCheck::Remember(const Digest& digest) {
  const MutexLock lock(mutex_);
  if (remembered_.size() >= kMaxRemembered) remembered_.pop_front();
  remembered_.push_back(digest);
}

bool PasswordCheck::Compute(const std::string& user,
                            const std::string& password) {
  const auto found = users_.find(user);
  const bool exists = found != users_.end();
  try {
    // A name that does not exist is checked against some hash, and the result
    // is ignored.
    const bool right =
        Botan::check_bcrypt(password, exists ? found->second : costliest_hash_);
    return exists && right;
  } catch (const std::exception&) {
    return false;
  }
}

}  // namespace echo_exporter
