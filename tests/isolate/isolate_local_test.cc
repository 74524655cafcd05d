// IsolateLocal: one value for each isolate, made at its first use and destroyed with the isolate.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "isolates/detail/heap.h"
#include "isolates/isolates.h"

namespace isolates {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constinit IsolateLocal<int> counter;
constinit IsolateLocal<int> from_ten(10);
IsolateLocal<std::string> text(std::string(100, 't'));
constinit IsolateLocal<std::vector<int>> made([] { return std::vector<int>{1, 2}; });
constinit IsolateLocal<std::mutex> unmovable;

int Count(int times) {
  for (int i = 0; i < times; ++i) ++*counter;
  return *counter;
}

TEST(IsolateLocalTest, EachIsolateHasItsOwn) {
  *counter = 0;
  EXPECT_EQ(Count(5), 5);
  std::vector<Future<int>> others;
  for (int i = 1; i <= 10; ++i) others.push_back(Isolate::Run(Count, i));
  for (int i = 1; i <= 10; ++i) EXPECT_EQ(others[static_cast<std::size_t>(i - 1)].Get(), i);
  EXPECT_EQ(*counter, 5);
}

TEST(IsolateLocalTest, EachBeginsAsTheProgramSays) {
  *from_ten += 1;
  *text += "changed";
  made->push_back(3);
  const std::lock_guard lock(*unmovable);
  const auto result = Isolate::Run([] {
                        *from_ten += 5;
                        const std::lock_guard own(*unmovable);
                        return std::pair(std::pair(*from_ten, *text), *made);
                      }).Get();
  EXPECT_EQ(result.first.first, 15);
  EXPECT_EQ(result.first.second, std::string(100, 't'));
  EXPECT_THAT(result.second, ElementsAre(1, 2));
  EXPECT_EQ(*from_ten, 11);
  EXPECT_THAT(*made, ElementsAre(1, 2, 3));
}

TEST(IsolateLocalTest, FindMakesNothing) {
  EXPECT_TRUE(Isolate::Run([] {
                if (counter.Find() != nullptr) return false;
                *counter = 3;
                return counter.Find() == &*counter && *counter.Find() == 3;
              }).Get());
  std::thread([] {
    EXPECT_EQ(counter.Find(), nullptr);
    *counter = 4;
    EXPECT_EQ(*counter.Find(), 4);
  }).join();
}

// Planted: a thread_local would be another one on another worker.
Task<bool> StaysInPlace() {
  std::vector<int>* const first = &*made;
  first->push_back(9);
  for (int i = 0; i < 50; ++i) {
    co_await Delay(std::chrono::microseconds(10));
    if (&*made != first) co_return false;
  }
  co_return made->size() == 3;
}

TEST(IsolateLocalTest, ItStaysWhereItIsWhenTheIsolateMoves) {
  std::vector<Future<bool>> isolates;
  for (int i = 0; i < 16; ++i) isolates.push_back(Isolate::Run(StaysInPlace));
  for (auto& isolate : isolates) EXPECT_TRUE(isolate.Get());
}

// ---- the end ----

// Writes its letter down when it ends. The log belongs to the test, which reads it when the
// isolate has ended.
std::mutex log_mutex;
std::string log_text;        // guarded by log_mutex
std::thread::id log_thread;  // guarded by log_mutex

void Log(std::string_view what) {
  const std::lock_guard lock(log_mutex);
  log_text += what;
  log_thread = std::this_thread::get_id();
}
std::string TakeLog() {
  const std::lock_guard lock(log_mutex);
  return std::exchange(log_text, {});
}

template <char Letter>
struct Logged {
  std::string own = std::string(50, Letter);  // a block of the isolate's heap
  ~Logged() { Log(std::string(1, own.at(0))); }
};
constinit IsolateLocal<Logged<'a'>> a;
constinit IsolateLocal<Logged<'b'>> b;
constinit IsolateLocal<Logged<'c'>> c;

// Runs it in an isolate, and waits for the end of that.
template <class Entry>
void RunToItsEnd(Entry entry) {
  ReceivePort<int> ends;
  Isolate::Spawn(entry, 0, SpawnOptions().OnExit(ends.send_port(), 1)).Get();
  EXPECT_EQ(ends.Receive(kForever), 1);
}

TEST(IsolateLocalTest, TheLastOneMadeIsDestroyedFirst) {
  TakeLog();
  RunToItsEnd([](int) {
    b.Get();
    c.Get();
    a.Get();
    b.Get();
  });
  EXPECT_EQ(TakeLog(), "acb");
}

TEST(IsolateLocalTest, APlainThreadHasItUntilItEnds) {
  TakeLog();
  std::thread::id id;
  std::thread([&id] {
    id = std::this_thread::get_id();
    a.Get();
    b.Get();
    EXPECT_EQ(TakeLog(), "");
  }).join();
  EXPECT_EQ(TakeLog(), "ba");
  EXPECT_EQ(log_thread, id);
}

TEST(IsolateLocalTest, AKilledIsolateEndsThemToo) {
  TakeLog();
  ReceivePort<int> ready;
  ReceivePort<int> ends;
  const Isolate isolate = Isolate::Spawn(
                              [](SendPort<int> to) -> Task<> {
                                a.Get();
                                ReceivePort<int> never;
                                to.Send(1);
                                co_await never.Receive();
                              },
                              ready.send_port(), SpawnOptions().OnExit(ends.send_port(), 1))
                              .Get();
  EXPECT_EQ(ready.Receive(kForever), 1);
  isolate.Kill();
  EXPECT_EQ(ends.Receive(kForever), 1);
  EXPECT_EQ(TakeLog(), "a");
}

// Code is unwound, ports and their listeners are gone, before the values go.
TEST(IsolateLocalTest, TheCodeOfTheIsolateEndsBeforeThem) {
  struct UsesAtItsEnd {
    char letter;
    ~UsesAtItsEnd() {
      if (letter != 0) Log(std::string(1, letter) + a->own.at(0));
    }
    explicit UsesAtItsEnd(char l) : letter(l) {}
    UsesAtItsEnd(UsesAtItsEnd&& other) noexcept : letter(std::exchange(other.letter, '\0')) {}
    UsesAtItsEnd& operator=(UsesAtItsEnd&&) = delete;
  };
  TakeLog();
  ReceivePort<int> ends;
  Isolate::Spawn(
      [](int) -> Task<> {
        const UsesAtItsEnd in_frame('f');
        ReceivePort<int> port;
        const auto listener = std::make_shared<UsesAtItsEnd>('l');
        ReceivePort<int> listening;
        std::move(listening).Listen([listener](int) {});
        SendPort<int> to = port.send_port();
        to.Send(1);
        co_await port.Receive();
        Isolate::Exit();
      },
      0, SpawnOptions().OnExit(ends.send_port(), 1))
      .Get();
  EXPECT_EQ(ends.Receive(kForever), 1);
  EXPECT_EQ(TakeLog(), "falaa");
}

// ---- one value uses another ----

// Is made with the help of b: so b is older, and still there at the end.
struct BuiltOnB {
  BuiltOnB() { b.Get(); }
  ~BuiltOnB() { Log(std::string("uses ") + b->own.at(0) + " "); }
};
constinit IsolateLocal<BuiltOnB> built_on_b;

TEST(IsolateLocalTest, WhatItWasBuiltOnIsThereInItsDestructor) {
  TakeLog();
  RunToItsEnd([](int) { built_on_b.Get(); });
  EXPECT_EQ(TakeLog(), "uses b b");
}

struct MakesAtItsEnd {
  ~MakesAtItsEnd() { Log(std::string("makes ") + b->own.at(0) + " "); }
};
constinit IsolateLocal<MakesAtItsEnd> makes_at_its_end;

TEST(IsolateLocalTest, WhatWasNeverMadeIsMadeEvenThenAndDestroyedNext) {
  TakeLog();
  RunToItsEnd([](int) {
    a.Get();
    makes_at_its_end.Get();
  });
  EXPECT_EQ(TakeLog(), "makes b ba");
}

// Planted: b is younger, so it is gone when this one ends.
struct UsesTooLate {
  ~UsesTooLate() {
    Log(b.Find() == nullptr ? "gone " : "there ");
    try {
      b.Get();
      Log("made again ");
    } catch (const StateError& error) {
      Log(error.what());
    }
    // Itself, in its own destructor.
    Log(self() ? " self" : " no self");
  }
  static bool self();
};
constinit IsolateLocal<UsesTooLate> uses_too_late;
bool UsesTooLate::self() { return uses_too_late.Find() != nullptr; }

TEST(IsolateLocalTest, WhatIsGoneIsNotMadeAgain) {
  TakeLog();
  RunToItsEnd([](int) {
    uses_too_late.Get();
    b.Get();
  });
  EXPECT_EQ(TakeLog(), "bgone an IsolateLocal was used after its value was destroyed no self");
}

struct OpensAPort {
  ~OpensAPort() {
    ReceivePort<int> port;
    port.send_port().Send(1);
    std::move(port).Listen([logged = std::make_shared<Logged<'p'>>()](int) { Log("handled"); });
  }
};
constinit IsolateLocal<OpensAPort> opens_a_port;

TEST(IsolateLocalTest, WhatADestructorStartsIsEndedAtOnce) {
  TakeLog();
  RunToItsEnd([](int) { opens_a_port.Get(); });
  EXPECT_EQ(TakeLog(), "p");
}

// ---- what goes wrong ----

struct Failing {
  Failing() {
    if (++*counter < 3) throw std::runtime_error("not yet");
  }
};
constinit IsolateLocal<Failing> failing;

TEST(IsolateLocalTest, AFactoryThatThrowsIsTriedAgainAtTheNextUse) {
  EXPECT_EQ(Isolate::Run([] {
              int failures = 0;
              for (int i = 0; i < 5; ++i) {
                try {
                  failing.Get();
                } catch (const std::runtime_error&) {
                  if (failing.Find() == nullptr) ++failures;
                }
              }
              return failures * 100 + *counter;
            }).Get(),
            203);
}

struct Recursive {
  Recursive();
};
constinit IsolateLocal<Recursive> recursive;
Recursive::Recursive() { recursive.Get(); }

TEST(IsolateLocalTest, AFactoryThatUsesItsOwnValueIsAnError) {
  try {
    recursive.Get();
    ADD_FAILURE() << "must throw";
  } catch (const StateError& error) {
    EXPECT_THAT(error.what(), HasSubstr("uses that value"));
  }
}

struct ThrowsAtItsEnd {
  bool armed = false;
  ~ThrowsAtItsEnd() {
    if (armed) Throw();
  }
  static void Throw() { throw std::runtime_error("from a destructor"); }
};
constinit IsolateLocal<ThrowsAtItsEnd> throws_at_its_end;

TEST(IsolateLocalDeathTest, ADestructorThatThrowsEndsTheProgram) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(RunToItsEnd([](int) { throws_at_its_end->armed = true; }), "from a destructor");
}

