#include "src/http/password_check.h"

#include <botan/bcrypt.h>
#include <botan/rng.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <algorithm>
#include <cstdint>
#include <exception>
#include <memory>
#include <stdexcept>
#include <utility>

#include "echo_exporter/web_security.h"

namespace echo_exporter {
namespace {

/// The two digits of the cost have a fixed place and width.
std::string CostliestOf(const std::map<std::string, std::string>& hashes) {
  const auto costliest = std::max_element(
      hashes.begin(), hashes.end(), [](const auto& a, const auto& b) {
        return a.second.compare(4, 2, b.second, 4, 2) < 0;
      });
  return costliest->second;
}

bool IsPasswordOf(const std::string& hash, const std::string& password) {
  try {
    return Botan::check_bcrypt(password, hash);
  } catch (const std::exception&) {
    return false;
  }
}

/// Random numbers of the system: the bcrypt of a minimal Botan has none.
class OpensslRandom final : public Botan::RandomNumberGenerator {
 public:
  void randomize(std::uint8_t output[], std::size_t length) override {
    if (RAND_bytes(output, static_cast<int>(length)) != 1) {
      throw std::runtime_error("the system provides no random numbers");
    }
  }
  bool accepts_input() const override { return false; }
  void add_entropy(const std::uint8_t /*input*/[],
                   std::size_t /*length*/) override {}
  std::string name() const override { return "OpenSSL"; }
  void clear() override {}
  bool is_seeded() const override { return true; }
};

}  // namespace

std::string HashPassword(const std::string& password, std::uint16_t cost) {
  OpensslRandom random;
  return Botan::generate_bcrypt(password, random, cost, 'b');
}

UserTable::UserTable(std::map<std::string, std::string> users)
    : hashes(std::move(users)), costliest_hash(CostliestOf(hashes)) {}

PasswordCheck::PasswordCheck() {
  OpensslRandom().randomize(key_.data(), key_.size());
}

PasswordCheck::Verdict PasswordCheck::Check(const UserTable& users,
                                            const std::string& user,
                                            const std::string& password,
                                            const IpAddress& client) {
  const auto found = users.hashes.find(user);
  const bool exists = found != users.hashes.end();
  // A name that does not exist is checked against some hash, and the result is
  // ignored.
  const std::string& hash = exists ? found->second : users.costliest_hash;
  const Digest digest = DigestOf(user, hash, password);
  // A removed user's password may be remembered with the hash of another.
  const auto is_known_right = [&] {
    const MutexLock lock(mutex_);
    const auto known = remembered_.find(user);
    return exists && known != remembered_.end() && known->second == digest;
  };
  if (is_known_right()) return Verdict::kRight;
  if (!turns_.Begin(client)) return Verdict::kBusy;
  const auto end = [](FairTurns* turns) { turns->End(); };
  const std::unique_ptr<FairTurns, decltype(end)> turn(&turns_, end);
  // A client with several connections sends the same password several times at
  // once.
  if (is_known_right()) return Verdict::kRight;
  if (!IsPasswordOf(hash, password) || !exists) return Verdict::kWrong;
  const MutexLock lock(mutex_);
  remembered_[user] = digest;
  return Verdict::kRight;
}

PasswordCheck::Digest PasswordCheck::DigestOf(
    const std::string& user, const std::string& hash,
    const std::string& password) const {
  // All hashes have the same length, and a name contains no colon.
  const std::string text = hash + user + ':' + password;
  Digest digest{};
  unsigned int size = 0;
  if (!HMAC(EVP_sha256(), key_.data(), static_cast<int>(key_.size()),
            reinterpret_cast<const unsigned char*>(text.data()), text.size(),
            digest.data(), &size)) {
    throw std::runtime_error("computing a digest failed");
  }
  return digest;
}

}  // namespace echo_exporter
