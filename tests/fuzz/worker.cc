#include "tests/fuzz/worker.h"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "isolates/detail/threads.h"
#include "isolates/heap.h"

// External names, so that the compiler leaves the objects where they are.
namespace isolates::fuzz {

alignas(64) std::byte fuzz_writable_static[kRegionBytes];
alignas(64) extern const std::byte fuzz_constants[kRegionBytes];
alignas(64) const std::byte fuzz_constants[kRegionBytes] = {std::byte{1}, std::byte{2}};

namespace {

alignas(64) thread_local std::byte thread_local_bytes[kRegionBytes];

// A registered thread that waits with a buffer on its stack until the program ends.
class Helper {
 public:
  static const std::byte* Stack() {
    static Helper helper;
    return helper.stack_;
  }

 private:
  Helper() : thread_([this] { Run(); }) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return stack_ != nullptr; });
  }
  ~Helper() {
    {
      const std::lock_guard lock(mutex_);
      stop_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }
  void Run() {
    internal::RegisterThisThread("helper");
    alignas(64) std::byte buffer[kRegionBytes] = {};
    std::unique_lock lock(mutex_);
    stack_ = buffer;
    changed_.notify_all();
    changed_.wait(lock, [this] { return stop_; });
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  const std::byte* stack_ = nullptr;
  bool stop_ = false;
  std::thread thread_;
};

// Each worker is a builder of its own: one whose heaps were retired would be given pooled ones,
// which are shared.
internal::Heap* FreshHeap(internal::WorkerHeaps& heaps) {
  static std::atomic<std::uintptr_t> builder{std::uintptr_t{1} << 40};
  // relaxed - only a number.
  return heaps.AcquireParcelHeap(builder.fetch_add(1, std::memory_order_relaxed));
}

std::byte* BlockIn(internal::Heap* heap) {
  const internal::HeapScope scope(heap);
  return new std::byte[kRegionBytes]();
}

#if defined(__SANITIZE_ADDRESS__)
constexpr bool kAddressSanitizer = true;
#else
constexpr bool kAddressSanitizer = false;
#endif

}  // namespace

const char* NameOf(Stray stray) {
  switch (stray) {
    case Stray::kOwnStack:
      return "own stack";
    case Stray::kOtherStack:
      return "other stack";
    case Stray::kWritableStatic:
      return "writable static";
    case Stray::kThreadLocal:
      return "thread_local";
    case Stray::kOwnHeap:
      return "own heap";
    case Stray::kMainHeap:
      return "main heap";
    case Stray::kForeignHeap:
      return "foreign heap";
    case Stray::kFreed:
      return "freed block";
    case Stray::kBeyondEnd:
      return "beyond the end";
    case Stray::kRoot:
      return "the root";
    case Stray::kCount:
      break;
  }
  return "?";
}

Region ImmutableStatic() { return {fuzz_constants, kRegionBytes}; }

bool HeapsAreKnown() { return allocator() == Allocator::kMimalloc; }
bool BlocksAreKnown() { return HeapsAreKnown() || kAddressSanitizer; }

Worker::Worker()
    : own_(FreshHeap(heaps_)),
      foreign_(FreshHeap(heaps_)),
      received_(FreshHeap(heaps_)),
      own_block_(BlockIn(own_)),
      main_block_(BlockIn(nullptr)),
      foreign_block_(BlockIn(foreign_)),
      arena_(arena_bytes_.data(), arena_bytes_.size(), std::pmr::null_memory_resource()) {
  internal::RegisterThisThread("fuzz");
  foreign_->set_owner_name("stranger");
  received_->MarkShared();
  if (HeapsAreKnown()) {
    own_baseline_ = own_->CensusQuiescent().blocks;
    foreign_baseline_ = foreign_->CensusQuiescent().blocks;
    received_baseline_ = received_->CensusQuiescent().blocks;
  }
}

Worker::~Worker() {
  delete[] own_block_;
  delete[] main_block_;
  delete[] foreign_block_;
  for (internal::Heap* const heap : {own_, foreign_, received_}) {
    if (HeapsAreKnown() && !heap->shared() && heap->Census().blocks == 0) {
      internal::DestroyParcelHeap(heap);
    } else {
      internal::RetireHeap(heap);
    }
  }
}

Region Worker::RegionOf(Stray stray) {
  // Only the first half: the second one is for pointers that claim to own it.
  constexpr std::size_t kHalf = kRegionBytes / 2;
  switch (stray) {
    case Stray::kOwnStack:
      return {stack_.data(), kHalf};
    case Stray::kOtherStack:
      return {Helper::Stack(), kHalf};
    case Stray::kWritableStatic:
      return {fuzz_writable_static, kHalf};
    case Stray::kThreadLocal:
      return {thread_local_bytes, kHalf};
    case Stray::kOwnHeap:
      return {own_block_, kHalf};
    case Stray::kMainHeap:
      return {main_block_, kHalf};
    case Stray::kForeignHeap:
      return {foreign_block_, kHalf};
    case Stray::kFreed: {
      // Larger than what graphs are made of: nothing will be built there before the check.
      const internal::HeapScope scope(own_);
      auto* const block = new std::byte[3 * kRegionBytes];
      const std::byte* address = block;
      asm volatile("" : "+r"(address));  // only the address is of use afterwards
      delete[] block;
      return {address, 3 * kRegionBytes};
    }
    case Stray::kBeyondEnd:
    case Stray::kRoot:
    case Stray::kCount:
      break;
  }
  return {};
}

bool Worker::OwnHeapIsEmpty() const {
  return !HeapsAreKnown() || own_->CensusQuiescent().blocks == own_baseline_;
}
std::size_t Worker::ReceivedBlocks() const {
  return HeapsAreKnown() ? received_->CensusQuiescent().blocks - received_baseline_ : 0;
}
bool Worker::OtherHeapsAreEmpty() const {
  return !HeapsAreKnown() ||
         (foreign_->CensusQuiescent().blocks == foreign_baseline_ && ReceivedBlocks() == 0);
}

}  // namespace isolates::fuzz
