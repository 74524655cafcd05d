#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <deque>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "isolates/detail/heap.h"
#include "isolates/detail/worker_heaps.h"
#include "isolates/heap.h"
#include "tests/heap/heap_test_util.h"

namespace isolates::internal {
namespace {

// Runs `body` on a thread of its own with a WorkerHeaps of its own.
template <class Body>
void OnWorker(Body body) {
  std::thread([&body] {
    WorkerHeaps worker;
    body(&worker);
  }).join();
}

TEST(HeapPoolTest, AWorkerReusesTheHeapReleasedLast) {
  WorkerHeaps worker;
  Heap* const a = worker.AcquirePooled();
  Heap* const b = worker.AcquirePooled();
  EXPECT_NE(a, b);
  worker.ReleasePooled(a);
  worker.ReleasePooled(b);
  EXPECT_EQ(worker.AcquirePooled(), b);
  EXPECT_EQ(worker.AcquirePooled(), a);
  worker.ReleasePooled(a);
  worker.ReleasePooled(b);
}

TEST(HeapPoolTest, WhatAWorkerDoesNotKeepGoesToTheOthers) {
  const std::size_t idle = heap_counters().pooled_idle;
  std::set<Heap*> released;
  WorkerHeaps worker;
  std::vector<Heap*> taken;
  for (std::size_t i = 0; i < idle + WorkerHeaps::kKept + 2; ++i) {
    taken.push_back(worker.AcquirePooled());
  }
  EXPECT_EQ(heap_counters().pooled_idle, 0U);
  for (Heap* const heap : taken) {
    worker.ReleasePooled(heap);
    released.insert(heap);
  }
  EXPECT_EQ(heap_counters().pooled_idle, idle + 2);
  OnWorker([&](WorkerHeaps* other) {
    Heap* const heap = other->AcquirePooled();
    EXPECT_EQ(released.count(heap), 1U);
    other->ReleasePooled(heap);
  });
}

TEST(HeapPoolTest, AWorkerThatEndsLeavesItsHeapsToTheOthers) {
  Heap* heap = nullptr;
  std::string* text = nullptr;
  OnWorker([&](WorkerHeaps* worker) {
    heap = worker->AcquirePooled();
    const HeapScope scope(heap);
    text = new std::string(kLongText);
    const MainHeapScope main;
  });
  // Its isolate never released the heap, but the worker is gone: nothing of it is touched again.
  EXPECT_EQ(*text, kLongText);
  OnWorker([&](WorkerHeaps* worker) {
    worker->Arrive(heap);
    {
      const HeapScope scope(heap);
      delete text;
    }
    worker->ReleasePooled(heap);
  });
}

TEST(HeapPoolTest, AReleasedHeapKeepsTheBlocksThatOthersHold) {
  WorkerHeaps worker;
  std::vector<std::string*> kept;
  Heap* first = nullptr;
  for (int isolate = 0; isolate < 500; ++isolate) {
    Heap* const heap = worker.AcquirePooled();
    if (isolate == 0) {
      first = heap;
    }
    EXPECT_EQ(heap, first);
    std::string* result = nullptr;
    {
      const HeapScope scope(heap);
      const std::vector<std::string> temporaries(20, kLongText);
      result = new std::string(kLongText + std::to_string(isolate));
    }
    worker.ReleasePooled(heap);
    kept.push_back(result);
  }
  EXPECT_TRUE(first->shared());
  for (int isolate = 0; isolate < 500; ++isolate) {
    EXPECT_EQ(*kept[static_cast<std::size_t>(isolate)], kLongText + std::to_string(isolate));
    delete kept[static_cast<std::size_t>(isolate)];
  }
  EXPECT_EQ(first->CensusQuiescent().blocks, 0U);
}

TEST(HeapPoolTest, AnIsolateMovesToAWorkerThatTheFirstHasLeftItTo) {
  WorkerHeaps worker;
  Heap* const heap = worker.AcquirePooled();
  std::vector<std::string>* state = nullptr;
  {
    const HeapScope turn(heap);
    state = new std::vector<std::string>(100, kLongText);
  }
  worker.Leave(heap);
  OnWorker([&](WorkerHeaps* other) {
    other->Arrive(heap);
    {
      const HeapScope turn(heap);
      state->insert(state->end(), 100, kLongText);
      EXPECT_EQ(CurrentHeap(), heap);
    }
    if (allocator() == Allocator::kMimalloc) {
      EXPECT_EQ(HeapOf(state->back().data()), heap);
    }
    other->Leave(heap);
  });
  worker.Arrive(heap);
  {
    const HeapScope turn(heap);
    delete state;
  }
  EXPECT_EQ(heap->CensusQuiescent().blocks, 0U);
  worker.ReleasePooled(heap);
}

TEST(HeapPoolTest, ARequestToLeaveIsServedLaterAndNeverInsideTheScope) {
  WorkerHeaps worker;
  Heap* const heap = worker.AcquirePooled();
  {
    const HeapScope turn(heap);
    std::thread([&] {
      worker.RequestLeave(heap);
      worker.RequestLeave(heap);
    }).join();
    worker.ServiceLeaves();  // must not pull the heap away here
    delete new std::string(kLongText);
    EXPECT_EQ(CurrentHeap(), heap);
  }
  worker.ServiceLeaves();
  worker.ServiceLeaves();
  {
    const HeapScope turn(heap);  // comes back by itself
    delete new std::string(kLongText);
  }
  worker.ReleasePooled(heap);
}

TEST(HeapPoolTest, ARetiredParcelHeapIsUsedByTheNextIsolates) {
  SKIP_ON_PLAIN_MALLOC();
  WorkerHeaps worker;
  Heap* const heap = worker.AcquireParcelHeap();
  ASSERT_TRUE(heap->is_parcel());
  std::string* text = nullptr;
  {
    const HeapScope scope(heap);
    text = new std::string(kLongText);
  }
  const std::size_t idle = heap_counters().pooled_idle;
  std::thread([&] { RetireHeap(heap); }).join();  // as a receiver does
  EXPECT_TRUE(heap->shared());
  EXPECT_FALSE(heap->is_parcel());
  EXPECT_EQ(heap_counters().pooled_idle, idle + 1);
  OnWorker([&](WorkerHeaps* other) {
    EXPECT_EQ(other->AcquirePooled(), heap);
    const HeapScope scope(heap);
    delete new std::string(kLongText);
    const MainHeapScope main;
  });
  worker.ServiceLeaves();
  EXPECT_EQ(*text, kLongText);
  delete text;
}

TEST(HeapPoolTest, RetireAndReuseWhileAnotherThreadFrees) {
  constexpr int kRounds = 3000;
  std::mutex mutex;
  std::deque<std::string*> queue;
  std::atomic<bool> done{false};
  std::size_t received = 0;
  std::thread receiver([&] {
    for (;;) {
      // acquire - pairs with the release below: all pushes are visible once it is set.
      const bool last = done.load(std::memory_order_acquire);
      std::deque<std::string*> batch;
      {
        const std::lock_guard lock(mutex);
        batch.swap(queue);
      }
      for (std::string* const text : batch) {
        received += text->size() >= 20 && (*text)[0] == 'r' ? 1 : 0;
        delete text;
      }
      if (last && batch.empty()) {
        return;
      }
    }
  });
  auto work = [&](int seed) {
    WorkerHeaps worker;
    for (int round = 0; round < kRounds; ++round) {
      Heap* const heap =
          (round + seed) % 4 == 0 ? worker.AcquireParcelHeap(7) : worker.AcquirePooled();
      std::vector<std::string*> results;
      results.reserve(40);
      {
        const HeapScope scope(heap);
        for (int i = 0; i < 40; ++i) {
          results.push_back(new std::string(static_cast<std::size_t>(20 + i * 7), 'r'));
        }
      }
      {
        const std::lock_guard lock(mutex);
        queue.insert(queue.end(), results.begin(), results.end());
      }
      heap->is_parcel() ? RetireHeap(heap) : worker.ReleasePooled(heap);
      worker.ServiceLeaves();
      if (round % 200 == 0) {
        worker.Collect();
      }
    }
  };
  std::thread second(work, 1);
  std::thread third(work, 2);
  second.join();
  third.join();
  done.store(true, std::memory_order_release);  // pairs with the acquire in the receiver
  receiver.join();
  EXPECT_EQ(received, 2U * kRounds * 40U);
}

class HeapLimitTest : public testing::Test {
 protected:
  ~HeapLimitTest() override { SetHeapLimit(kDefaultHeapLimit); }

