#include "echo_exporter/web_security.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <exception>
#include <optional>
#include <string_view>
#include <thread>
#include <utility>

#include "echo_exporter/clock.h"
#include "echo_exporter/web_config.h"
#include "src/base/file.h"
#include "src/base/log.h"
#include "src/base/mutex.h"
#include "src/http/web_policy.h"
#include "src/http/web_policy_source.h"

namespace echo_exporter {
namespace {

constexpr Nanoseconds kLookInterval = std::chrono::seconds(1);

using Files = std::vector<WebConfigFileState>;

std::vector<FileStamp> StampsOf(const Files& files) {
  std::vector<FileStamp> stamps;
  for (const auto& file : files) stamps.push_back(ReadFileStamp(file.path));
  return stamps;
}

bool AreReadable(const Files& files) {
  return std::all_of(files.begin(), files.end(),
                     [](const auto& file) { return file.readable; });
}

/// The result of reading the files once.
struct Reading {
  WebConfigOutcome outcome;
  std::vector<FileStamp> stamps;  ///< of the files, from before they were read
};

/// `expected`: the files that it probably consists of.
Reading ReadFiles(const std::string& path, const Files& expected) {
  Reading reading;
  Files files = expected;
  // The list of files is known only after reading them. A file that changes
  // while it is read has an old stamp here, and is read again the next time.
  for (int i = 0; i < 3; ++i) {
    reading.stamps = StampsOf(files);
    reading.outcome = LoadWebConfig(path);
    const bool same_paths = std::ranges::equal(files, reading.outcome.files, {},
                                               &WebConfigFileState::path,
                                               &WebConfigFileState::path);
    files = reading.outcome.files;
    if (same_paths) break;
  }
  reading.stamps.resize(files.size());
  return reading;
}

/// What protects the server, as far as a mistake could take it away.
struct Protection {
  bool anything = false;
  bool passwords = false;
  bool certificates = false;  ///< are required of clients
  bool verification = false;  ///< of clients' certificates
  bool own_ca = false;        ///< verified by `client_ca`, not the system's
  bool names = false;         ///< in clients' certificates are checked
};

Protection ProtectionOf(const WebConfig& config) {
  Protection result;
  result.passwords = !config.users.empty();
  result.anything = result.passwords || config.tls || config.rate_limit ||
                    !config.headers.empty();
  if (!config.tls) return result;
  const ClientAuth auth = config.tls->client_auth;
  result.certificates = auth == ClientAuth::kRequireAnyClientCert ||
                        auth == ClientAuth::kRequireAndVerifyClientCert;
  result.verification = auth == ClientAuth::kVerifyClientCertIfGiven ||
                        auth == ClientAuth::kRequireAndVerifyClientCert;
  result.own_ca = result.verification && !config.tls->client_ca.origin.empty();
  result.names = !config.tls->client_allowed_sans.empty();
  return result;
}

/// What `after` lacks of `before`; empty: nothing.
std::string_view LossOf(const Protection& before, const Protection& after) {
  if (before.passwords && !after.passwords) return "basic_auth_users";
  if (before.certificates && !after.certificates) {
    return "a client_auth_type that requires certificates";
  }
  if (before.verification && !after.verification) {
    return "a client_auth_type that verifies certificates";
  }
  if (before.own_ca && !after.own_ca) return "client_ca_file";
  if (before.names && !after.names) return "client_allowed_sans";
  if (before.anything && !after.anything) return "every setting";
  return {};
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

class FileWebSecurity final : public WebPolicySource {
 public:
  FileWebSecurity(std::string path, std::shared_ptr<PasswordCheck> passwords,
                  std::shared_ptr<const WebPolicy> policy, Reading first)
      : path_(std::move(path)),
        uses_tls_(policy->uses_tls()),
        passwords_(std::move(passwords)),
        policy_(std::move(policy)),
        protection_(ProtectionOf(*first.outcome.config)),
        seen_(std::move(first.outcome.files)),
        stamps_(std::move(first.stamps)) {}
  ~FileWebSecurity() override;
  FileWebSecurity(const FileWebSecurity&) = delete;
  FileWebSecurity& operator=(const FileWebSecurity&) = delete;

  bool uses_tls() const override { return uses_tls_; }
  std::shared_ptr<const WebPolicy> Current() override {
    const MutexLock lock(mutex_);
    return policy_;
  }
  void Watch() override;
  void Look() override;
  std::vector<std::string> Reload() override;
  void SetReloadObserver(std::function<void(bool)> on_reload) override {
    const MutexLock lock(mutex_);
    on_reload_ = std::move(on_reload);
  }

 private:
  void LookUntilStopped();
  std::vector<std::string> Take(Reading reading, bool asked)
      REQUIRES(reading_mutex_);
  void RejectTlsChange(std::shared_ptr<const WebPolicy>* policy,
                       std::vector<std::string>* errors) const;

  const std::string path_;
  const bool uses_tls_;
  const std::shared_ptr<PasswordCheck> passwords_;

  // Held for a moment only, since requests wait for it.
  Mutex mutex_;
  std::shared_ptr<const WebPolicy> policy_ GUARDED_BY(mutex_);
  std::function<void(bool)> on_reload_ GUARDED_BY(mutex_);

  Mutex reading_mutex_;                               ///< one reading at a time
  Protection protection_ GUARDED_BY(reading_mutex_);  ///< of the policy
  // Of the last version that was judged, valid or not.
  Files seen_ GUARDED_BY(reading_mutex_);
  std::vector<FileStamp> stamps_ GUARDED_BY(reading_mutex_);
  /// What the last look has seen, if it was new: the next one is to confirm it.
  std::optional<Files> candidate_ GUARDED_BY(reading_mutex_);

  Mutex watch_mutex_;
  CondVar stop_;
  bool stopping_ GUARDED_BY(watch_mutex_) = false;
  std::thread watch_ GUARDED_BY(watch_mutex_);
};

FileWebSecurity::~FileWebSecurity() {
  std::thread watch;
  {
    const MutexLock lock(watch_mutex_);
    stopping_ = true;
    stop_.NotifyAll();
    watch = std::move(watch_);
  }
  if (watch.joinable()) watch.join();
}

void FileWebSecurity::Watch() {
  const MutexLock lock(watch_mutex_);
  if (watch_.joinable()) return;
  watch_ = std::thread([this] { LookUntilStopped(); });
}

void FileWebSecurity::LookUntilStopped() {
  for (;;) {
    {
      const MutexLock lock(watch_mutex_);
      const SteadyTime next = Clock::System().Now() + kLookInterval;
      while (!stopping_ && stop_.WaitUntil(watch_mutex_, next)) {
      }
      if (stopping_) return;
    }
    try {
      Look();
    } catch (const std::exception& error) {
      // Such as running out of memory: the next look may succeed.
      Log(LogLevel::kDebug, "looking at the web configuration failed",
          {{"error", error.what()}});
    }
  }
}

void FileWebSecurity::Look() {
  const MutexLock lock(reading_mutex_);
  // What could not be read is tried again, and what is new is confirmed, even
  // if nothing has changed since.
  if (!candidate_ && AreReadable(seen_) && StampsOf(seen_) == stamps_) return;
  Reading reading = ReadFiles(path_, candidate_ ? *candidate_ : seen_);
  const Files& files = reading.outcome.files;
  const auto before = std::exchange(candidate_, std::nullopt);
  if (files == seen_) {
    stamps_ = std::move(reading.stamps);
  } else if (before == files) {
    Take(std::move(reading), /*asked=*/false);
  } else {
    candidate_ = files;
  }
}

std::vector<std::string> FileWebSecurity::Reload() {
  const MutexLock lock(reading_mutex_);
  candidate_.reset();
  return Take(ReadFiles(path_, seen_), /*asked=*/true);
}

/// Puts a version in force unless it has errors, which are returned.
std::vector<std::string> FileWebSecurity::Take(Reading reading, bool asked) {
  std::vector<std::string> errors = std::move(reading.outcome.errors);
  const auto& config = reading.outcome.config;
  std::shared_ptr<const WebPolicy> policy;
  if (config) policy = MakePolicy(path_, *config, passwords_, &errors);
  RejectTlsChange(&policy, &errors);
  if (policy && !asked) {
    if (const auto loss = LossOf(protection_, ProtectionOf(*config));
        !loss.empty()) {
      errors.push_back(path_ + ": the file has changed and lacks " +
                       std::string(loss) +
                       ", which is in force; to take it away, reload "
                       "explicitly or restart");
      policy = nullptr;
    }
  }
  if (policy) {
    LogEach(LogLevel::kWarn, "web configuration", "warning", config->warnings);
    Log(LogLevel::kInfo, "web configuration reloaded", {{"file", path_}});
    protection_ = ProtectionOf(*config);
  }
  LogEach(LogLevel::kError,
          "invalid web configuration; keeping the previous one", "error",
          errors);
  seen_ = std::move(reading.outcome.files);
  stamps_ = std::move(reading.stamps);
  // The observer runs under the mutex: once it is replaced, none runs any more.
  const MutexLock lock(mutex_);
  if (policy) policy_ = std::move(policy);
  if (on_reload_) on_reload_(errors.empty());
  return errors;
}

void FileWebSecurity::RejectTlsChange(std::shared_ptr<const WebPolicy>* policy,
                                      std::vector<std::string>* errors) const {
  if (!*policy || (*policy)->uses_tls() == uses_tls_) return;
  policy->reset();
  errors->push_back(path_ + ": tls_server_config " +
                    (uses_tls_ ? "was removed" : "was added") + ": serving " +
                    (uses_tls_ ? "HTTP" : "HTTPS") +
                    " from now on requires a restart");
}

}  // namespace

WebSecurityOutcome WebSecurity::Open(const std::string& path) {
  WebSecurityOutcome outcome;
  Reading first = ReadFiles(path, {{.path = path}});
  outcome.errors = std::move(first.outcome.errors);
  for (const auto& file : first.outcome.files) {
    outcome.files.push_back(file.path);
  }
  if (!first.outcome.config) return outcome;
  outcome.warnings = first.outcome.config->warnings;
  auto passwords = std::make_shared<PasswordCheck>();
  auto policy =
      MakePolicy(path, *first.outcome.config, passwords, &outcome.errors);
  if (policy) {
    outcome.security = std::make_shared<FileWebSecurity>(
        path, std::move(passwords), std::move(policy), std::move(first));
  }
  return outcome;
}

}  // namespace echo_exporter
