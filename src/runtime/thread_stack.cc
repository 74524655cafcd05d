// A request is one ticket: the state word holds it in its upper bits, and how far it has come in
// the lower two.
//
//   change                       by whom
//   kFree -> kAsked              the asker, with the next ticket
//   kAsked -> kWriting           the handler, on the thread that was asked
//   kWriting -> kWritten         the same
//   kAsked -> kFree              the asker, when it has waited long enough
//   kWritten -> kFree            the asker, when it has read
//
// So a signal that is delivered late finds another ticket, or none, and writes nothing.

#include "src/runtime/thread_stack.h"

#include <execinfo.h>
#include <signal.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <string_view>

#include "isolates/detail/parker.h"
#include "src/transfer/images.h"
#include "src/transfer/symbols.h"

namespace isolates::internal {
namespace {

constexpr int kCaptureSignal = SIGURG;
constexpr std::size_t kMostFrames = 64;
constexpr Duration kPatience = std::chrono::milliseconds(200);

constexpr std::uint64_t kFree = 0;
constexpr std::uint64_t kAsked = 1;
constexpr std::uint64_t kWriting = 2;
constexpr std::uint64_t kWritten = 3;
constexpr std::uint64_t kPhases = 4;

struct Capture {
  std::atomic<std::uint64_t> state{kFree};
  std::atomic<pid_t> thread{0};
  Parker asker;
  // Of whoever has moved the state to kWriting, until it is kWritten.
  std::array<void*, kMostFrames> frames{};
  int count = 0;
  std::uintptr_t interrupted_at = 0;
};

Capture capture;
struct sigaction former_action;

void HandOn(int signal, siginfo_t* info, void* context) {
  if ((former_action.sa_flags & SA_SIGINFO) != 0) {
    former_action.sa_sigaction(signal, info, context);
  } else if (former_action.sa_handler != SIG_DFL && former_action.sa_handler != SIG_IGN) {
    former_action.sa_handler(signal);
  }
}

void OnSignal(int signal, siginfo_t* info, void* context) {
  if (info->si_code != SI_QUEUE || info->si_value.sival_ptr != &capture) {
    HandOn(signal, info, context);
    return;
  }
  const int error = errno;
  // acquire - pairs with CaptureStack: `thread` is that of this ticket.
  std::uint64_t state = capture.state.load(std::memory_order_acquire);
  const std::uint64_t ticket = state / kPhases * kPhases;
  // relaxed - see above. acquire - the buffer is free.
  if (state == ticket + kAsked &&
      capture.thread.load(std::memory_order_relaxed) == static_cast<pid_t>(syscall(SYS_gettid)) &&
      capture.state.compare_exchange_strong(state, ticket + kWriting, std::memory_order_acquire,
                                            std::memory_order_relaxed)) {
    capture.count = backtrace(capture.frames.data(), static_cast<int>(kMostFrames));
    const auto* const registers = static_cast<const ucontext_t*>(context);
    capture.interrupted_at = static_cast<std::uintptr_t>(registers->uc_mcontext.gregs[REG_RIP]);
    // release - pairs with CaptureStack: what was written is visible.
    capture.state.store(ticket + kWritten, std::memory_order_release);
    capture.asker.Unpark();
  }
  errno = error;
}

bool Send(pid_t thread) {
  siginfo_t info{};
  info.si_signo = kCaptureSignal;
  info.si_code = SI_QUEUE;
  info.si_pid = getpid();
  info.si_uid = getuid();
  info.si_value.sival_ptr = &capture;
  return syscall(SYS_rt_tgsigqueueinfo, getpid(), thread, kCaptureSignal, &info) == 0;
}

// Only what the signal has interrupted.
std::vector<std::uintptr_t> TakeFrames() {
  std::vector<std::uintptr_t> frames;
  frames.reserve(kMostFrames);
  for (int i = 0; i < capture.count; ++i) {
    frames.push_back(reinterpret_cast<std::uintptr_t>(capture.frames[static_cast<std::size_t>(i)]));
  }
  const auto first = std::find(frames.begin(), frames.end(), capture.interrupted_at);
  if (first != frames.end()) frames.erase(frames.begin(), first);
  return frames;
}

std::string NameOne(const WipedVector<Image>& images, std::uintptr_t address, bool innermost) {
  // A return address is behind its call, which may be a function's last instruction.
  const std::uintptr_t at = innermost ? address : address - 1;
  for (const Image& image : images) {
    const bool holds =
        std::any_of(image.headers.begin(), image.headers.end(), [&](const auto& part) {
          return part.p_type == PT_LOAD && at - image.base >= part.p_vaddr &&
                 at - image.base < part.p_vaddr + part.p_memsz;
        });
    if (!holds) continue;
    if (const auto symbol = FindFunction(image, at)) {
      return symbol->name + " + " + std::to_string(symbol->offset + (address - at));
    }
    const std::string_view file = image.file.empty() ? "the program" : std::string_view(image.file);
    return std::string(file.substr(file.rfind('/') + 1)) + " + " +
           std::to_string(address - image.base);
  }
  return "unknown code";
}

}  // namespace

void PrepareStackCapture() {
  [[maybe_unused]] static const bool installed = [] {
    // The first call loads what unwinds stacks, which no handler of a signal may do.
    std::array<void*, 1> frame;
    backtrace(frame.data(), 1);
    struct sigaction action{};
    action.sa_sigaction = &OnSignal;
    action.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK;
    sigemptyset(&action.sa_mask);
    sigaction(kCaptureSignal, nullptr, &former_action);
    return sigaction(kCaptureSignal, &action, nullptr) == 0;
  }();
}

std::vector<std::uintptr_t> CaptureStack(pid_t thread) {
  // relaxed - only the handler of a ticket that was given up may still write, see below.
  const std::uint64_t before = capture.state.load(std::memory_order_relaxed);
  if (before % kPhases == kWriting) return {};
  const std::uint64_t ticket = (before / kPhases + 1) * kPhases;
  capture.thread.store(thread, std::memory_order_relaxed);  // relaxed - published by the next store
  // release - pairs with OnSignal.
  capture.state.store(ticket + kAsked, std::memory_order_release);
  const TimePoint deadline = std::chrono::steady_clock::now() + kPatience;
  if (Send(thread)) {
    // acquire - pairs with OnSignal: what it wrote is visible.
    while (capture.state.load(std::memory_order_acquire) != ticket + kWritten &&
           std::chrono::steady_clock::now() < deadline) {
      capture.asker.Park(deadline);
    }
  }
  std::uint64_t state = ticket + kAsked;
  // acquire - as above.
  if (capture.state.compare_exchange_strong(state, ticket + kFree, std::memory_order_acquire) ||
      state != ticket + kWritten) {
    return {};  // a handler that has begun just now keeps the buffer until it has written
  }
  std::vector<std::uintptr_t> frames = TakeFrames();
  // relaxed - the next request publishes.
  capture.state.store(ticket + kFree, std::memory_order_relaxed);
  return frames;
}

std::vector<std::string> NameCode(const std::vector<std::uintptr_t>& addresses) {
  std::vector<std::string> names;
  names.reserve(addresses.size());
  const auto images = LoadedImages();
  for (const std::uintptr_t address : addresses) {
    names.push_back(NameOne(images, address, names.empty()));
  }
  return names;
}

}  // namespace isolates::internal
