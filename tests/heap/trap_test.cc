// The trap itself: pages of a heap that are guarded, and what is said about a fault in one. When a
// parcel is guarded: parcel_trap_test.cc.

#include "src/heap/trap.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "isolates/detail/heap.h"
#include "isolates/detail/worker_heaps.h"
#include "src/heap/heap_book.h"
#include "src/heap/trap_table.h"
#include "tests/heap/heap_test_util.h"

namespace isolates::internal {
namespace {

// ---- the table ----

std::string TextOf(const TrapTable::Found& found) { return std::string(found.text.data()); }

class TrapTableTest : public testing::Test {
 protected:
  TrapTable::Found Find(std::uintptr_t address) const {
    TrapTable::Found found;
    table_->Find(address, &found);
    return found;
  }

  const std::unique_ptr<TrapTable> table_ = std::make_unique<TrapTable>();
};

TEST_F(TrapTableTest, KnowsTheRangesOfAGuard) {
  TrapTable::Place* const guard = table_->Add(TrapKind::kDrop, "a parcel");
  ASSERT_TRUE(table_->Extend(guard, {0x1000, 0x3000}));
  ASSERT_TRUE(table_->Extend(guard, {0x8000, 0x9000}));
  for (const std::uintptr_t inside : {0x1000, 0x2fff, 0x8000, 0x8fff}) {
    const TrapTable::Found found = Find(inside);
    EXPECT_TRUE(found.any);
    EXPECT_TRUE(found.stands);
    EXPECT_EQ(found.kind, TrapKind::kDrop);
    EXPECT_EQ(TextOf(found), "a parcel");
  }
  for (const std::uintptr_t outside : {0x0, 0xfff, 0x3000, 0x7fff, 0x9000}) {
    EXPECT_FALSE(Find(outside).any);
  }
}

TEST_F(TrapTableTest, AGuardThatHasEndedIsStillKnown) {
  TrapTable::Place* const guard = table_->Add(TrapKind::kHandOver, "a parcel");
  ASSERT_TRUE(table_->Extend(guard, {0x1000, 0x2000}));
  table_->End(guard);
  EXPECT_TRUE(Find(0x1000).any);
  EXPECT_FALSE(Find(0x1000).stands);
}

TEST_F(TrapTableTest, TheLatestGuardOverAnAddressCounts) {
  for (int i = 0; i < 10; ++i) {
    TrapTable::Place* const guard = table_->Add(TrapKind::kHandOver, std::to_string(i));
    ASSERT_TRUE(table_->Extend(guard, {0x1000, 0x2000}));
    EXPECT_EQ(TextOf(Find(0x1000)), std::to_string(i));
    table_->End(guard);
    EXPECT_EQ(TextOf(Find(0x1000)), std::to_string(i));
  }
}

TEST_F(TrapTableTest, LongTextsAreCut) {
  TrapTable::Place* const guard = table_->Add(TrapKind::kHandOver, std::string(5000, 'x'));
  ASSERT_TRUE(table_->Extend(guard, {0x1000, 0x2000}));
  EXPECT_EQ(TextOf(Find(0x1000)), std::string(TrapTable::kTextBytes - 1, 'x'));
}

TEST_F(TrapTableTest, SaysWhenItIsFullAndGoesOnWhenItIsNot) {
  std::vector<TrapTable::Place*> guards;
  for (std::size_t i = 0; i < TrapTable::kPlaces; ++i) {
    guards.push_back(table_->Add(TrapKind::kHandOver, "one of many"));
    ASSERT_NE(guards.back(), nullptr);
  }
  EXPECT_EQ(table_->Add(TrapKind::kHandOver, "one too many"), nullptr);
  for (std::size_t i = 0; i < TrapTable::kRanges; ++i) {
    ASSERT_TRUE(table_->Extend(guards[i % guards.size()], {i * 0x1000, (i + 1) * 0x1000}));
  }
  EXPECT_FALSE(table_->Extend(guards[0], {0x1000, 0x2000}));
  for (TrapTable::Place* const guard : guards) {
    table_->End(guard);
  }
  TrapTable::Place* const again = table_->Add(TrapKind::kHandOver, "again");
  ASSERT_EQ(again, guards[0]) << "the place that ended first is taken first";
  ASSERT_TRUE(table_->Extend(again, {0x1000, 0x2000}));
  EXPECT_EQ(TextOf(Find(0x1000)), "again");
}

// Rule T3. Guards of one word each, made and ended at once, so that places are reused while others
// read: what is found is of one piece.
TEST_F(TrapTableTest, AReaderNeverFindsAMixture) {
  constexpr std::uintptr_t kPage = 0x1000;
  constexpr int kGuards = 100'000;
  std::vector<TrapTable::Place*> full;  // few places are left: reuse is frequent
  while (full.size() < TrapTable::kPlaces - 2) {
    full.push_back(table_->Add(TrapKind::kHandOver, ""));
  }
  std::atomic<bool> stop{false};
  std::atomic<int> found_some{0};
  std::thread reader([&] {
    for (std::uintptr_t at = 0; !stop.load(std::memory_order_relaxed); at = (at + 1) % 8) {
      const TrapTable::Found found = Find(at * kPage);
      if (found.any) {
        found_some.store(1, std::memory_order_relaxed);
        const std::string text = TextOf(found);
        // A guard over page n says "nnnnn...", and its kind tells odd from even.
        ASSERT_EQ(text, std::string(TrapTable::kTextBytes - 1, static_cast<char>('0' + at)));
        ASSERT_EQ(found.kind, at % 2 == 0 ? TrapKind::kHandOver : TrapKind::kDrop);
      }
    }
  });
  for (int i = 0; i < kGuards || found_some.load(std::memory_order_relaxed) == 0; ++i) {
    const auto at = static_cast<std::uintptr_t>(i % 8);
    TrapTable::Place* const guard =
        table_->Add(at % 2 == 0 ? TrapKind::kHandOver : TrapKind::kDrop,
                    std::string(TrapTable::kTextBytes, static_cast<char>('0' + at)));
    ASSERT_NE(guard, nullptr);
    ASSERT_TRUE(table_->Extend(guard, {at * kPage, (at + 1) * kPage}));
    table_->End(guard);
  }
  stop.store(true, std::memory_order_relaxed);
  reader.join();
}

// ---- the pages ----

// Whether the calling thread could read there, found out without a fault.
bool IsAccessible(const void* address) {
  static const int sink = [] {
    int ends[2];
    if (pipe2(ends, O_NONBLOCK | O_CLOEXEC) != 0) std::abort();
    // Never full: what was written is read again below.
    return ends[1] * 1000 + ends[0];
  }();
  if (write(sink / 1000, address, 1) != 1) {
    return false;
  }
  char byte = 0;
  return read(sink % 1000, &byte, 1) == 1;
}

class TrapTest : public testing::Test {
 protected:
  struct Block {
    unsigned char* start;
    std::size_t bytes;
  };

