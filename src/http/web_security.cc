#include "echo_exporter/web_security.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <optional>
#include <utility>

#include "echo_exporter/clock.h"
#include "echo_exporter/web_config.h"
#include "src/base/file.h"
#include "src/base/log.h"
#include "src/base/mutex.h"
#include "src/base/periodic.h"
#include "src/base/settled.h"
#include "src/http/web_policy.h"

namespace echo_exporter {
namespace {

constexpr Nanoseconds kLookInterval = std::chrono::seconds(1);

using Files = std::vector<WebConfigFileState>;

/// The same files as they are now.
Files ReadAgain(Files files) {
  for (auto& file : files) {
    file.hash = HashOf(ReadFile(file.path, kMaxWebFileBytes));
  }
  return files;
}

/// What protects the server, as far as a mistake could take it away.
using Protection = std::vector<std::string>;

Protection ProtectionOf(const WebConfig& config) {
  Protection result;
  if (!config.users.empty()) result.emplace_back("basic_auth_users");
  if (const auto& tls = config.tls) {
    const ClientAuth auth = tls->client_auth;
    if (RequiresCertificate(auth)) {
      result.emplace_back("a client_auth_type that requires certificates");
    }
    if (VerifiesCertificate(auth)) {
      result.emplace_back("a client_auth_type that verifies certificates");
      if (!tls->client_ca.origin.empty()) result.emplace_back("client_ca_file");
    }
    if (!tls->client_allowed_sans.empty()) {
      result.emplace_back("client_allowed_sans");
    }
  }
  if (!config.users.empty() || config.tls || config.rate_limit ||
      !config.headers.empty()) {
    result.emplace_back("every setting");
  }
  return result;
}

std::shared_ptr<const WebPolicy> MakePolicy(
    const std::string& path, const WebConfig& config,
    std::shared_ptr<PasswordCheck> passwords,
    std::vector<std::string>* errors) try {
  return WebPolicy::Create(config, std::move(passwords), errors);
} catch (const std::exception& error) {
  errors->push_back(path + ": " + error.what());
  return nullptr;
}

class FileWebSecurity final : public WebSecurity {
 public:
  FileWebSecurity(std::string path, std::shared_ptr<PasswordCheck> passwords,
                  std::shared_ptr<const WebPolicy> policy,
                  Protection protection, Files files)
      : path_(std::move(path)),
        uses_tls_(policy->uses_tls()),
        passwords_(std::move(passwords)),
        policy_(std::move(policy)),
        protection_(std::move(protection)),
        files_(std::move(files)) {}

  bool uses_tls() const override { return uses_tls_; }
  std::shared_ptr<const WebPolicy> Current() override {
    const MutexLock lock(mutex_);
    return policy_;
  }
  void Look() override;
  void Watch() override {
    const MutexLock lock(mutex_);
    if (!watch_) watch_.emplace(kLookInterval, [this] { TryToLook(); });
  }
  std::vector<std::string> Reload() override;
  void SetObserver(Observer observer) override {
    const MutexLock lock(mutex_);
    observer_ = std::move(observer);
    Tell();
  }

 private:
  void TryToLook();
  void Tell() REQUIRES(mutex_);
  std::vector<std::string> Take(WebConfigOutcome outcome, bool asked)
      REQUIRES(reading_mutex_);
  std::string ReasonToReject(const WebPolicy& policy,
                             const Protection& protection, bool asked) const
      REQUIRES(reading_mutex_);

  const std::string path_;
  const bool uses_tls_;
  const std::shared_ptr<PasswordCheck> passwords_;

  // Held for a moment only, since requests wait for it.
  Mutex mutex_;
  std::shared_ptr<const WebPolicy> policy_ GUARDED_BY(mutex_);
  bool good_ GUARDED_BY(mutex_) = true;
  Observer observer_ GUARDED_BY(mutex_);

  Mutex reading_mutex_;                               ///< one reading at a time
  Protection protection_ GUARDED_BY(reading_mutex_);  ///< of the policy
  /// Of the last version that was judged, valid or not.
  Settled<Files> files_ GUARDED_BY(reading_mutex_);