  WorkerHeaps worker_;
};

TEST_F(HeapLimitTest, PastTheLimitIsolatesShareHeaps) {
  std::vector<Heap*> all;
  while (heap_counters().pooled_idle > 0) {
    all.push_back(worker_.AcquirePooled());
  }
  SetHeapLimit(heap_counters().live + 2);
  const HeapCounters before = heap_counters();
  for (int i = 0; i < 7; ++i) {
    all.push_back(worker_.AcquirePooled());
  }
  EXPECT_EQ(heap_counters().live, before.live + 2);
  EXPECT_GT(heap_counters().guests, before.guests);
  std::vector<std::string*> texts;
  for (Heap* const heap : all) {
    const HeapScope scope(heap);
    auto* const text = new std::string(kLongText);
    const MainHeapScope main;
    texts.push_back(text);
  }
  for (std::size_t i = 0; i < all.size(); ++i) {
    EXPECT_EQ(*texts[i], kLongText);
    delete texts[i];
    worker_.ReleasePooled(all[i]);
  }
  // Each heap came back once: those who own one now own different ones.
  const std::set<Heap*> distinct(all.begin(), all.end());
  const std::size_t guests = heap_counters().guests;
  std::vector<Heap*> again;
  for (std::size_t i = 0; i < distinct.size(); ++i) {
    again.push_back(worker_.AcquirePooled());
  }
  EXPECT_EQ(heap_counters().guests, guests);
  EXPECT_EQ(std::set<Heap*>(again.begin(), again.end()).size(), distinct.size());
  for (Heap* const heap : again) {
    worker_.ReleasePooled(heap);
  }
}

TEST_F(HeapLimitTest, AtTheLimitParcelsUsePooledHeaps) {
  SKIP_ON_PLAIN_MALLOC();
  SetHeapLimit(1);
  const std::size_t pooled = heap_counters().parcels_pooled;
  Parcel<Document> parcel = BuildParcel(&worker_, 10);
  EXPECT_EQ(heap_counters().parcels_pooled, pooled + 1);
  EXPECT_FALSE(parcel.receipt().droppable);
  EXPECT_EQ(parcel.receipt().reason, DropReason::kPooledHeap);
  EXPECT_EQ(parcel->lines.size(), 10U);
}

TEST_F(HeapLimitTest, IsClampedToSaneValues) {
  SetHeapLimit(0);
  EXPECT_EQ(allocator_report().heap_limit, 1U);
  SetHeapLimit(1'000'000);
  EXPECT_EQ(allocator_report().heap_limit, kMaxHeapLimit);
}

TEST(HeapTrimTest, CollectAndTrimGiveMemoryBack) {
  SKIP_ON_PLAIN_MALLOC();
  WorkerHeaps worker;
  Heap* const heap = worker.AcquirePooled();
  worker.Collect();
  const std::size_t before = ResidentBytes();
  auto peak = [&] {
    const HeapScope scope(heap);
    std::vector<std::string> many;
    for (std::size_t i = 0; i < 500'000; ++i) {
      many.emplace_back(100 + i % 100, 'm');
    }
    many.clear();
  };
  peak();
  const std::size_t held = ResidentBytes();
  worker.Collect();
  EXPECT_LT(ResidentBytes(), before + 20'000'000) << "held before: " << held;
  peak();
  TrimThisThread();
  EXPECT_LT(ResidentBytes(), before + 20'000'000) << "held before: " << held;
  EXPECT_GT(held, before + 20'000'000) << "the test shows nothing";
  worker.ReleasePooled(heap);
}

}  // namespace
}  // namespace isolates::internal
