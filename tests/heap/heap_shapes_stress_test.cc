// Shapes of heap use that earlier versions of mimalloc 3 did not bear and that the library relies
// on. They use mimalloc directly: when one fails, the allocator is at fault, not the library.

#include <mimalloc.h>

#include <atomic>
#include <barrier>
#include <cstddef>
#include <cstring>
#include <mutex>
#include <random>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace {

std::size_t LiveBlocks(mi_heap_t* heap) {
  std::size_t count = 0;
  mi_heap_visit_blocks(
      heap, /*visit_blocks=*/false,
      [](const mi_heap_t*, const mi_heap_area_t* area, void*, std::size_t, void* sum) -> bool {
        *static_cast<std::size_t*>(sum) += area->used;
        return true;
      },
      &count);
  return count;
}

TEST(HeapShapesTest, ManyThreadsBuildInOneHeapThatAnotherDestroys) {
  constexpr int kRounds = 400;
  constexpr int kWorkers = 8;
  std::barrier<> start(kWorkers + 1);
  std::barrier<> done(kWorkers + 1);
  mi_heap_t* heap = nullptr;
  std::atomic<bool> stop{false};
  std::atomic<int> failures{0};
  std::vector<std::thread> threads;
  for (unsigned worker = 0; worker < kWorkers; ++worker) {
    threads.emplace_back([&, worker] {
      std::mt19937 random(worker);
      for (;;) {
        start.arrive_and_wait();
        if (stop.load(std::memory_order_relaxed)) {  // ordered by the barrier
          return;
        }
        for (int i = 0; i < 100; ++i) {
          const std::size_t bytes = 1 + random() % 9000;
          void* const block = mi_heap_malloc(heap, bytes);
          if (block == nullptr) {
            failures.fetch_add(1, std::memory_order_relaxed);  // a count
            continue;
          }
          std::memset(block, static_cast<int>(worker), bytes);
          if (i % 3 == 0) {
            mi_free(block);
          }
        }
        done.arrive_and_wait();
      }
    });
  }
  for (int round = 0; round < kRounds; ++round) {
    if (heap != nullptr) {
      mi_heap_destroy(heap);
    }
    heap = mi_heap_new();
    start.arrive_and_wait();
    done.arrive_and_wait();
  }
  mi_heap_destroy(heap);
  stop.store(true, std::memory_order_relaxed);  // ordered by the barrier
  start.arrive_and_wait();
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(failures.load(std::memory_order_relaxed), 0);  // threads are joined
}

TEST(HeapShapesTest, HeapsComeAndGoWhileThreadsComeAndGo) {
  constexpr unsigned kWaves = 8;
  constexpr unsigned kThreads = 64;
  std::mutex mutex;
  std::vector<mi_heap_t*> heaps;
  for (unsigned wave = 0; wave < kWaves; ++wave) {
    std::vector<std::thread> threads;
    for (unsigned thread = 0; thread < kThreads; ++thread) {
      threads.emplace_back([&, seed = wave * 1000 + thread] {
        std::mt19937 random(seed);
        for (int i = 0; i < 300; ++i) {
          const auto choice = random() % 3;
          if (choice == 0) {
            mi_heap_t* const heap = mi_heap_new();
            const std::lock_guard lock(mutex);
            heaps.push_back(heap);
            continue;
          }
          const std::lock_guard lock(mutex);
          if (heaps.empty()) {
            continue;
          }
          if (choice == 1) {
            (void)!mi_heap_malloc(heaps[random() % heaps.size()], random() % 9000);
          } else {
            mi_heap_destroy(heaps.front());
            heaps.erase(heaps.begin());
          }
        }
      });
    }
    for (std::thread& thread : threads) {
      thread.join();
    }
  }
  for (mi_heap_t* const heap : heaps) {
    mi_heap_destroy(heap);
  }
}

TEST(HeapShapesTest, EachOfManyLiveHeapsAnswersForItsBlocks) {
  for (const std::size_t count : {std::size_t{40}, std::size_t{1100}}) {
    std::vector<mi_heap_t*> heaps;
    std::vector<void*> blocks;
    for (std::size_t i = 0; i < count; ++i) {
      heaps.push_back(mi_heap_new());
      blocks.push_back(mi_heap_malloc(heaps[i], 100));
    }
    for (std::size_t i = 0; i < count; ++i) {
      ASSERT_EQ(mi_heap_of(blocks[i]), heaps[i]);
      ASSERT_NE(mi_heap_malloc(heaps[i], 3000), nullptr);
    }
    for (std::size_t i = 0; i < count; i += 2) {
      mi_heap_destroy(heaps[i]);
    }
    for (std::size_t i = 1; i < count; i += 2) {
      ASSERT_EQ(mi_heap_of(blocks[i]), heaps[i]);
      mi_free(blocks[i]);
      ASSERT_EQ(LiveBlocks(heaps[i]), 1U);
      mi_heap_destroy(heaps[i]);
    }
  }
}

// Built on a worker whose default it is; destroyed by the receiver while the worker builds the
// next one or exits.
void HandOver(int rounds, int parcels) {
  for (int round = 0; round < rounds; ++round) {
    std::atomic<mi_heap_t*> slot{nullptr};
    std::thread worker([&] {
      mi_theap_t* const base = mi_theap_get_default();
      for (int parcel = 0; parcel < parcels; ++parcel) {
        mi_heap_t* const heap = mi_heap_new();
        mi_theap_set_default(mi_heap_theap(heap));
        for (std::size_t i = 0; i < 200; ++i) {
          auto* const numbers = new std::vector<int>(1 + i % 50);
          if (i % 5 == 0) {
            delete numbers;
          }
        }
        mi_theap_set_default(base);
        mi_heap_t* empty = nullptr;
        // release - pairs with the acquire below: the heap's state.
        while (!slot.compare_exchange_weak(empty, heap, std::memory_order_release,
                                           std::memory_order_relaxed)) {
          empty = nullptr;
          std::this_thread::yield();
        }
      }
    });
    for (int parcel = 0; parcel < parcels; ++parcel) {
      mi_heap_t* heap = nullptr;
      // acquire - pairs with the release above.
      while ((heap = slot.exchange(nullptr, std::memory_order_acquire)) == nullptr) {
        std::this_thread::yield();
      }
      mi_heap_destroy(heap);
    }
    worker.join();
  }
}

TEST(HeapShapesTest, TheReceiverDestroysWhileTheWorkerBuildsTheNext) { HandOver(150, 20); }
TEST(HeapShapesTest, TheReceiverDestroysWhileTheWorkerExits) { HandOver(1500, 1); }

TEST(HeapShapesTest, HeapsMadeUnderAnotherDefaultLeaveNothingInIt) {
  std::thread([] {
    mi_theap_t* const base = mi_theap_get_default();
    mi_heap_t* const around = mi_heap_new();
    std::vector<mi_heap_t*> heaps;
    heaps.reserve(2000);
    mi_theap_set_default(mi_heap_theap(around));
    for (int i = 0; i < 1100; ++i) {
      heaps.push_back(mi_heap_new());
      (void)!mi_heap_malloc(heaps.back(), 64);
    }
    mi_theap_set_default(base);
    EXPECT_EQ(LiveBlocks(around), 0U);
    mi_heap_destroy(around);
    for (mi_heap_t* const heap : heaps) {
      ASSERT_NE(mi_heap_malloc(heap, 64), nullptr);
      ASSERT_EQ(LiveBlocks(heap), 2U);
      mi_heap_destroy(heap);
    }
  }).join();
}

}  // namespace
