// Late use of a parcel in a checked build: each rule is broken on purpose, in a child process, and
// the child dies with words that name the hand-over.

#include <signal.h>

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "isolates/detail/check.h"
#include "isolates/detail/heap.h"
#include "isolates/detail/parcel_destination.h"
#include "isolates/detail/parcel_transit.h"
#include "isolates/detail/threads.h"
#include "isolates/detail/worker_heaps.h"
#include "isolates/heap.h"
#include "src/heap/quarantine.h"
#include "src/heap/trap.h"
#include "tests/heap/heap_test_util.h"

namespace isolates::internal {
namespace {

static_assert(kCheckedBuild, "this test is declared as isolates_checked_test");

using Transit = std::unique_ptr<InTransit<Parcel<Document>>>;

class ParcelTrapTest : public testing::Test {
 protected:
  void SetUp() override {
    SKIP_ON_PLAIN_MALLOC();
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    ++parcel_kind;
    RegisterThisThread("tester");
  }

  static Transit Send(Parcel<Document> parcel) {
    const HandOverTo to("port", "results", 7);
    return std::make_unique<InTransit<Parcel<Document>>>(std::move(parcel));
  }
  static Parcel<Document> Receive(Transit transit) { return std::move(transit->Arrive()); }

  WorkerHeaps worker_;
};

char Read(const std::string& line) { return *static_cast<const volatile char*>(line.data()); }

// ---- use after a hand-over ----

TEST_F(ParcelTrapTest, TheSenderReadsAfterTheHandOver) {
  EXPECT_EXIT(
      {
        Parcel<Document> parcel = BuildParcel(&worker_, 10);
        const std::string& line = parcel->lines[3];
        const Transit transit = Send(std::move(parcel));
        Read(line);
      },
      testing::KilledBySignal(SIGSEGV),
      "isolates: use after hand-over: read of 0x[0-9a-f]+, which lies in a parcel of "
      "'isolates::internal::Document' on its way: hand-over 1, from isolate 'tester' to port "
      "'results' .7.\n");
}

TEST_F(ParcelTrapTest, TheSenderWritesAfterTheHandOver) {
  EXPECT_EXIT(
      {
        Parcel<Document> parcel = BuildParcel(&worker_, 10);
        auto& kind = const_cast<Document&>(*parcel).kind;
        const Transit transit = Send(std::move(parcel));
        *static_cast<volatile std::uintptr_t*>(&kind) = 1;
      },
      testing::KilledBySignal(SIGSEGV), "isolates: use after hand-over: write to .*hand-over 1,");
}

TEST_F(ParcelTrapTest, TheSenderFreesAfterTheHandOver) {
  EXPECT_EXIT(
      {
        Parcel<Document> parcel = BuildParcel(&worker_, 10);
        void* const block = const_cast<std::string*>(parcel->lines.data());
        const Transit transit = Send(std::move(parcel));
        std::free(block);
      },
      testing::KilledBySignal(SIGSEGV), "isolates: use after hand-over: .*hand-over 1,");
}

TEST_F(ParcelTrapTest, AnotherThreadReadsAfterTheSecondHandOver) {
  EXPECT_EXIT(
      {
        Parcel<Document> parcel = BuildParcel(&worker_, 10);
        const std::string& line = parcel->lines[3];
        Transit transit = Send(std::move(parcel));
        std::thread([&transit] { transit = Send(Receive(std::move(transit))); }).join();
        std::thread([&line] { Read(line); }).join();
      },
      testing::KilledBySignal(SIGSEGV),
      "isolates: use after hand-over: .*on its way: hand-over 2, from a plain thread to port "
      "'results' ");
}

TEST_F(ParcelTrapTest, TheBuilderReadsWhatItsFutureHolds) {
  EXPECT_EXIT(
      {
        Parcel<Document> parcel = BuildParcel(&worker_, 10);
        const std::string& line = parcel->lines[3];
        const InTransit<Parcel<Document>> transit(std::move(parcel));
        Read(line);
      },
      testing::KilledBySignal(SIGSEGV), "hand-over 1, from isolate 'tester'\n");
}

// ---- use after a drop ----

TEST_F(ParcelTrapTest, SomebodyReadsAfterTheDrop) {
  EXPECT_EXIT(
      {
        Parcel<Document> parcel = Receive(Send(BuildParcel(&worker_, 10)));
        const std::string& line = parcel->lines[3];
        parcel.Drop();
        Read(line);
      },
      testing::KilledBySignal(SIGSEGV),
      "isolates: use after drop: read of 0x[0-9a-f]+, which lies in a parcel of "
      "'isolates::internal::Document' that isolate 'tester' dropped .hand-over 1, from isolate "
      "'tester' to port 'results' .7..\n");
}

TEST_F(ParcelTrapTest, SomebodyReadsAfterTheDropOnAnotherThread) {
  EXPECT_EXIT(
      {
        Parcel<Document> parcel = BuildParcel(&worker_, 10);
        const std::string& line = parcel->lines[3];
        std::thread([moved = std::move(parcel)]() mutable { moved.Drop(); }).join();
        for (std::size_t i = 0; i < Quarantine::kHeaps - 1; ++i) BuildParcel(&worker_, 10).Drop();
        Read(line);
      },
      testing::KilledBySignal(SIGSEGV),
      "isolates: use after drop: .* that a plain thread dropped .never handed over.\n");
}

TEST_F(ParcelTrapTest, TheSenderReadsADeadLetter) {
  EXPECT_EXIT(
      {
        Parcel<Document> parcel = BuildParcel(&worker_, 10);
        const std::string& line = parcel->lines[3];
        Send(std::move(parcel)).reset();
        Read(line);
      },
      testing::KilledBySignal(SIGSEGV), "isolates: use after drop: .*hand-over 1, from isolate");
}

// ---- negative controls ----

TEST_F(ParcelTrapTest, UseInTurnIsFine) {
  Parcel<Document> parcel = BuildParcel(&worker_, 10);
  for (int hop = 0; hop < 100; ++hop) {
    EXPECT_EQ(parcel->lines[3], std::string(63, 'd'));
    Transit transit = Send(std::move(parcel));
    std::thread([&transit] {
      const Parcel<Document> there = Receive(std::move(transit));
      EXPECT_EQ(there->lines[3], std::string(63, 'd'));
      transit = Send(std::move(const_cast<Parcel<Document>&>(there)));
    }).join();
    parcel = Receive(std::move(transit));
  }
  parcel.Mutable().lines.emplace_back(kLongText);
  const std::unique_ptr<Document> box = std::move(parcel).TakeBox();
  EXPECT_EQ(box->lines.size(), 11U);
}

TEST_F(ParcelTrapTest, AReceiverMayKeepPartsOfWhatItTook) {
  std::string kept;
  {
    Parcel<Document> parcel = Receive(Send(BuildParcel(&worker_, 10)));
    kept = std::move(parcel.Mutable().lines[3]);
    parcel.Drop();  // by its destructor
  }
  EXPECT_EQ(kept, std::string(63, 'd'));
}

// A heap that is shared is never guarded: others may use its blocks at any time.
TEST_F(ParcelTrapTest, ASharedHeapIsNotGuarded) {
  Parcel<Document> parcel = BuildParcel(&worker_, 10);
  const std::string& line = parcel.Mutable().lines[3];
  const Transit transit = Send(std::move(parcel));
  EXPECT_EQ(Read(line), 'd');
  EXPECT_FALSE(trap::IsGuarded(line.data()));
}

TEST_F(ParcelTrapTest, WhoseAGuardedBlockIsCanBeAsked) {
  Parcel<Document> parcel = BuildParcel(&worker_, 10);
  const void* const root = &*parcel;
  EXPECT_EQ(OwnerOf(root).owner, BlockOwner::kHeap);
  Transit transit = Send(std::move(parcel));
  EXPECT_TRUE(trap::IsGuarded(root));
  EXPECT_EQ(OwnerOf(root).owner, BlockOwner::kUnknown);
  parcel = Receive(std::move(transit));
  EXPECT_EQ(OwnerOf(root).owner, BlockOwner::kHeap);
}

TEST_F(ParcelTrapTest, ManyOnTheirWayAtATime) {
  std::vector<Transit> transits;
  for (int i = 0; i < 500; ++i) transits.push_back(Send(BuildParcel(&worker_, 20)));
  EXPECT_GE(trap::Standing(), 500U);
  for (Transit& transit : transits) {
    EXPECT_EQ(Receive(std::move(transit))->lines[3], std::string(63, 'd'));
  }
  EXPECT_LE(trap::Standing(), Quarantine::kHeaps);
}

TEST_F(ParcelTrapTest, TenThousandDropsKeepMemoryFlat) {
  const auto round = [this](int parcels) {
    for (int i = 0; i < parcels; ++i) {
      Receive(Send(BuildParcel(&worker_, 20))).Drop();
    }
  };
  round(1000);
  const HeapCounters before = heap_counters();
  const std::size_t resident = ResidentBytes();
  round(10'000);
  EXPECT_EQ(heap_counters().live, before.live);
  EXPECT_EQ(heap_counters().destroyed, before.destroyed + 10'000);
  EXPECT_LE(trap::Standing(), Quarantine::kHeaps);
  EXPECT_LT(ResidentBytes(), resident + (std::size_t{16} << 20));
}

// Big ones leave the quarantine early: it is bounded in address space, too, and holds no memory.
TEST_F(ParcelTrapTest, BigDropsKeepMemoryFlat) {
  constexpr std::size_t kBytes = std::size_t{300} << 20;
  const auto drop = [this] {
    Heap* const heap = worker_.AcquireParcelHeap(parcel_kind);
    ASSERT_TRUE(heap->is_parcel());
    Document* root = nullptr;
    {
      const HeapScope scope(heap);
      root = new Document;
      root->lines.emplace_back().reserve(kBytes);
      for (std::size_t at = 0; at < kBytes; at += 4096 * 16) root->lines[0].data()[at] = 1;
    }
    Seal(&worker_, heap, root).Drop();
  };
  drop();
  const std::size_t resident = ResidentBytes();
  for (int i = 0; i < 20; ++i) drop();
  EXPECT_LE(trap::Standing(), Quarantine::kHeaps);
  EXPECT_LT(ResidentBytes(), resident + (std::size_t{64} << 20));
}

}  // namespace
}  // namespace isolates::internal
