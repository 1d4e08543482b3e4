#include "tests/support/failing_memory.h"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>
#include <thread>

namespace echo_exporter {
namespace {

std::atomic<bool> armed = false;
std::atomic<bool> all_threads = false;
std::atomic<std::thread::id> armed_thread;
std::atomic<std::uint64_t> allocations = 0;
std::atomic<std::uint64_t> first_failing = 0;
std::atomic<std::uint64_t> end_of_failing = 0;

}  // namespace

bool Fails() {
  if (!armed ||
      (!all_threads && armed_thread.load() != std::this_thread::get_id())) {
    return false;
  }
  const std::uint64_t number = allocations++;
  return number >= first_failing && number < end_of_failing;
}

FailingMemory::FailingMemory(Threads threads, std::uint64_t succeeding,
                             std::uint64_t failing) {
  all_threads = threads == Threads::kAll;
  armed_thread = std::this_thread::get_id();
  allocations = 0;
  first_failing = succeeding;
  end_of_failing =
      failing > kAllOfThem - succeeding ? kAllOfThem : succeeding + failing;
  armed = true;
}

FailingMemory::~FailingMemory() { armed = false; }

std::uint64_t FailingMemory::failures() const {
  const std::uint64_t ended =
      std::min<std::uint64_t>(allocations, end_of_failing);
  return ended > first_failing ? ended - first_failing : 0;
}

void* Allocate(std::size_t size) {
  if (Fails()) throw std::bad_alloc();
  void* const memory = std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace echo_exporter

// The aligned forms are not used. With a sanitizer, those without exceptions
// would not end in the others.
void* operator new(std::size_t size) { return echo_exporter::Allocate(size); }
void* operator new[](std::size_t size) { return echo_exporter::Allocate(size); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return echo_exporter::Fails() ? nullptr : std::malloc(size == 0 ? 1 : size);
}
void operator delete(void* memory, const std::nothrow_t&) noexcept {
  std::free(memory);
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept {
  std::free(memory);
}
