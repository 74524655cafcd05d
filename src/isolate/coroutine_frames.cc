#include "isolates/detail/coroutine_frames.h"

#include <functional>

#include "src/isolate/core.h"

namespace isolates::internal {

TaskScope& CurrentTasks() { return RequireCore().tasks(); }

void* AllocateFrame(std::size_t bytes) {
  TaskScope& scope = CurrentTasks();
  void* block = ::operator new(sizeof(FrameHeader) + bytes);
  auto* header = new (block) FrameHeader;
  header->size = bytes;
  header->InsertBefore(scope.frames);
  void* frame = header + 1;
  const void* end = static_cast<std::byte*>(frame) + bytes;
  if (scope.lowest == nullptr || std::less<>()(frame, scope.lowest)) scope.lowest = frame;
  if (std::less<>()(scope.highest, end)) scope.highest = end;
  return frame;
}

void FreeFrame(void* frame, std::size_t bytes) noexcept {
  auto* header = static_cast<FrameHeader*>(frame) - 1;
  header->Unlink();
  header->~FrameHeader();
  ::operator delete(static_cast<void*>(header), sizeof(FrameHeader) + bytes);
}

bool TaskScope::InLiveFrame(const void* address) const noexcept {
  const std::less<> before;
  if (lowest == nullptr || before(address, lowest) || !before(address, highest)) return false;
  for (const RingNode* node = frames.next; node != &frames; node = node->next) {
    const auto* header = static_cast<const FrameHeader*>(node);
    const auto* begin = reinterpret_cast<const std::byte*>(header + 1);
    if (!before(address, begin) && before(address, begin + header->size)) return true;
  }
  return false;
}

// What verification asks about a captured word (rule V4): what of the current isolate lives there?
const char* DescribeHazard(const void* address) noexcept {
  const IsolateCore* core = CurrentCore();
  if (core == nullptr) return nullptr;
  if (core->tasks().InLiveFrame(address)) return "a coroutine frame";
  const auto* begin = reinterpret_cast<const std::byte*>(core);
  const std::less<> before;
  if (!before(address, begin) && before(address, begin + sizeof(*core))) return "an isolate";
  return nullptr;
}

void TaskScope::DestroyRoots() noexcept {
  DestroyFailed();
  while (!roots.alone()) {
    static_cast<RootCoroutine*>(roots.next)->handle.destroy();  // unlinks itself
  }
}

void TaskScope::DestroyFailed() noexcept {
  while (!failed.alone()) {
    static_cast<RootCoroutine*>(failed.next)->handle.destroy();  // unlinks itself
  }
}

}  // namespace isolates::internal
