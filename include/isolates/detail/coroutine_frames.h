// The coroutines of one isolate: where their frames are, and which of them belong to nobody else.

#ifndef ISOLATES_DETAIL_COROUTINE_FRAMES_H_
#define ISOLATES_DETAIL_COROUTINE_FRAMES_H_

#include <coroutine>
#include <cstddef>
#include <new>

namespace isolates::internal {

// A ring of linked members, for one thread.
struct RingNode {
  RingNode* previous = this;
  RingNode* next = this;
  RingNode() = default;
  RingNode(const RingNode&) = delete;
  RingNode& operator=(const RingNode&) = delete;
  bool alone() const noexcept { return next == this; }
  void InsertBefore(RingNode& node) noexcept {
    previous = node.previous;
    next = &node;
    previous->next = this;
    next->previous = this;
  }
  void Unlink() noexcept {
    previous->next = next;
    next->previous = previous;
    previous = next = this;
  }
};

// Stands in front of every frame of a Task or Stream, so that verification can tell that an address
// leads into the frame of a live coroutine (rule V4).
struct alignas(std::max_align_t) FrameHeader : RingNode {
  std::size_t size = 0;
};

struct RootCoroutine;

struct TaskScope {
  TaskScope() = default;
  TaskScope(const TaskScope&) = delete;
  TaskScope& operator=(const TaskScope&) = delete;
  // Frames that outlive their isolate (in a static, say) stand alone from then on.
  ~TaskScope() {
    while (!frames.alone()) frames.next->Unlink();
  }

  RingNode frames;  // FrameHeader
  RingNode roots;   // RootCoroutine
  RingNode failed;  // roots that ended by an exception
  // Frames were never outside of these bounds: a quick no for most addresses.
  const void* lowest = nullptr;
  const void* highest = nullptr;

  bool InLiveFrame(const void* address) const noexcept;
  // Ends every coroutine that belongs to nobody else.
  void DestroyRoots() noexcept;
  // Frees the frames of roots that have failed: an exception leaves them suspended at their end.
  void DestroyFailed() noexcept;
};

// A coroutine that nobody awaits: its isolate owns it.
struct RootCoroutine : RingNode {
  std::coroutine_handle<> handle;
};

// The scope of the isolate that runs on this thread; a plain thread becomes an isolate.
TaskScope& CurrentTasks();

void* AllocateFrame(std::size_t bytes);
void FreeFrame(void* frame, std::size_t bytes) noexcept;

}  // namespace isolates::internal

#endif  // ISOLATES_DETAIL_COROUTINE_FRAMES_H_
