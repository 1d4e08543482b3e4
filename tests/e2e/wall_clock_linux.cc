// A library for LD_PRELOAD: each SIGUSR2 moves the wall clock of the process an
// hour ahead, or back again. Only what the process reads is moved; the kernel's
// time stamps of packets stay, as for packets that came before the clock was
// set.

#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <ctime>

namespace {

constexpr time_t kHour = 3600;

volatile std::sig_atomic_t ahead = 0;
volatile std::sig_atomic_t told = 0;

void Toggle(int) {
  ahead = !ahead;
  told = 0;
}

// Tells the test that somebody has seen the change.
void TellOnce() {
  if (told) return;
  told = 1;
  const char* const text =
      ahead ? "wall clock: an hour ahead\n" : "wall clock: right again\n";
  if (write(STDERR_FILENO, text, std::strlen(text)) < 0) return;
}

__attribute__((constructor)) void Install() {
  told = 1;
  struct sigaction action {};
  action.sa_handler = Toggle;
  action.sa_flags = SA_RESTART;
  sigaction(SIGUSR2, &action, nullptr);
}

}  // namespace

extern "C" int clock_gettime(clockid_t clock, struct timespec* time) noexcept {
  const int result = static_cast<int>(syscall(SYS_clock_gettime, clock, time));
  if (result == 0 && clock == CLOCK_REALTIME) {
    if (ahead) time->tv_sec += kHour;
    TellOnce();
  }
  return result;
}
