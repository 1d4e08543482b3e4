#include "echo_exporter/discovery.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <exception>
#include <map>
#include <thread>
#include <utility>
#include <vector>

#include "src/base/call_threads.h"
#include "src/base/condition_log.h"
#include "src/base/mutex.h"
#include "src/discovery/effective_config.h"
#include "src/discovery/file_source.h"
#include "src/discovery/http_source.h"
#include "src/discovery/source_set.h"
#include "src/discovery/told_conditions.h"
#include "src/discovery/watched_names.h"

namespace echo_exporter {
namespace {

constexpr Nanoseconds kTick = std::chrono::seconds(1);
constexpr Nanoseconds kOwnAddressInterval = std::chrono::minutes(1);
// After a plan that came to nothing because of what may last.
constexpr Nanoseconds kPatience = std::chrono::minutes(1);

class DiscoveryImpl final : public Discovery {
 public:
  DiscoveryImpl(Environment environment, const std::string& state_dir,
                std::function<void()> on_change)
      : environment_(std::move(environment)),
        on_change_(std::move(on_change)),
        services_{.clock = environment_.clock, .store = TargetStore(state_dir)},
        means_{.fetch = environment_.fetch,
               .run =
                   [this](std::function<void()> call) {
                     return calls_.Run(std::move(call));
                   },
               .wake = [this] { Wake(); },
               .hostname = environment_.hostname},
        names_(*environment_.book) {}

  ~DiscoveryImpl() override {
    DiscoveryImpl::Stop();
    if (thread_.joinable()) thread_.join();
  }

  Result<std::shared_ptr<const ExporterConfig>> Plan(
      const std::shared_ptr<const ExporterConfig>& config) override;
  void Commit() noexcept override;
  void Abandon() noexcept override {
    planned_ = {};
    names_.Abandon();
    retry_ = true;
  }
  void Start() override;
  void Stop() override {
    {
      const MutexLock lock(mutex_);
      stopping_ = true;
    }
    changed_.NotifyAll();
  }

 private:
  struct NewerList {
    std::shared_ptr<KeptList> list;
    std::shared_ptr<const TargetList> targets;
  };
  using NewerLists = std::vector<NewerList>;

  /// What Commit() changes to.
  struct Planned {
    SourceSet sources;
    std::uint64_t removed = 0;  ///< ListSource::removed() of all
    NewerLists accepted;        ///< are in the plan
    std::vector<std::string> rejections;
    std::vector<std::string> conflicts;
    std::vector<DiscoveryStatus::Neighbours> neighbours;
    std::map<std::string, std::uint64_t> rejected;  ///< by list
    bool needs_own_addresses = false;
    bool is_dynamic = false;
  };

  template <typename Kind, typename Make>
  void PlanSource(const std::string& group, const Kind& config, Make make);
  void PlanSources(const ExporterConfig& config);
  EffectiveConfig MergeWith(const ExporterConfig& config,
                            const NewerLists& newer);
  void FindNewerLists();
  void Note(const ExporterConfig& config, EffectiveConfig& effective);
  /// Whether they have changed; looks once in kOwnAddressInterval.
  bool ReadOwnAddresses();
  void Wake() {
    {
      const MutexLock lock(mutex_);
      woken_ = true;
    }
    changed_.NotifyAll();
  }
  SourceSet Sources() {
    const MutexLock lock(mutex_);
    return sources_;
  }
  void StartThread() REQUIRES(mutex_) {
    if (!thread_.joinable()) thread_ = std::thread([this] { Run(); });
  }
  void Run();
  bool HasChanged();
  void Publish();

  const Environment environment_;
  const std::function<void()> on_change_;
  ListServices services_;
  const HttpSource::Means means_;
  ConditionLog too_many_{{.begins = "too many pairs; nothing changes",
                          .ends = "number of pairs within the limit again",
                          .subject = "limit"}};
  ToldConditions rejections_{{.begins = "target rejected", .subject = "error"}};
  ToldConditions conflicts_{
      {.begins = "target listed twice, with different labels or settings; the "
                 "first counts",
       .subject = "places"}};

  // Confined to the thread that plans.
  Planned planned_;
  WatchedNames names_;

  Mutex mutex_;
  CondVar changed_;
  SourceSet sources_ GUARDED_BY(mutex_);
  Planned facts_ GUARDED_BY(mutex_);  ///< of the plan in effect
  std::vector<IpAddress> own_addresses_ GUARDED_BY(mutex_);
  SteadyTime own_addresses_due_ GUARDED_BY(mutex_){};
  bool started_ GUARDED_BY(mutex_) = false;
  bool stopping_ GUARDED_BY(mutex_) = false;
  bool woken_ GUARDED_BY(mutex_) = false;
  std::atomic<bool> retry_{false};  ///< the last plan came to nothing
  std::atomic<SteadyTime> patience_{SteadyTime()};  ///< until then

