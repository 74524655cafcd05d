// The table of docs/transfer_table.md: kind of edge x place where it leads -> accepted or refused.
//
// Each cell is tried: an edge of the kind is planted into a message so that it leads to the place,
// and Verify answers. The test fails if the document says otherwise, and prints what it should say.
// To write it there:
//
//   ISOLATES_WRITE_TABLE=1 bazel/bazelw run //tests/transfer:place_table_test
//
// A run knows the answers of the back end that it was built with; where back ends differ, a cell
// holds one answer for each: mimalloc / plain malloc / plain malloc whose blocks a sanitizer knows.

#include <array>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <future>
#include <memory>
#include <memory_resource>
#include <new>
#include <optional>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "isolates/detail/threads.h"
#include "isolates/frozen.h"
#include "tests/transfer/transfer_test_util.h"

namespace isolates::internal {
namespace {

using Number = std::int64_t;

struct Shape {
  virtual ~Shape() = default;
};
struct Circle final : Shape {
  Number radius = 1;
  using IsolatesMembers = Members<&Circle::radius>;
};

}  // namespace
}  // namespace isolates::internal

template <>
struct isolates::DynamicTypes<isolates::internal::Shape>
    : isolates::OneOf<isolates::internal::Circle> {};

namespace isolates::internal {
namespace {

// ---- places ----

enum Column : std::size_t {
  kSendersStack,
  kOtherStack,
  kWritableStatic,
  kConstStatic,
  kThreadLocal,
  kOwnGraph,
  kOwnHeap,
  kForeignHeap,
  kReceivedHeap,
  kMainHeap,
  kFreedBlock,
  kColumns,
};

constexpr std::array<std::string_view, kColumns> kColumnNames = {
    "sender's stack",
    "other isolate's stack",
    "writable static",
    "const static",
    "thread_local",
    "own graph",
    "own heap, outside of the graph",
    "other isolate's heap",
    "received (shared) heap",
    "main heap",
    "freed block",
};

// Enough for everything that is planted.
struct alignas(16) Storage {
  std::array<Number, 64> numbers;
};

Storage writable_static{{1}};
const Storage const_static{{1}};
thread_local Storage local_to_thread{{1}};

struct Spot {
  Column column;
  Storage* storage;  // nullptr: the judge makes it, within the graph
  Heap* heap;        // of the heap columns; nullptr: the main heap
  bool IsHeap() const { return column >= kOwnHeap && column <= kMainHeap; }
};

// ---- edges ----

// No answer: there is no such edge.
using Answer = std::optional<bool>;
using Judge = Answer (*)(const Spot& spot);

struct Row {
  std::string_view name;
  Judge judge;
};

template <class T>
Answer Judged(const T& message) {
  return Verify(message).ok();
}

template <class Edge>
using Message = std::pair<std::vector<Number>, Edge>;

// A message that owns some numbers and has an edge to them or to the spot.
template <class Make>
auto Plant(const Spot& spot, Make make) {
  std::vector<Number> own(8);
  const Number* const target = spot.column == kOwnGraph ? own.data() : spot.storage->numbers.data();
  return Message<decltype(make(target))>{std::move(own), make(target)};
}

Answer OwningPointer(const Spot& spot) {
  if (spot.column == kOwnGraph) return std::nullopt;  // two owners of one block
  std::array<std::unique_ptr<Storage>, 1> message{std::unique_ptr<Storage>(spot.storage)};
  const Answer answer = Judged(message);
  (void)message[0].release();
  return answer;
}

// Builds a T at the spot while `judge` looks.
template <class T, class JudgeIt>
Answer WithObjectAt(const Spot& spot, T* (*make)(void*), JudgeIt judge_it) {
  static_assert(sizeof(T) <= sizeof(Storage) && alignof(T) <= alignof(Storage));
  const Storage before = *spot.storage;
  T* const object = make(spot.storage);
  const Answer answer = judge_it(object);
  object->~T();
  *spot.storage = before;
  return answer;
}
// There is no writing there.
bool CannotBeBuiltAt(const Spot& spot) {
  return spot.column == kConstStatic || spot.column == kOwnGraph || spot.column == kFreedBlock;
}

Answer PointerToBase(const Spot& spot) {
  if (CannotBeBuiltAt(spot)) return std::nullopt;
  return WithObjectAt<Circle>(
      spot, [](void* at) { return new (at) Circle; },
      [](Circle* circle) {
        std::array<std::unique_ptr<Shape>, 1> message{std::unique_ptr<Shape>(circle)};
        const Answer answer = Judged(message);
        (void)message[0].release();
        return answer;
      });
}

struct Owner {
  Storage* owned = nullptr;
  using IsolatesMembers = Members<Owns<&Owner::owned>{}>;
};
Answer OwningRawPointer(const Spot& spot) {
  if (spot.column != kOwnGraph) return Judged(std::array<Owner, 1>{Owner{spot.storage}});
  const auto block = std::make_unique<Storage>();
  return Judged(std::array<Owner, 2>{Owner{block.get()}, Owner{block.get()}});
}

// Its value is in the main heap; who else reads it does not matter.
Answer FrozenHandle(const Spot& spot) {
  if (spot.column != kMainHeap && spot.column != kOwnGraph) return std::nullopt;
  const Frozen<Number> handle = Freeze(Number{1});
  std::vector<Frozen<Number>> message{handle};
  if (spot.column == kOwnGraph) message.push_back(handle);
  return Judged(message);
}

Answer MarkedObject(const Spot& spot) {
  if (spot.column != kOwnGraph) return std::nullopt;
  UnsendableMark mark;
  mark.Set("in use");
  return Judged(std::vector{mark});
}
Answer OptedOut(const Spot& spot) {
  return Judged(Plant(spot, [](const Number* at) { return UnsafeTransfer<const Number*>{at}; }));
}

Answer RawPointer(const Spot& spot) {
  return Judged(Plant(spot, [](const Number* at) { return at; }));
}
Answer InteriorPointer(const Spot& spot) {
  return Judged(Plant(spot, [](const Number* at) { return at + 3; }));
}
Answer ReferenceWrapper(const Spot& spot) {
  return Judged(Plant(spot, [](const Number* at) { return std::cref(*at); }));
}
Answer Reference(const Spot& spot) {
  return Judged(Plant(spot, [](const Number* at) { return std::tuple<const Number&>(*at); }));
}
Answer StringView(const Spot& spot) {
  return Judged(Plant(spot, [](const Number* at) {
    return std::string_view(reinterpret_cast<const char*>(at), sizeof(*at));
  }));
}
Answer Span(const Spot& spot) {
  return Judged(Plant(spot, [](const Number* at) { return std::span<const Number>(at, 4); }));
}

std::shared_ptr<Number> MakeSharedAt(const Spot& spot) {
  const HeapScope scope(spot.heap);
  return std::make_shared<Number>(1);
}

using SharedPair = std::array<std::shared_ptr<Number>, 2>;

Answer SharedPointer(const Spot& spot) {
  if (!spot.IsHeap() && spot.column != kOwnGraph) return std::nullopt;
  SharedPair message{MakeSharedAt(spot), nullptr};
  if (spot.column == kOwnGraph) message[1] = message[0];
  return Judged(message);
}
Answer SharedPointerWithReferenceOutside(const Spot& spot) {
  if (!spot.IsHeap() && spot.column != kOwnGraph) return std::nullopt;
  SharedPair message{MakeSharedAt(spot), nullptr};
  if (spot.column == kOwnGraph) message[1] = message[0];
  const std::shared_ptr<Number> outside = message[0];
  return Judged(message);
}
Answer WeakPointer(const Spot& spot) {
  if (!spot.IsHeap() && spot.column != kOwnGraph && spot.column != kFreedBlock) return std::nullopt;
  struct Weak {
    std::shared_ptr<Number> owner;
    std::weak_ptr<Number> weak;
  };
  std::shared_ptr<Number> object = MakeSharedAt(spot);
  Weak message{nullptr, object};
  if (spot.column == kOwnGraph) message.owner = std::move(object);
  if (spot.column == kFreedBlock) object = nullptr;
  return Judged(message);
}

Answer PmrContainer(const Spot& spot) {
  if (CannotBeBuiltAt(spot)) return std::nullopt;
  using Arena = std::pmr::monotonic_buffer_resource;
  return WithObjectAt<Arena>(
      spot, [](void* at) { return new (at) Arena; },
      [](Arena* arena) { return Judged(std::pmr::vector<Number>({1, 2, 3}, arena)); });
}

// [p] of a pointer or [&x] of what it leads to: the same bytes.
auto PlainClosure(const Number* at) {
  return [at] { return at != nullptr; };
}
auto OwningClosure(const Number* at) {
  // (A string's unused bytes may hold left-overs.)
  return [at, owned = std::make_unique<Number>(1)] { return at != nullptr && owned != nullptr; };
}
Answer PlainClosureWithAddress(const Spot& spot) { return Judged(Plant(spot, &PlainClosure)); }
Answer OwningClosureAtDefault(const Spot& spot) {
  try {
    VerifyForSend(Plant(spot, &OwningClosure), "message");
    return true;
  } catch (const TransferError&) {
    return false;
  }
}
Answer OwningClosureAtAlways(const Spot& spot) { return Judged(Plant(spot, &OwningClosure)); }
Answer StdFunction(const Spot& spot) {
  return Judged(
      Plant(spot, [](const Number* at) { return std::function<bool()>(PlainClosure(at)); }));
}

constexpr Row kRows[] = {
    {"`unique_ptr`, owning container", &OwningPointer},
    {"`unique_ptr` to a base class with `DynamicTypes`", &PointerToBase},
    {"raw pointer that owns (`Owns`)", &OwningRawPointer},
    {"`shared_ptr`, all references in the message", &SharedPointer},
    {"`shared_ptr`, a reference outside", &SharedPointerWithReferenceOutside},
    {"`weak_ptr`", &WeakPointer},
    {"`Frozen`, whoever else reads it", &FrozenHandle},
    {"raw pointer", &RawPointer},
    {"pointer into the middle of a block", &InteriorPointer},
    {"reference (in a tuple)", &Reference},
    {"`reference_wrapper`", &ReferenceWrapper},
    {"`string_view`", &StringView},
    {"`span`", &Span},
    {"pmr container, its memory resource", &PmrContainer},
    {"closure of plain captures: `[&x]`, `[p]`, `[this]`", &PlainClosureWithAddress},
    {"closure that also owns, at `kDefault`", &OwningClosureAtDefault},
    {"closure that also owns, at `kAlways`", &OwningClosureAtAlways},
    {"`std::function`, at `kAlways`", &StdFunction},
    {"object with an `UnsendableMark` that is set", &MarkedObject},
    {"anything in `UnsafeTransfer`", &OptedOut},
};

// ---- the document ----

constexpr std::string_view kDocument = "docs/transfer_table.md";
constexpr std::string_view kBegin =
    "<!-- The table, from tests/transfer/place_table_test.cc: -->\n";
constexpr std::string_view kEnd = "<!-- End of the table. -->\n";

enum BackEnd : std::size_t { kOnMimalloc, kOnMalloc, kOnSanitizedMalloc, kBackEnds };

BackEnd ThisBackEnd() {
  if (allocator() == Allocator::kMimalloc) return kOnMimalloc;
#ifdef __SANITIZE_ADDRESS__
  return kOnSanitizedMalloc;
#else
  return kOnMalloc;
#endif
}

// ThreadSanitizer's allocator knows its blocks, but may have given a freed one to somebody else.
#ifdef __SANITIZE_THREAD__
constexpr bool kFreedStaysFreed = false;
#else
constexpr bool kFreedStaysFreed = true;
#endif

using Cell = std::array<std::string, kBackEnds>;

std::string TextOf(const Answer& answer) {
  if (!answer.has_value()) return "-";
  return *answer ? "yes" : "no";
}

std::string Join(const Cell& cell) {
  if (cell[0] == cell[1] && cell[1] == cell[2]) return cell[0];
  return cell[0] + " / " + cell[1] + (cell[1] == cell[2] ? "" : " / " + cell[2]);
}

Cell Split(const std::string& text) {
  Cell cell;
  std::istringstream in(text);
  std::string part;
  for (std::size_t i = 0; i < kBackEnds; ++i) {
    cell[i] = in >> part ? part : cell[i == 0 ? 0 : i - 1];
    in >> part;  // the slash
  }
  return cell;
}

std::vector<std::string> CellsOf(const std::string& line) {
  std::vector<std::string> cells;
  std::istringstream in(line);
  std::string cell;
  std::getline(in, cell, '|');
  while (std::getline(in, cell, '|')) {
    const std::size_t begin = cell.find_first_not_of(' ');
    const std::size_t end = cell.find_last_not_of(' ');
    cells.push_back(begin == std::string::npos ? "" : cell.substr(begin, end - begin + 1));
  }
  return cells;
}

// What the document says of a cell; empty: nothing yet.
std::string Documented(const std::string& document, std::string_view row, std::size_t column) {
  std::istringstream in(document);
  for (std::string line; std::getline(in, line);) {
    const std::vector<std::string> cells = CellsOf(line);
    if (cells.size() == kColumns + 1 && cells[0] == row) return cells[column + 1];
  }
  return {};
}

class PlaceTableTest : public TransferHeapTest {
 protected:
  void SetUp() override { RegisterThisThread("parser"); }

