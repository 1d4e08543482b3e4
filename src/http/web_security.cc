#include "echo_exporter/web_security.h"

#include <exception>
#include <utility>

#include "echo_exporter/web_config.h"
#include "src/base/condition_log.h"
#include "src/base/file.h"
#include "src/base/log.h"
#include "src/base/mutex.h"
#include "src/http/web_policy.h"
#include "src/http/web_policy_source.h"

namespace echo_exporter {
namespace {

/// The result of reading the files once.
struct Version {
  std::shared_ptr<const WebPolicy> policy;  ///< null when there are errors
  std::vector<std::string> errors;
  std::vector<std::string> warnings;
  std::vector<std::string> files;
  std::vector<FileStamp> stamps;  ///< of `files`, from before they were read
};

std::vector<FileStamp> StampsOf(const std::vector<std::string>& files) {
  std::vector<FileStamp> stamps;
  for (const std::string& file : files) stamps.push_back(ReadFileStamp(file));
  return stamps;
}

Version ReadVersion(const std::string& path) {
  Version version;
  version.files = {path};
  WebConfigOutcome outcome;
  // The list of files is known only after reading them. A file that changes
  // while it is read has an old stamp here, and is read again the next time.
  for (int i = 0; i < 3; ++i) {
    version.stamps = StampsOf(version.files);
    outcome = LoadWebConfig(path);
    if (outcome.files == version.files) break;
    version.files = outcome.files;
  }
  version.errors = std::move(outcome.errors);
  version.stamps.resize(version.files.size());
  if (!outcome.config) return version;
  version.warnings = outcome.config->warnings;
  try {
    version.policy = WebPolicy::Create(*outcome.config, &version.errors);
  } catch (const std::exception& error) {
    version.errors.push_back(path + ": " + error.what());
  }
  return version;
}

class FileWebSecurity final : public WebPolicySource {
 public:
  FileWebSecurity(std::string path, Version first)
      : path_(std::move(path)),
        uses_tls_(first.policy->uses_tls()),
        policy_(std::move(first.policy)),
        files_(std::move(first.files)),
        stamps_(std::move(first.stamps)) {}

  bool uses_tls() const override { return uses_tls_; }
  std::shared_ptr<const WebPolicy> Current() override;
  void SetReloadObserver(std::function<void(bool)> on_reload) override {
    const MutexLock lock(mutex_);
    on_reload_ = std::move(on_reload);
  }

 private:
  void Reload() REQUIRES(mutex_);

  const std::string path_;
  const bool uses_tls_;

  Mutex mutex_;
  std::shared_ptr<const WebPolicy> policy_ GUARDED_BY(mutex_);
  // Of the last reading, valid or not.
  std::vector<std::string> files_ GUARDED_BY(mutex_);
  std::vector<FileStamp> stamps_ GUARDED_BY(mutex_);
  std::function<void(bool)> on_reload_ GUARDED_BY(mutex_);

  ConditionLog errors_{
      {.level = LogLevel::kError,
       .begins = "invalid web configuration; keeping the previous one",
       .subject = "error"}};
  ConditionLog warnings_{{.begins = "web configuration", .subject = "warning"}};
};

std::shared_ptr<const WebPolicy> FileWebSecurity::Current() {
  const MutexLock lock(mutex_);
  if (StampsOf(files_) != stamps_) Reload();
  return policy_;
}

void FileWebSecurity::Reload() {
  Version version = ReadVersion(path_);
  files_ = std::move(version.files);
  stamps_ = std::move(version.stamps);
  if (version.policy && version.policy->uses_tls() != uses_tls_) {
    version.policy = nullptr;
    version.errors.push_back(path_ + ": tls_server_config " +
                             (uses_tls_ ? "was removed" : "was added") +
                             ": serving " + (uses_tls_ ? "HTTP" : "HTTPS") +
                             " from now on requires a restart");
  }
  errors_.Replace(version.errors);
  warnings_.Replace(version.warnings);
  if (version.policy) {
    policy_ = std::move(version.policy);
    Log(LogLevel::kInfo, "web configuration reloaded", {{"file", path_}});
  }
  if (on_reload_) on_reload_(version.errors.empty());
}

}  // namespace

WebSecurityOutcome WebSecurity::Open(const std::string& path) {
  WebSecurityOutcome outcome;
  Version first = ReadVersion(path);
  outcome.errors = std::move(first.errors);
  outcome.warnings = std::move(first.warnings);
  if (outcome.errors.empty()) {
    outcome.security =
        std::make_shared<FileWebSecurity>(path, std::move(first));
  }
  return outcome;
}

}  // namespace echo_exporter
