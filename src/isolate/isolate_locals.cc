#include "isolates/detail/isolate_locals.h"

#include <mutex>
#include <string>

#include "isolates/error.h"
#include "isolates/isolate_local.h"

namespace isolates::internal {
namespace {

// Held for some instructions, once for each IsolateLocal of the program.
std::mutex numbers_mutex;
std::uint32_t last_number = 0;  // guarded by numbers_mutex

}  // namespace

std::uint32_t LocalNumber::Require() {
  if (const std::uint32_t number = get(); number != 0) return number;
  const std::lock_guard lock(numbers_mutex);
  if (const std::uint32_t number = get(); number != 0) return number;
  if (last_number == kMaxIsolateLocals) {
    throw LimitError("a program may use at most " + std::to_string(kMaxIsolateLocals) +
                     " IsolateLocal objects (kMaxIsolateLocals): put several values into one");
  }
  ++last_number;
  // relaxed - see get.
  number_.store(last_number, std::memory_order_relaxed);
  return last_number;
}

std::uint32_t LocalsHost::BeginLocal(LocalNumber& number) {
  if (over_) throw StateError("an IsolateLocal was used after the isolate's values were destroyed");
  const std::uint32_t index = number.Require();
  if (index >= slots_.size()) slots_.resize(index + 1);
  switch (slots_[index].state) {
    case SlotState::kMaking:
      throw StateError("the making of an IsolateLocal's value uses that value");
    case SlotState::kGone:
      throw StateError("an IsolateLocal was used after its value was destroyed");
    default:
      break;
  }
  slots_[index].state = SlotState::kMaking;
  return index;
}

void LocalsHost::FinishLocal(std::uint32_t number, void* value, void (*destroy)(void*) noexcept) {
  if (over_) throw StateError("the isolate ended while the value of an IsolateLocal was made");
  made_.push_back({number, value, destroy});
  slots_[number] = {value, SlotState::kMade};
}

void LocalsHost::DestroyLocals() noexcept {
  while (!made_.empty()) {
    const Made last = made_.back();
    made_.pop_back();
    slots_[last.number] = {nullptr, SlotState::kGone};
    last.destroy(last.value);
  }
  over_ = true;
  // The isolate's object may live on for a while.
  std::vector<Slot, MainAllocator<Slot>>().swap(slots_);
  std::vector<Made, MainAllocator<Made>>().swap(made_);
}

}  // namespace isolates::internal
