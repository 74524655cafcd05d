// Runs in a signal handler, on whatever stack: no allocation, no lock, no library function that is
// not safe there.

#include "src/heap/trap_handler.h"

#include <signal.h>
#include <ucontext.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace isolates::internal::trap {
namespace {

const TrapTable* known = nullptr;    // written once, before the handler is installed
struct sigaction previous_action{};  // likewise

class Line {
 public:
  void Add(std::string_view text) noexcept {
    used_ += text.copy(text_.data() + used_, text_.size() - used_);
  }
  void AddAddress(std::uintptr_t address) noexcept {
    constexpr int kDigits = 2 * sizeof(address);
    Add("0x");
    bool leading = true;
    for (int i = kDigits - 1; i >= 0; --i) {
      const auto digit = static_cast<std::size_t>((address >> (4 * i)) & 0xf);
      leading = leading && digit == 0 && i != 0;
      if (!leading) {
        Add(std::string_view("0123456789abcdef").substr(digit, 1));
      }
    }
  }
  void Write() noexcept {
    Add("\n");
    [[maybe_unused]] const auto written = write(STDERR_FILENO, text_.data(), used_);
  }

 private:
  std::array<char, TrapTable::kTextBytes + 160> text_;
  std::size_t used_ = 0;
};

std::string_view Access(const void* context) noexcept {
#if defined(__x86_64__)
  constexpr greg_t kWrite = 2;  // of the page fault's error code
  const auto* const state = static_cast<const ucontext_t*>(context);
  return (state->uc_mcontext.gregs[REG_ERR] & kWrite) != 0 ? "write to " : "read of ";
#else
  static_cast<void>(context);
  return "access to ";
#endif
}

void Report(const TrapTable::Found& found, std::uintptr_t address, const void* context) noexcept {
  Line line;
  line.Add("isolates: use after ");
  line.Add(found.kind == TrapKind::kDrop ? "drop: " : "hand-over: ");
  line.Add(Access(context));
  line.AddAddress(address);
  line.Add(found.stands ? ", which lies in " : ", which lay until just now in ");
  line.Add(std::string_view(found.text.data()));
  line.Write();
}

// `again`: the instruction, when it is repeated, is sure to fault again.
void PassOn(int signal, siginfo_t* info, void* context, bool again) noexcept {
  if ((previous_action.sa_flags & SA_SIGINFO) != 0) {
    previous_action.sa_sigaction(signal, info, context);
    return;
  }
  const bool ignored = previous_action.sa_handler == SIG_IGN;
  if (previous_action.sa_handler != SIG_DFL && !ignored) {
    previous_action.sa_handler(signal);
    return;
  }
  if (ignored && info->si_code <= 0) {
    return;  // somebody sent it; only those can be ignored
  }
  struct sigaction ending{};
  ending.sa_handler = SIG_DFL;
  sigaction(signal, &ending, nullptr);
  if (!again) {
    raise(signal);  // takes effect on return
  }
}

void OnFault(int signal, siginfo_t* info, void* context) {
  const int error = errno;
  TrapTable::Found found;
  const bool fault = info->si_code > 0;  // else somebody sent it, and there is no address
  if (fault) {
    const auto address = reinterpret_cast<std::uintptr_t>(info->si_addr);
    known->Find(address, &found);
    if (found.any) {
      Report(found, address, context);
    }
  }
  errno = error;
  // A guard may end meanwhile.
  PassOn(signal, info, context, fault && !found.any);
}

}  // namespace

void InstallTrapHandler(const TrapTable* table) noexcept {
  [[maybe_unused]] static const bool installed = [table] {
    known = table;
    struct sigaction action{};
    action.sa_sigaction = &OnFault;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigemptyset(&action.sa_mask);
    sigaction(SIGSEGV, nullptr, &previous_action);
    sigaction(SIGSEGV, &action, nullptr);
    return true;
  }();
}

}  // namespace isolates::internal::trap
