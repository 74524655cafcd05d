// Parcels under load: receivers drop, take and keep while builders build the next ones, workers end
// and others begin, strays are freed late, and isolates use the retired heaps meanwhile.

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "isolates/detail/heap.h"
#include "isolates/detail/parcel_transit.h"
#include "isolates/detail/worker_heaps.h"
#include "isolates/heap.h"
#include "isolates/parcel.h"
#include "tests/heap/heap_test_util.h"

namespace isolates::internal {
namespace {

constexpr std::chrono::seconds kDuration{5};
constexpr std::size_t kQueueLimit = 64;

// Two kinds of parcels: one is always dropped as a whole; of the other some have strays, and some
// are taken apart by their receivers.
constexpr std::uintptr_t kClean = 1;
constexpr std::uintptr_t kMixed = 2;

using Transit = InTransit<Parcel<Document>>;

template <class T>
class Exchange {
 public:
  void Put(T item) {
    const std::lock_guard lock(mutex_);
    items_.push_back(std::move(item));
  }
  bool Get(T* item, std::size_t keep = 0) {
    const std::lock_guard lock(mutex_);
    if (items_.size() <= keep) {
      return false;
    }
    *item = std::move(items_.front());
    items_.pop_front();
    return true;
  }
  std::size_t size() {
    const std::lock_guard lock(mutex_);
    return items_.size();
  }

 private:
  std::mutex mutex_;
  std::deque<T> items_;
};

class Random {
 public:
  explicit Random(unsigned seed) : state_(seed * 7919 + 1) {}
  unsigned operator()(unsigned below) {
    state_ = state_ * 1664525U + 1013904223U;
    return (state_ >> 8) % below;
  }

 private:
  unsigned state_;
};

class ParcelStress {
 public:
  void Run() {
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < 2; ++i) {
      // Each supervisor has one worker at a time; workers live for a few hundred parcels.
      threads.emplace_back([this, i] {
        for (unsigned life = 0; !stopped(); ++life) {
          std::thread([this, seed = i * 1000 + life] { Worker(seed); }).join();
        }
      });
      threads.emplace_back([this, i] { Receiver(i + 77); });
    }
    // A lock-up shows as a test that does not end.
    for (std::thread& thread : threads) {
      thread.join();
    }
    std::unique_ptr<Transit> transit;
    while (parcels_.Get(&transit)) {
      Check(*transit->Arrive());
    }
    std::string* stray = nullptr;
    while (strays_.Get(&stray)) {
      delete stray;
    }
  }

  std::size_t bad() const { return bad_.load(std::memory_order_relaxed); }  // threads are joined
  std::size_t built() const { return built_.load(std::memory_order_relaxed); }

 private:
  bool stopped() const { return std::chrono::steady_clock::now() >= end_; }

  void Check(const Document& document) {
    for (std::size_t i = 0; i < document.lines.size(); ++i) {
      const std::string& line = document.lines[i];
      if (line.size() != 60 + i % 50 || line.front() != static_cast<char>('a' + i % 26) ||
          line.back() != line.front()) {
        bad_.fetch_add(1, std::memory_order_relaxed);  // a count
      }
    }
  }

  void Worker(unsigned seed) {
    WorkerHeaps worker;
    Random random(seed);
    const unsigned life = 50 + random(400);
    for (unsigned i = 0; i < life && !stopped(); ++i) {
      const unsigned kind = random(20);
      if (kind < 5) {
        Isolate(&worker, &random);
      }
      const std::size_t lines = kind == 19 ? 5000 : random(300);
      std::string* stray = nullptr;
      parcel_kind = kind < 12 || kind == 19 ? kClean : kMixed;
      Parcel<Document> parcel = BuildParcel(&worker, lines, [&] {
        if (parcel_kind == kMixed && random(4) == 0) {
          stray = new std::string(kLongText);
        }
      });
      if (stray != nullptr) {
        if (parcel.receipt().droppable) {
          bad_.fetch_add(1, std::memory_order_relaxed);  // a count: a stray was overlooked
        }
        strays_.Put(stray);
      }
      built_.fetch_add(1, std::memory_order_relaxed);  // a count
      parcels_.Put(std::make_unique<Transit>(std::move(parcel)));
      worker.ServiceLeaves();
      if (random(50) == 0) {
        worker.Collect();
      }
      while (parcels_.size() > kQueueLimit && !stopped()) {
        std::this_thread::yield();
      }
    }
  }

  // An ordinary isolate: works in a pooled heap and leaves a few blocks to be freed elsewhere.
  void Isolate(WorkerHeaps* worker, Random* random) {
    Heap* const heap = worker->AcquirePooled();
    std::string* left = nullptr;
    {
      const HeapScope scope(heap);
      const std::vector<std::string> temporaries(1 + (*random)(200), kLongText);
      left = new std::string(kLongText);
    }
    if ((*random)(4) == 0) {
      worker->Leave(heap);
    }
    worker->ReleasePooled(heap);
    strays_.Put(left);
  }

  void Receiver(unsigned seed) {
    Random random(seed);
    std::vector<Document> kept;
    while (!stopped()) {
      std::string* stray = nullptr;
      if (strays_.Get(&stray, 50)) {
        if (*stray != kLongText) {
          bad_.fetch_add(1, std::memory_order_relaxed);  // a count
        }
        delete stray;
      }
      std::unique_ptr<Transit> transit;
      if (!parcels_.Get(&transit)) {
        std::this_thread::yield();
        continue;
      }
      if (random(16) == 0) {
        continue;  // a dead letter
      }
      Parcel<Document> parcel = std::move(transit->Arrive());
      Check(*parcel);
      const unsigned kind = random(10);
      if (parcel->kind == kClean) {
        continue;
      }
      if (kind == 0) {
        kept.push_back(std::move(parcel).Take());
        if (kept.size() > 20) {
          for (const Document& document : kept) {
            Check(document);
          }
          kept.clear();
        }
      } else if (kind == 1) {
        parcel.Mutable().lines.clear();
      }
    }
  }

  const std::chrono::steady_clock::time_point end_ = std::chrono::steady_clock::now() + kDuration;
  std::atomic<std::size_t> bad_{0};
  std::atomic<std::size_t> built_{0};
  Exchange<std::unique_ptr<Transit>> parcels_;
  Exchange<std::string*> strays_;
};

TEST(ParcelStressTest, BuildersReceiversAndIsolatesShareNothingByAccident) {
  ParcelStress stress;
  stress.Run();
  EXPECT_EQ(stress.bad(), 0U);
  EXPECT_GT(stress.built(), 1000U);
  const HeapCounters counters = heap_counters();
  RecordProperty("built", static_cast<int>(stress.built()));
  RecordProperty("dropped_whole", static_cast<int>(counters.destroyed));
  if (allocator() == Allocator::kMimalloc) {
    EXPECT_GT(counters.destroyed, stress.built() / 2);
    EXPECT_LT(counters.live, 4 * WorkerHeaps::kIdleLimit);
  }
}

}  // namespace
}  // namespace isolates::internal