// ---- heaps ----

TEST(IsolateLocalTest, ABuilderLeavesNothingBehindByThem) {
  const auto build = [](int rows) {
    made->assign(1000, 7);
    *text += "more";
    std::vector<std::string> result;
    for (int i = 0; i < rows; ++i) result.push_back(*text);
    return result;
  };
  for (int i = 0; i < 3; ++i) {
    auto parcel = Isolate::RunParcel(build, 10).Get();
    EXPECT_EQ(parcel->at(9), std::string(100, 't') + "more");
    EXPECT_EQ(parcel.receipt().stray_blocks, 0U);
    EXPECT_EQ(parcel.receipt().droppable, allocator() == Allocator::kMimalloc)
        << ToString(parcel.receipt().reason);
  }
}

TEST(IsolateLocalTest, ItIsMadeInTheHeapOfTheIsolate) {
  if (allocator() == Allocator::kMalloc) GTEST_SKIP() << "needs the mimalloc back end";
  EXPECT_TRUE(Isolate::Run([] {
                const internal::Heap* const own = internal::CurrentHeap();
                {
                  // As if it was first used while something else is built.
                  const internal::MainHeapScope elsewhere;
                  made.Get();
                }
                return own != nullptr && internal::HeapOf(&*counter) == own &&
                       internal::HeapOf(made->data()) == own;
              }).Get());
}

// The last test: it uses up what there is for the whole program.
TEST(IsolateLocalTest, TooManyOfThemAreAnErrorThatNamesTheLimit) {
  std::vector<std::unique_ptr<IsolateLocal<int>>> many;
  std::thread([&many] {
    std::string error;
    while (error.empty() && many.size() <= kMaxIsolateLocals) {
      many.push_back(std::make_unique<IsolateLocal<int>>(7));
      try {
        EXPECT_EQ(**many.back(), 7);
      } catch (const LimitError& limit) {
        error = limit.what();
      }
    }
    EXPECT_THAT(error, HasSubstr("at most 4096 IsolateLocal objects"));
    EXPECT_EQ(many.back()->Find(), nullptr);
    EXPECT_EQ(**many.front(), 7) << "those that have their number go on";
  }).join();
}

}  // namespace
}  // namespace isolates
