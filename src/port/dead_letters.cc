#include "src/port/dead_letters.h"

#include <atomic>
#include <memory>
#include <mutex>
#include <utility>

#include "isolates/dead_letter.h"
#include "isolates/detail/heap.h"
#include "isolates/detail/port_core.h"
#include "isolates/detail/type_name.h"

namespace isolates {
namespace internal {
namespace {

using Handler = std::function<void(const DeadLetter&)>;

// relaxed - a counter.
std::atomic<std::uint64_t> dead_letters{0};

std::atomic<bool> has_handler{false};
std::mutex handler_mutex;

std::shared_ptr<const Handler>& TheHandler() {
  static auto& handler = *new std::shared_ptr<const Handler>;  // needed until the very end
  return handler;
}

}  // namespace

void CountDeadLetter() noexcept { dead_letters.fetch_add(1, std::memory_order_relaxed); }

std::uint64_t DeadLetterCount() noexcept { return dead_letters.load(std::memory_order_relaxed); }

void CountDeadLetter(const PortCore& port, const std::type_info& type) noexcept {
  CountDeadLetter();
  TellOfDeadLetter(port, type, DeadLetterReason::kPortClosed);
}

void TellOfDeadLetter(const PortCore& port, const std::type_info& type,
                      DeadLetterReason reason) noexcept {
  // relaxed - whoever sets a handler waits for nobody; those who come later see it.
  if (!has_handler.load(std::memory_order_relaxed)) return;
  const MainHeapScope main_heap;
  std::shared_ptr<const Handler> handler;
  {
    const std::lock_guard lock(handler_mutex);
    handler = TheHandler();
  }
  if (handler == nullptr) return;
  const std::string message_type = TypeName(type);
  (*handler)({port.id(), port.debug_name(), message_type, reason});
}

}  // namespace internal

void SetDeadLetterHandler(std::function<void(const DeadLetter&)> handler) {
  const internal::MainHeapScope main_heap;
  std::shared_ptr<const internal::Handler> fresh;
  if (handler) fresh = std::make_shared<const internal::Handler>(std::move(handler));
  const std::lock_guard lock(internal::handler_mutex);
  internal::has_handler.store(fresh != nullptr, std::memory_order_relaxed);
  std::swap(internal::TheHandler(), fresh);
}

}  // namespace isolates
