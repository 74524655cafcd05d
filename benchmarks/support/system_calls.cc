// The system asks a byte of the thread before each call (syscall user dispatch), and sends SIGSYS
// instead of it. The handler lets everything pass from then on, and has the call made again.

#include "benchmarks/support/system_calls.h"

#include <sys/prctl.h>
#include <ucontext.h>

#include <csignal>

namespace isolates::bench {
namespace {

#if defined(__x86_64__) && defined(PR_SET_SYSCALL_USER_DISPATCH)
// Read by the system; written by the thread and the handler on it.
constinit thread_local volatile char filter = SYSCALL_DISPATCH_FILTER_ALLOW;

void LetPass(int, siginfo_t*, void* context) {
  filter = SYSCALL_DISPATCH_FILTER_ALLOW;
  constexpr long long kCallInstruction = 2;  // its bytes
  static_cast<ucontext_t*>(context)->uc_mcontext.gregs[REG_RIP] -= kCallInstruction;
}

bool Watch(bool on) {
  return prctl(PR_SET_SYSCALL_USER_DISPATCH, on ? PR_SYS_DISPATCH_ON : PR_SYS_DISPATCH_OFF, 0, 0,
               on ? &filter : nullptr) == 0;
}

bool Start() {
  static const bool handled = [] {
    struct sigaction action{};
    action.sa_sigaction = LetPass;
    action.sa_flags = SA_SIGINFO;
    return sigaction(SIGSYS, &action, nullptr) == 0;
  }();
  if (!handled || !Watch(true)) return false;
  filter = SYSCALL_DISPATCH_FILTER_BLOCK;
  return true;
}

bool Stop() {
  const bool called = filter == SYSCALL_DISPATCH_FILTER_ALLOW;
  filter = SYSCALL_DISPATCH_FILTER_ALLOW;
  Watch(false);
  return called;
}
#else
bool Start() { return false; }
bool Stop() { return false; }
#endif

}  // namespace

SystemCallWatch::SystemCallWatch() noexcept : watches_(Start()) {}

SystemCallWatch::~SystemCallWatch() { Called(); }

std::optional<bool> SystemCallWatch::Called() noexcept {
  if (!watches_) return std::nullopt;
  watches_ = false;
  return Stop();
}

}  // namespace isolates::bench