  // The answers, row by row.
  std::vector<std::array<Answer, kColumns>> AskAll() {
    Storage on_stack{{1}};
    std::promise<Storage*> ready;
    std::promise<void> done;
    std::thread other([&ready, &done] {
      RegisterThisThread("feed");
      Storage storage{{1}};
      ready.set_value(&storage);
      done.get_future().wait();
    });
    Heap* const own = FreshHeap();
    Heap* const foreign = FreshHeap();
    Heap* const received = FreshHeap();
    received->MarkShared();
    const auto make = [] { return Storage{{1}}; };
    std::array<Storage*, 5> blocks{BuildIn(own, make), BuildIn(foreign, make),
                                   BuildIn(received, make), BuildIn(nullptr, make),
                                   BuildIn(own, make)};
    // Its neighbour lives on, so that its memory stays.
    Storage* const freed = blocks[4];
    delete blocks[4];
    const Spot spots[kColumns] = {
        {kSendersStack, &on_stack, nullptr},
        {kOtherStack, ready.get_future().get(), nullptr},
        {kWritableStatic, &writable_static, nullptr},
        {kConstStatic, const_cast<Storage*>(&const_static), nullptr},
        {kThreadLocal, &local_to_thread, nullptr},
        {kOwnGraph, nullptr, own},
        {kOwnHeap, blocks[0], own},
        {kForeignHeap, blocks[1], foreign},
        {kReceivedHeap, blocks[2], received},
        {kMainHeap, blocks[3], nullptr},
        {kFreedBlock, freed, own},
    };
    std::vector<std::array<Answer, kColumns>> answers;
    {
      const HeapScope scope(own);
      for (const Row& row : kRows) {
        std::array<Answer, kColumns> line;
        for (const Spot& spot : spots) line[spot.column] = row.judge(spot);
        const MainHeapScope ours;
        answers.push_back(line);
      }
    }
    done.set_value();
    other.join();
    for (std::size_t i = 0; i < 4; ++i) delete blocks[i];
    for (Heap* const heap : {own, foreign, received}) RetireHeap(heap);
    return answers;
  }