  void SetUp() override {
    SKIP_ON_PLAIN_MALLOC();
    heap_ = worker_.AcquireParcelHeap(++parcel_kind);
    ASSERT_TRUE(heap_->is_parcel());
  }
  void TearDown() override {
    if (heap_ != nullptr) DestroyParcelHeap(heap_);
  }

  void Build(std::size_t bytes, std::size_t align = 16) {
    unsigned char* start = nullptr;
    {
      const HeapScope scope(heap_);
      // aligned_alloc wants whole multiples.
      start = static_cast<unsigned char*>(align == 16 ? Allocate(bytes)
                                                      : std::aligned_alloc(align, bytes));
    }
    ASSERT_NE(start, nullptr);
    blocks_.push_back({start, bytes});
    ForSome(blocks_.back(), [this](unsigned char& byte) { byte = Mark(blocks_.size()); });
  }
  // A byte of each of the system's pages (of a huge block: of some) and the last one.
  template <class Do>
  static void ForSome(const Block& block, Do action) {
    const std::size_t step = std::max<std::size_t>(4096, block.bytes / 1024);
    for (std::size_t at = 0; at < block.bytes; at += step) action(block.start[at]);
    action(block.start[block.bytes - 1]);
  }
  static unsigned char Mark(std::size_t number) {
    return static_cast<unsigned char>(number % 251 + 1);
  }

