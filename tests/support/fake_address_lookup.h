#pragma once

#include <algorithm>
#include <map>
#include <new>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "echo_exporter/address_book.h"
#include "src/base/mutex.h"

namespace echo_exporter {

/// An AddressLookup whose answers are written by the test. Names and adapters
/// share one name space; what was never set fails with kNotFound.
///
/// Thread-safe.
class FakeAddressLookup final : public AddressLookup {
 public:
  void Set(const std::string& name, std::vector<IpAddress> addresses) {
    const MutexLock lock(mutex_);
    answers_.insert_or_assign(name, std::move(addresses));
  }

  void Fail(const std::string& name, const std::string& cause = "no answer",
            ErrorCode code = ErrorCode::kUnavailable) {
    const MutexLock lock(mutex_);
    answers_.insert_or_assign(name,
                              Error{code, "resolving " + name + ": " + cause});
  }

  /// The next `lookups` of `name` throw std::bad_alloc.
  void RunOutOfMemory(const std::string& name, int lookups) {
    const MutexLock lock(mutex_);
    without_memory_[name] = lookups;
  }

  /// Lookups of `name` do not return until Release().
  void Block(const std::string& name) {
    const MutexLock lock(mutex_);
    blocked_.insert(name);
  }

  void Release(const std::string& name) {
    {
      const MutexLock lock(mutex_);
      blocked_.erase(name);
    }
    changed_.NotifyAll();
  }

  /// How many lookups of `name` have begun.
  int calls(const std::string& name) const {
    const MutexLock lock(mutex_);
    const auto found = calls_.find(name);
    return found == calls_.end() ? 0 : found->second;
  }

  /// How many lookups of `name` were ever under way at the same time.
  int most_at_once(const std::string& name) const {
    const MutexLock lock(mutex_);
    const auto found = most_at_once_.find(name);
    return found == most_at_once_.end() ? 0 : found->second;
  }

  /// Waits until `count` lookups of `name` have begun. An AddressBook begins
  /// one only after it has stored the answer of the one before.
  void WaitForCalls(const std::string& name, int count) {
    const MutexLock lock(mutex_);
    while (calls_[name] < count) changed_.Wait(mutex_);
  }

  /// Waits until every answer set before has been given and stored, for a name
  /// that an AddressBook refreshes often.
  void WaitForRefresh(const std::string& name) {
    WaitForCalls(name, calls(name) + 2);
  }

  Result<std::vector<IpAddress>> ResolveName(const std::string& name) override {
    return Answer(name);
  }
  Result<SourceAddresses> InterfaceAddresses(
      const std::string& interface_name) override {
    auto answer = Answer(interface_name);
    if (!answer.ok()) return answer.error();
    return SourceAddresses{.addresses = std::move(answer).value(),
                           .interface_index = IndexOf(interface_name)};
  }
  Result<std::uint32_t> InterfaceZone(
      const std::string& interface_name) override {
    auto answer = Answer(interface_name);
    if (!answer.ok()) return answer.error();
    return IndexOf(interface_name);
  }
  Result<std::vector<IpAddress>> OwnAddresses() override {
    auto answer = Answer("this machine");
    return answer.ok() ? answer : std::vector<IpAddress>();
  }
  void SetInterfaceIndex(const std::string& name, std::uint32_t index) {
    const MutexLock lock(mutex_);
    indices_[name] = index;
  }

 private:
  std::uint32_t IndexOf(const std::string& interface_name) const {
    const MutexLock lock(mutex_);
    const auto found = indices_.find(interface_name);
    return found == indices_.end() ? 0 : found->second;
  }

  Result<std::vector<IpAddress>> Answer(const std::string& name) {
    const MutexLock lock(mutex_);
    ++calls_[name];
    most_at_once_[name] = std::max(most_at_once_[name], ++under_way_[name]);
    changed_.NotifyAll();
    while (blocked_.contains(name)) changed_.Wait(mutex_);
    --under_way_[name];
    if (without_memory_[name] > 0) {
      --without_memory_[name];
      throw std::bad_alloc();
    }
    const auto found = answers_.find(name);
    if (found != answers_.end()) return found->second;
    return Error{ErrorCode::kNotFound, "resolving " + name + ": unknown"};
  }

  CondVar changed_;
  mutable Mutex mutex_;
  std::map<std::string, Result<std::vector<IpAddress>>> answers_
      GUARDED_BY(mutex_);
  std::map<std::string, std::uint32_t> indices_ GUARDED_BY(mutex_);
  std::set<std::string> blocked_ GUARDED_BY(mutex_);
  std::map<std::string, int> without_memory_ GUARDED_BY(mutex_);
  std::map<std::string, int> calls_ GUARDED_BY(mutex_);
  std::map<std::string, int> under_way_ GUARDED_BY(mutex_);
  std::map<std::string, int> most_at_once_ GUARDED_BY(mutex_);
};

}  // namespace echo_exporter
