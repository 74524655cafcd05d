#include <coroutine>
#include <deque>
#include <exception>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "isolates/detail/heap.h"
#include "isolates/detail/main_heap.h"
#include "isolates/detail/worker_heaps.h"
#include "nlohmann/json.hpp"
#include "tests/heap/heap_test_util.h"

namespace isolates::internal {
namespace {

// Where does `new` of this thread allocate now?
OwnerInfo WhereNewGoes() {
  const auto block = std::make_unique<std::string>();
  return OwnerOf(block.get());
}

class HeapScopeTest : public testing::Test {
 protected:
  WorkerHeaps worker_;
  Heap* const a_ = worker_.AcquirePooled();
  Heap* const b_ = worker_.AcquirePooled();

  ~HeapScopeTest() override {
    worker_.ReleasePooled(b_);
    worker_.ReleasePooled(a_);
  }
};

TEST_F(HeapScopeTest, CurrentHeapFollowsNestedScopes) {
  EXPECT_EQ(CurrentHeap(), nullptr);
  {
    const HeapScope outer(a_);
    EXPECT_EQ(CurrentHeap(), a_);
    {
      const HeapScope inner(b_);
      EXPECT_EQ(CurrentHeap(), b_);
      {
        const MainHeapScope main;
        EXPECT_EQ(CurrentHeap(), nullptr);
      }
      {
        const HeapScope same(b_);
        EXPECT_EQ(CurrentHeap(), b_);
      }
      EXPECT_EQ(CurrentHeap(), b_);
      EXPECT_TRUE(HeapScope::Uses(a_));
    }
    EXPECT_EQ(CurrentHeap(), a_);
    EXPECT_FALSE(HeapScope::Uses(b_));
  }
  EXPECT_EQ(CurrentHeap(), nullptr);
}

TEST_F(HeapScopeTest, NewFollowsNestedScopes) {
  SKIP_ON_PLAIN_MALLOC();
  EXPECT_EQ(WhereNewGoes().owner, BlockOwner::kMain);
  {
    const HeapScope outer(a_);
    EXPECT_EQ(WhereNewGoes().heap, a_);
    {
      const HeapScope inner(b_);
      EXPECT_EQ(WhereNewGoes().heap, b_);
      {
        const MainHeapScope main;
        EXPECT_EQ(WhereNewGoes().owner, BlockOwner::kMain);
      }
      EXPECT_EQ(WhereNewGoes().heap, b_);
    }
    EXPECT_EQ(WhereNewGoes().heap, a_);
  }
  EXPECT_EQ(WhereNewGoes().owner, BlockOwner::kMain);
}

TEST_F(HeapScopeTest, AnExceptionRestoresTheHeapOfEachFrame) {
  try {
    const HeapScope outer(a_);
    try {
      const HeapScope inner(b_);
      throw std::runtime_error("thrown in b");
    } catch (const std::runtime_error&) {
      EXPECT_EQ(CurrentHeap(), a_);
    }
    throw std::runtime_error("thrown in a");
  } catch (const std::runtime_error&) {
    EXPECT_EQ(CurrentHeap(), nullptr);
  }
  if (allocator() == Allocator::kMimalloc) {
    EXPECT_EQ(WhereNewGoes().owner, BlockOwner::kMain);
  }
}

struct Coroutine {
  struct promise_type {
    Coroutine get_return_object() {
      return {std::coroutine_handle<promise_type>::from_promise(*this)};
    }
    std::suspend_always initial_suspend() { return {}; }
    std::suspend_always final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { error = std::current_exception(); }
    std::exception_ptr error;
  };
  std::coroutine_handle<promise_type> handle;
};

Coroutine ThreeTurns(std::vector<Heap*>* seen, std::vector<std::string>* built) {
  seen->push_back(CurrentHeap());
  built->push_back(kLongText);
  co_await std::suspend_always{};
  seen->push_back(CurrentHeap());
  co_await std::suspend_always{};
  throw std::runtime_error("third turn");
}

TEST_F(HeapScopeTest, EachTurnOfACoroutineUsesTheScopeOfItsResumer) {
  std::vector<Heap*> seen;
  std::vector<std::string>* built = nullptr;
  Coroutine coroutine;
  {
    const HeapScope turn(a_);
    built = new std::vector<std::string>;
    coroutine = ThreeTurns(&seen, built);
    coroutine.handle.resume();
  }
  EXPECT_EQ(CurrentHeap(), nullptr);
  if (allocator() == Allocator::kMimalloc) {
    EXPECT_EQ(HeapOf(coroutine.handle.address()), a_) << "the frame";
    EXPECT_EQ(HeapOf(built->front().data()), a_);
  }
  {
    const HeapScope turn(a_);
    coroutine.handle.resume();
  }
  EXPECT_EQ(CurrentHeap(), nullptr);
  {
    const HeapScope turn(a_);
    coroutine.handle.resume();
  }
  EXPECT_TRUE(coroutine.handle.done());
  EXPECT_NE(coroutine.handle.promise().error, nullptr);
  coroutine.handle.destroy();
  delete built;
  EXPECT_EQ(seen, (std::vector<Heap*>{a_, a_}));
}

TEST_F(HeapScopeTest, UnmodifiedStandardTypesAreBuiltInTheHeap) {
  SKIP_ON_PLAIN_MALLOC();
  struct Zoo {
    std::string text = kLongText;
    std::vector<std::string> vector{kLongText};
    std::map<int, std::string> map{{1, kLongText}};
    std::unordered_map<int, int> hash{{1, 2}};
    std::list<int> list{1};
    std::deque<int> deque{1};
    std::function<std::string()> function = [copy = kLongText] { return copy; };
    std::shared_ptr<int> shared = std::make_shared<int>(7);
  };
  Zoo* zoo = nullptr;
  {
    const HeapScope scope(a_);
    zoo = new Zoo;
  }
  EXPECT_EQ(HeapOf(zoo), a_);
  EXPECT_EQ(HeapOf(zoo->text.data()), a_);
  EXPECT_EQ(HeapOf(zoo->vector.data()), a_);
  EXPECT_EQ(HeapOf(zoo->vector[0].data()), a_);
  EXPECT_EQ(HeapOf(zoo->map.begin()->second.data()), a_);
  EXPECT_EQ(HeapOf(&*zoo->deque.begin()), a_);
  // Nodes start before their values; the count tells that all of them are here.
  // zoo, text, vector, its string, map node, its string, hash node, hash buckets, list node, deque
  // map and chunk, the closure of the function and its string, the shared block.
  EXPECT_EQ(a_->CensusQuiescent().blocks, 14U);
  delete zoo;  // outside of the scope: frees find the heap themselves
  EXPECT_EQ(a_->CensusQuiescent().blocks, 0U);
}

TEST_F(HeapScopeTest, AThirdPartysParserBuildsInTheHeap) {
  SKIP_ON_PLAIN_MALLOC();
  nlohmann::json* json = nullptr;
  {
    const HeapScope scope(a_);
    json = new nlohmann::json(nlohmann::json::parse(
        R"({"name": "a name that is longer than a short string", "list": [1, 2.5, "three"]})"));
  }
  EXPECT_EQ(HeapOf(json), a_);
  EXPECT_EQ(HeapOf(json->at("name").get_ptr<std::string*>()), a_);
  EXPECT_EQ(HeapOf(json->at("name").get_ptr<std::string*>()->data()), a_);
  EXPECT_EQ(HeapOf(json->at("list").get_ptr<nlohmann::json::array_t*>()->data()), a_);
  delete json;
  EXPECT_EQ(a_->CensusQuiescent().blocks, 0U) << "the parser left something";
}

struct alignas(256) AlignedLibraryObject : MainHeapObject {
  char bytes[512] = {};
};
struct LibraryObject : MainHeapObject {
  std::vector<int, MainAllocator<int>> numbers{1, 2, 3};
  std::basic_string<char, std::char_traits<char>, MainAllocator<char>> text{kLongText.c_str()};
};

TEST_F(HeapScopeTest, LibraryObjectsAreNeverBuiltInAnIsolatesHeap) {
  const HeapScope scope(a_);
  auto* const object = new LibraryObject;
  auto* const aligned = new AlignedLibraryObject;
  auto* const array = new LibraryObject[3];
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(aligned) % 256, 0U);
  if (allocator() == Allocator::kMimalloc) {
    EXPECT_EQ(OwnerOf(object).owner, BlockOwner::kMain);
    EXPECT_EQ(OwnerOf(object->numbers.data()).owner, BlockOwner::kMain);
    EXPECT_EQ(OwnerOf(object->text.data()).owner, BlockOwner::kMain);
    EXPECT_EQ(OwnerOf(aligned).owner, BlockOwner::kMain);
    EXPECT_EQ(OwnerOf(array[2].text.data()).owner, BlockOwner::kMain);
    Heap* const other = worker_.AcquirePooled();  // H7: made and first touched under a_
    {
      const HeapScope inner(other);
      delete new std::string(kLongText);
    }
    EXPECT_EQ(OwnerOf(other).owner, BlockOwner::kMain) << "the Heap object itself";
    worker_.ReleasePooled(other);
    EXPECT_EQ(a_->CensusQuiescent().blocks, 0U);
  }
  delete[] array;
  delete aligned;
  delete object;
}

TEST_F(HeapScopeTest, StartingAThreadMarksEveryHeapOnTheStack) {
  Heap* const parcel = worker_.AcquireParcelHeap();
  Heap* const bystander = worker_.AcquireParcelHeap();
  {
    const HeapScope outer(parcel);
    const MainHeapScope inside_the_library;
    MarkCurrentHeapNotDroppable();
  }
  EXPECT_TRUE(parcel->shared());
  if (allocator() == Allocator::kMimalloc) {
    EXPECT_FALSE(bystander->shared());
  }
  for (Heap* const heap : {parcel, bystander}) {
    heap->is_parcel() ? RetireHeap(heap) : worker_.ReleasePooled(heap);
  }
}

TEST_F(HeapScopeTest, ScopesOfDifferentThreadsDoNotMeet) {
  const HeapScope scope(a_);
  Heap* seen = a_;
  OwnerInfo where;
  {
    const MainHeapScope main;  // what std::thread leaves must not land in a_
    std::thread([&] {
      seen = CurrentHeap();
      where = WhereNewGoes();
    }).join();
  }
  EXPECT_EQ(seen, nullptr);
  if (allocator() == Allocator::kMimalloc) {
    EXPECT_EQ(where.owner, BlockOwner::kMain);
  }
}

}  // namespace
}  // namespace isolates::internal