  // Destroyed first: they use the above.
  CallThreads calls_{2};
  std::thread thread_;
};

template <typename Kind, typename Make>
void DiscoveryImpl::PlanSource(const std::string& group, const Kind& config,
                               Make make) {
  const SourceKey key(group, config);
  if (planned_.sources.contains(key)) return;
  {
    const MutexLock lock(mutex_);
    const auto found = sources_.find(key);
    if (found != sources_.end()) {
      planned_.sources.insert(*found);
      return;
    }
  }
  planned_.sources.emplace(key, make());
}

void DiscoveryImpl::PlanSources(const ExporterConfig& config) {
  const SteadyTime now = services_.clock.Now();
  for (const GroupConfig& group : config.groups) {
    planned_.is_dynamic = planned_.is_dynamic || IsDynamic(group);
    planned_.needs_own_addresses =
        planned_.needs_own_addresses || group.ExcludesSelf();
    for (const FileDiscoveryConfig& files : group.file_sd) {
      PlanSource(group.name, files, [&] {
        auto source = std::make_shared<FileSource>(services_, files);
        source->Look(now);  // for the first plan
        return source;
      });
    }
    for (const HttpDiscoveryConfig& http : group.http_sd) {
      PlanSource(group.name, http, [&] {
        return std::make_shared<HttpSource>(services_, means_, http);
      });
    }
  }
}

void DiscoveryImpl::FindNewerLists() {
  for (const auto& [key, source] : planned_.sources) {
    planned_.removed += source->removed();
    for (auto& list : source->Lists()) {
      auto newer = list->Get(/*newer=*/true);
      if (newer == list->Get(/*newer=*/false)) continue;
      planned_.accepted.push_back({std::move(list), std::move(newer)});
    }
  }
}

EffectiveConfig DiscoveryImpl::MergeWith(const ExporterConfig& config,
                                         const NewerLists& newer) {
  // The lists stay while they are merged.
  std::vector<std::shared_ptr<const TargetList>> kept;
  std::vector<ListInUse> in_use;
  const auto add = [&](std::size_t group, const SourceKey& key) {
    for (const auto& list : planned_.sources.at(key)->Lists()) {
      const auto found = std::ranges::find(newer, list, &NewerList::list);
      auto targets =
          found == newer.end() ? list->Get(/*newer=*/false) : found->targets;
      if (targets) {
        in_use.push_back({group, targets.get()});
        kept.push_back(std::move(targets));
      }
    }
  };
  for (std::size_t g = 0; g < config.groups.size(); ++g) {
    const GroupConfig& group = config.groups[g];
    for (const auto& files : group.file_sd) add(g, {group.name, files});
    for (const auto& http : group.http_sd) add(g, {group.name, http});
  }
  Surroundings surroundings{
      .hostname = environment_.hostname,
      .own_addresses = {},
      .addresses_of = [this](const std::string& name, Nanoseconds refresh) {
        return names_.Addresses(name, refresh);
      }};
  {
    const MutexLock lock(mutex_);
    surroundings.own_addresses = own_addresses_;
  }
  EffectiveConfig effective = Merge(config, in_use, surroundings);
  planned_.rejected.clear();
  for (std::size_t i = 0; i < in_use.size(); ++i) {
    planned_.rejected[config.groups[in_use[i].group].name + '\0' +
                      in_use[i].list->name] += effective.rejected[i];
    effective.rejections.insert(effective.rejections.end(),
                                in_use[i].list->rejections.begin(),
                                in_use[i].list->rejections.end());
  }
  return effective;
}

Result<std::shared_ptr<const ExporterConfig>> DiscoveryImpl::Plan(
    const std::shared_ptr<const ExporterConfig>& file) try {
  const ExporterConfig& config = *file;
  retry_ = false;
  planned_ = {};
  names_.Abandon();  // of a plan that was not committed wholly
  PlanSources(config);
  if (!planned_.is_dynamic) return file;
  if (planned_.needs_own_addresses) ReadOwnAddresses();
  {
    const MutexLock lock(mutex_);
    if (started_) StartThread();
  }
  FindNewerLists();
  EffectiveConfig effective = MergeWith(config, planned_.accepted);
  const std::string limit = std::to_string(config.max_pairs);
  if (effective.too_many) {
    const std::string fault = "with it, there would be more than " + limit +
                              " pairs (discovery.max_pairs)";
    NewerLists good;
    for (const NewerList& newer : std::exchange(planned_.accepted, {})) {
      good.push_back(newer);
      if (!MergeWith(config, good).too_many) continue;
      good.pop_back();
      newer.list->Refuse(fault);
    }
    planned_.accepted = std::move(good);
    effective = MergeWith(config, planned_.accepted);
  }
  if (effective.too_many) {
    Abandon();
    patience_ = services_.clock.Now() + kPatience;
    const std::string fault = "discovery leads to more than " + limit +
                              " pairs (discovery.max_pairs)";
    too_many_.Report(limit, fault);
    return Error{ErrorCode::kExhausted, fault};
  }
  too_many_.End(limit);
  Note(config, effective);
  return std::make_shared<const ExporterConfig>(std::move(effective.config));
} catch (...) {
  Abandon();
  throw;
}

void DiscoveryImpl::Note(const ExporterConfig& config,
                         EffectiveConfig& effective) {
  planned_.rejections = std::move(effective.rejections);
  planned_.conflicts = std::move(effective.conflicts);
  for (std::size_t g = 0; g < config.groups.size(); ++g) {
    if (config.groups[g].neighbours == 0) continue;
    planned_.neighbours.push_back(
        {config.groups[g].name, effective.neighbours_skipped[g]});
  }
}

void DiscoveryImpl::Commit() noexcept try {
  for (const auto& [list, targets] : planned_.accepted) list->Accept(targets);
  names_.Commit();
  rejections_.Tell(planned_.rejections);
  conflicts_.Tell(planned_.conflicts);
  planned_.accepted.clear();
  const SourceSet now = planned_.sources;
  SourceSet before;  // ends outside of the lock
  {
    const MutexLock lock(mutex_);
    before = std::exchange(sources_, std::move(planned_.sources));
    facts_ = std::exchange(planned_, {});
  }
  DropEnded(before, now);
  Publish();
} catch (const std::exception&) {
  retry_ = true;
}

bool DiscoveryImpl::ReadOwnAddresses() {
  {
    const MutexLock lock(mutex_);
    const SteadyTime now = services_.clock.Now();
    if (now < own_addresses_due_) return false;
    own_addresses_due_ = now + kOwnAddressInterval;
  }
  auto addresses = environment_.lookup->OwnAddresses();
  if (!addresses.ok()) return false;
  std::ranges::sort(addresses.value());
  const MutexLock lock(mutex_);
  own_addresses_.swap(addresses.value());
  return own_addresses_ != addresses.value();
}

void DiscoveryImpl::Start() {
  const MutexLock lock(mutex_);
  started_ = true;
  if (facts_.is_dynamic) StartThread();
}

void DiscoveryImpl::Run() {
  SteadyTime next_change{};
  for (;;) {
    const SteadyTime now = services_.clock.Now();
    SteadyTime next = now + kTick;
    try {
      for (const auto& [key, source] : Sources()) {
        next = std::min(next, source->Look(now));
      }
      if (now >= std::max(next_change, patience_.load()) && HasChanged()) {
        next_change = now + kTick;
        on_change_();
      }
      Publish();
    } catch (const std::exception&) {
      retry_ = true;  // without memory for now
    }
    const MutexLock lock(mutex_);
    while (!stopping_ && !std::exchange(woken_, false)) {
      if (!changed_.WaitUntil(mutex_, next)) break;
    }
    if (stopping_) return;
  }
}

bool DiscoveryImpl::HasChanged() {
  bool changed = retry_ || names_.HaveChanged();
  bool own_addresses = false;
  std::uint64_t removed = 0;
  SourceSet sources;
  {
    const MutexLock lock(mutex_);
    if (stopping_) return false;
    own_addresses = facts_.needs_own_addresses;
    removed = facts_.removed;
    sources = sources_;
  }
  if (own_addresses && ReadOwnAddresses()) changed = true;
  for (const auto& [key, source] : sources) {
    removed -= source->removed();
    for (const auto& list : source->Lists()) {
      changed = changed || list->HasNews();
    }
  }
  return changed || removed != 0;
}

void DiscoveryImpl::Publish() {
  const MutexLock lock(mutex_);
  environment_.recorder->SetDiscovery(
      {.lists = StatusOf(sources_, facts_.rejected),
       .neighbours = facts_.neighbours});
}

}  // namespace

std::unique_ptr<Discovery> Discovery::Create(Environment environment,
                                             const std::string& state_dir,
                                             std::function<void()> on_change) {
  return std::make_unique<DiscoveryImpl>(std::move(environment), state_dir,
                                         std::move(on_change));
}

}  // namespace echo_exporter
