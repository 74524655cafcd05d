#include "src/heap/builder_trust.h"

#include <algorithm>
#include <new>

namespace isolates::internal {

bool BuilderTrust::MayHaveFresh(std::uintptr_t builder) {
  const std::lock_guard lock(mutex_);
  if (states_ == nullptr) {
    return true;
  }
  const auto found = states_->find(builder);
  if (found == states_->end() || found->second.skip == 0) {
    return true;
  }
  --found->second.skip;
  return false;
}

void BuilderTrust::NoteFailure(std::uintptr_t builder) noexcept {
  constexpr std::uint64_t kFirstSkips = 8;
  constexpr unsigned kMostDoublings = 40;  // for ever
  const std::lock_guard lock(mutex_);
  try {
    if (states_ == nullptr) {
      states_ = new (MainAllocate(sizeof(States))) States;
    }
    State& state = (*states_)[builder];
    state.skip = kFirstSkips << state.failures;
    state.failures = std::min(state.failures + 1, kMostDoublings);
  } catch (const std::bad_alloc&) {  // NOLINT(bugprone-empty-catch)
    // Then the limit of live heaps is what bounds them.
  }
}

void BuilderTrust::Forgive(std::uintptr_t builder) noexcept {
  const std::lock_guard lock(mutex_);
  if (states_ != nullptr) {
    states_->erase(builder);
  }
}

}  // namespace isolates::internal