  trap::Guard* Guard(TrapKind kind, const char* text) {
    trap::Guard* const guard = HeapBook::Get().Guard(heap_, kind, text);
    EXPECT_NE(guard, nullptr);
    return guard;
  }

  WorkerHeaps worker_;
  Heap* heap_ = nullptr;
  std::vector<Block> blocks_;
};

TEST_F(TrapTest, EveryByteOfEveryBlockIsGuardedAndComesBackUnchanged) {
  for (const std::size_t bytes : {1, 16, 100, 1000, 4096, 5000, 30'000, 64 * 1024, 200'000}) {
    for (int i = 0; i < 50; ++i) Build(bytes);
  }
  Build(3'000'000);
  Build(100'000'000);
  Build(1'500'000'000);  // larger than the allocator's arenas
  for (const std::size_t align : {64, 4096, 1 << 16, 1 << 20}) Build(std::size_t{1} << 20, align);
  for (int i = 0; i < 20'000; ++i) Build(40);
  const CensusSum before = heap_->Census();
  trap::Guard* const guard = Guard(TrapKind::kHandOver, "a parcel");
  for (const Block& block : blocks_) {
    ForSome(block, [&](unsigned char& byte) {
      ASSERT_FALSE(IsAccessible(&byte)) << block.bytes << " bytes, at " << &byte - block.start;
      ASSERT_TRUE(trap::IsGuarded(&byte));
    });
  }
  trap::Unprotect(guard);
  EXPECT_EQ(trap::Standing(), 0U);
  for (std::size_t i = 0; i < blocks_.size(); ++i) {
    ForSome(blocks_[i], [i](unsigned char& byte) {
      ASSERT_EQ(byte, Mark(i + 1));
      ASSERT_FALSE(trap::IsGuarded(&byte));
    });
  }
  EXPECT_TRUE(heap_->Census().SameSet(before));
}

TEST_F(TrapTest, MemoryOfOthersStaysAccessible) {
  Heap* const other = worker_.AcquireParcelHeap(parcel_kind);
  std::vector<unsigned char*> others;
  std::vector<std::unique_ptr<char[]>> of_main;
  for (int i = 0; i < 2000; ++i) {
    Build(500);
    {
      const HeapScope scope(other);
      others.push_back(static_cast<unsigned char*>(Allocate(500)));
    }
    of_main.push_back(std::make_unique<char[]>(500));
  }
  trap::Guard* const guard = Guard(TrapKind::kHandOver, "a parcel");
  for (unsigned char* const block : others) {
    std::memset(block, 1, 500);
    std::free(block);
  }
  for (const auto& block : of_main) std::memset(block.get(), 1, 500);
  of_main.clear();
  for (unsigned char* const block : others) EXPECT_FALSE(trap::IsGuarded(block));
  trap::Unprotect(guard);
  DestroyParcelHeap(other);
}

TEST_F(TrapTest, AHeapThatAnotherThreadHasAllocatedInIsNotGuarded) {
  Build(100);
  std::thread([this] {
    EXPECT_EQ(HeapBook::Get().Guard(heap_, TrapKind::kHandOver, "a parcel"), nullptr);
  }).join();
  EXPECT_TRUE(IsAccessible(blocks_[0].start));
  HeapBook::Get().LeaveSealed(heap_);
  std::thread([this] { trap::Unprotect(Guard(TrapKind::kHandOver, "a parcel")); }).join();
}

// ---- faults ----

class TrapDeathTest : public TrapTest {
 protected:
  TrapDeathTest() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

unsigned char Read(const volatile unsigned char* address) { return *address; }

TEST_F(TrapDeathTest, AReadIsReportedAndKills) {
  Build(100);
  EXPECT_EXIT(
      {
        Guard(TrapKind::kHandOver, "a parcel on its way");
        Read(blocks_[0].start + 7);
      },
      testing::KilledBySignal(SIGSEGV),
      "isolates: use after hand-over: (read of|access to) 0x[0-9a-f]+7, which lies in a parcel on "
      "its way\n");
}

TEST_F(TrapDeathTest, AWriteIsReportedAndKills) {
  Build(100);
  EXPECT_EXIT(
      {
        Guard(TrapKind::kDrop, "a parcel that is gone");
        blocks_[0].start[8] = 1;
      },
      testing::KilledBySignal(SIGSEGV),
      "isolates: use after drop: (write to|access to) 0x[0-9a-f]+8, which lies in a parcel that is "
      "gone\n");
}

TEST_F(TrapDeathTest, AFaultOnAnAlternateStackIsReported) {
  Build(100);
  EXPECT_EXIT(
      {
        Guard(TrapKind::kDrop, "a parcel that is gone");
        std::thread([this] {
          std::vector<char> memory(64 * 1024);
          stack_t stack{};
          stack.ss_sp = memory.data();
          stack.ss_size = memory.size();
          sigaltstack(&stack, nullptr);
          Read(blocks_[0].start);
        }).join();
      },
      testing::KilledBySignal(SIGSEGV), "use after drop");
}

extern "C" void ExitWithSeven(int) { _exit(7); }
extern "C" void ExitWithEightIfTold(int, siginfo_t* info, void*) {
  _exit(info->si_addr == nullptr ? 8 : 9);
}

// The program's own handler comes next, for our faults and for others.
TEST_F(TrapDeathTest, TheProgramsHandlerIsCalled) {
  Build(100);
  EXPECT_EXIT(
      {
        signal(SIGSEGV, &ExitWithSeven);
        Guard(TrapKind::kDrop, "a parcel that is gone");
        Read(blocks_[0].start);
      },
      testing::ExitedWithCode(7), "use after drop");
  EXPECT_EXIT(
      {
        signal(SIGSEGV, &ExitWithSeven);
        Guard(TrapKind::kDrop, "a parcel that is gone");
        raise(SIGSEGV);
      },
      testing::ExitedWithCode(7), "^$");
}

TEST_F(TrapDeathTest, AForeignFaultTakesItsCourseInSilence) {
  Build(100);
  const auto map = [] {
    return static_cast<unsigned char*>(
        mmap(nullptr, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  };
  EXPECT_EXIT(
      {
        Guard(TrapKind::kDrop, "a parcel that is gone");
        Read(map());
      },
      testing::KilledBySignal(SIGSEGV), "^$");
  EXPECT_EXIT(
      {
        Guard(TrapKind::kDrop, "a parcel that is gone");
        raise(SIGSEGV);
      },
      testing::KilledBySignal(SIGSEGV), "^$");
  EXPECT_EXIT(
      {
        struct sigaction action{};
        action.sa_sigaction = &ExitWithEightIfTold;
        action.sa_flags = SA_SIGINFO;
        sigaction(SIGSEGV, &action, nullptr);
        Guard(TrapKind::kDrop, "a parcel that is gone");
        Read(map());
      },
      testing::ExitedWithCode(9), "^$");
  // Ignored, as it was before, if somebody sent it.
  EXPECT_EXIT(
      {
        signal(SIGSEGV, SIG_IGN);
        Guard(TrapKind::kDrop, "a parcel that is gone");
        raise(SIGSEGV);
        _exit(3);
      },
      testing::ExitedWithCode(3), "^$");
}

// Negative control: without a guard the same reads go well.
TEST_F(TrapTest, UseBeforeAndAfterTheGuardIsFine) {
  Build(100);
  EXPECT_EQ(Read(blocks_[0].start), Mark(1));
  trap::Unprotect(Guard(TrapKind::kHandOver, "a parcel"));
  EXPECT_EQ(Read(blocks_[0].start), Mark(1));
  blocks_[0].start[0] = 5;
  EXPECT_EQ(Read(blocks_[0].start), 5);
}

}  // namespace
}  // namespace isolates::internal