  // The last member: its destructor waits for a look, which uses the others.
  std::optional<Periodic> watch_ GUARDED_BY(mutex_);
};

void FileWebSecurity::TryToLook() {
  try {
    Look();
  } catch (const std::exception& error) {
    // Such as running out of memory: the next look may succeed.
    Log(LogLevel::kDebug, "looking at the web configuration failed",
        {{"error", error.what()}});
  }
}

void FileWebSecurity::Look() {
  const MutexLock lock(reading_mutex_);
  // Parsing a large file takes longer than reading it.
  if (const auto& seen = files_.seen();
      seen && !files_.unsettled() && ReadAgain(*seen) == seen) {
    return;
  }
  WebConfigOutcome outcome = LoadWebConfig(path_);
  if (!files_.Look(outcome.files)) return;
  try {
    Take(std::move(outcome), /*asked=*/false);
  } catch (const std::exception&) {
    files_.Forget();  // so that it is taken later
    throw;
  }
}

std::vector<std::string> FileWebSecurity::Reload() {
  const MutexLock lock(reading_mutex_);
  WebConfigOutcome outcome = LoadWebConfig(path_);
  files_.MarkSeen(outcome.files);
  return Take(std::move(outcome), /*asked=*/true);
}

/// Puts a version in force unless it has errors, which are returned.
std::vector<std::string> FileWebSecurity::Take(WebConfigOutcome outcome,
                                               bool asked) {
  std::vector<std::string> errors = std::move(outcome.errors);
  std::shared_ptr<const WebPolicy> policy;
  if (const auto& config = outcome.config) {
    policy = MakePolicy(path_, *config, passwords_, &errors);
    Protection protection = ProtectionOf(*config);
    if (policy) {
      const std::string reason = ReasonToReject(*policy, protection, asked);
      if (!reason.empty()) errors.push_back(path_ + ": " + reason);
    }
    if (errors.empty()) {
      LogEach(LogLevel::kWarn, "web configuration", "warning",
              config->warnings);
      Log(LogLevel::kInfo, "web configuration reloaded", {{"file", path_}});
      protection_ = std::move(protection);
    }
  }
  LogEach(LogLevel::kError,
          "invalid web configuration; keeping the previous one", "error",
          errors);
  const MutexLock lock(mutex_);
  good_ = errors.empty();
  if (good_) policy_ = std::move(policy);
  Tell();
  return errors;
}

// Under the mutex, so that none is being called when SetObserver() returns:
// whoever unsets it may be destroyed then.
void FileWebSecurity::Tell() {
  if (!observer_) return;
  observer_(
      {.good = good_, .certificate_expiry = policy_->certificate_expiry()});
}

/// Why a valid version must not come into force; empty when it may.
std::string FileWebSecurity::ReasonToReject(const WebPolicy& policy,
                                            const Protection& protection,
                                            bool asked) const {
  if (policy.uses_tls() != uses_tls_) {
    return std::string("tls_server_config was ") +
           (uses_tls_ ? "removed: serving HTTP" : "added: serving HTTPS") +
           " from now on requires a restart";
  }
  for (const std::string& part : asked ? Protection() : protection_) {
    if (std::ranges::find(protection, part) == protection.end()) {
      return "the file has changed and lacks " + part +
             ", which is in force; to take it away, reload explicitly or "
             "restart";
    }
  }
  return {};
}

}  // namespace

WebSecurityOutcome WebSecurity::Open(const std::string& path) {
  WebSecurityOutcome outcome;
  WebConfigOutcome first = LoadWebConfig(path);
  outcome.errors = std::move(first.errors);
  for (const auto& file : first.files) outcome.files.push_back(file.path);
  if (!first.config) return outcome;
  outcome.warnings = first.config->warnings;
  auto passwords = std::make_shared<PasswordCheck>();
  auto policy = MakePolicy(path, *first.config, passwords, &outcome.errors);
  if (policy) {
    outcome.security = std::make_shared<FileWebSecurity>(
        path, std::move(passwords), std::move(policy),
        ProtectionOf(*first.config), std::move(first.files));
  }
  return outcome;
}

}  // namespace echo_exporter