  // The table, with what `document` says of other back ends.
  std::string Table(const std::string& document) {
    const auto answers = AskAll();
    std::string text = "| the edge is / leads to |";
    std::string rule = "|---|";
    for (const std::string_view name : kColumnNames) {
      text += ' ' + std::string(name) + " |";
      rule += "---|";
    }
    text += '\n' + rule + '\n';
    for (std::size_t i = 0; i < answers.size(); ++i) {
      text += "| " + std::string(kRows[i].name) + " |";
      for (std::size_t column = 0; column < kColumns; ++column) {
        const std::string mine = TextOf(answers[i][column]);
        const std::string documented = Documented(document, kRows[i].name, column);
        Cell cell = documented.empty() ? Cell{mine, mine, mine} : Split(documented);
        if (column != kFreedBlock || kFreedStaysFreed) cell[ThisBackEnd()] = mine;
        text += ' ' + Join(cell) + " |";
      }
      text += '\n';
    }
    return text;
  }
};

TEST_F(PlaceTableTest, TheDocumentSaysWhatVerifyAnswers) {
  std::stringstream contents;
  contents << std::ifstream(std::string(kDocument)).rdbuf();
  const std::string document = contents.str();
  const std::size_t begin = document.find(kBegin);
  const std::size_t end = document.find(kEnd);
  ASSERT_NE(begin, std::string::npos);
  ASSERT_NE(end, std::string::npos);
  const std::string expected = document.substr(0, begin + kBegin.size()) + '\n' + Table(document) +
                               '\n' + document.substr(end);
  if (std::getenv("ISOLATES_WRITE_TABLE") != nullptr) {
    const char* const workspace = std::getenv("BUILD_WORKSPACE_DIRECTORY");
    ASSERT_NE(workspace, nullptr) << "use bazel run";
    std::ofstream(std::string(workspace) + '/' + std::string(kDocument)) << expected;
    return;
  }
  EXPECT_EQ(document, expected) << kDocument << " should be:\n" << expected;
}

// The rules, without the document: whatever is regenerated, this stays.
TEST_F(PlaceTableTest, NothingOfTheSenderIsEverAcceptedWhereItCanBeSeen) {
  const auto answers = AskAll();
  for (std::size_t i = 0; i < answers.size(); ++i) {
    SCOPED_TRACE(kRows[i].name);
    if (kRows[i].judge == &OptedOut) continue;
    const bool doubtful = kRows[i].judge == &OwningClosureAtDefault;
    for (const Column column : {kSendersStack, kOtherStack, kThreadLocal}) {
      if (doubtful) continue;
      EXPECT_NE(answers[i][column], Answer(true)) << kColumnNames[column];
    }
    // Bits of a closure may hold addresses of anything that is not bound to a turn (rule V4).
    const bool closure =
        std::string_view(kRows[i].name).find("closure") == 0 || kRows[i].judge == &StdFunction;
    if (!closure) {
      EXPECT_NE(answers[i][kWritableStatic], Answer(true));
    }
  }
}

TEST_F(PlaceTableTest, WhatTheMessageOwnsMayBePointedTo) {
  const auto answers = AskAll();
  for (std::size_t i = 0; i < answers.size(); ++i) {
    SCOPED_TRACE(kRows[i].name);
    const Judge judge = kRows[i].judge;
    const bool refused = judge == &SharedPointerWithReferenceOutside ||
                         judge == &OwningRawPointer || judge == &MarkedObject;
    EXPECT_NE(answers[i][kOwnGraph], Answer(refused));
  }
}

}  // namespace
}  // namespace isolates::internal
