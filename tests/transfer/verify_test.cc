// The run-time rules V1, V2, V3 and V5, each broken on purpose.

#include <array>
#include <filesystem>
#include <map>
#include <memory>
#include <memory_resource>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <variant>
#include <vector>

#include "isolates/detail/threads.h"
#include "tests/transfer/transfer_test_util.h"

namespace isolates::internal {

// External names, so that reports can show them; not const on purpose.
std::string transfer_test_writable_text = kLongText;
int transfer_test_writable_number = 1;

namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;

const int const_number = 7;
constexpr std::string_view const_text = "text in a read-only segment";
const char* const const_table[] = {"one", "two"};  // read-only after relocation

class VerifyTest : public TransferHeapTest {
 protected:
  void SetUp() override { RegisterThisThread("parser"); }

  // The path and the text of the only violation.
  template <class T>
  static std::string Only(const T& value, std::string_view label = "result") {
    const VerifyReport report = Verify(value, label);
    if (report.violations.size() != 1) {
      return std::to_string(report.violations.size()) + " violations";
    }
    return report.violations[0].ToString();
  }
  template <class T>
  static void ExpectOk(const T& value) {
    const VerifyReport report = Verify(value);
    EXPECT_THAT(report.violations, IsEmpty())
        << (report.ok() ? "" : report.violations[0].ToString());
    EXPECT_NO_THROW(VerifyForSend(value, "value", VerifyLevel::kAlways));
  }
};

// ---- V1 ----

struct Holder {
  std::unique_ptr<std::string> text;
  std::unique_ptr<int> number;
};

// Lets a unique_ptr hold something that it must not delete.
template <class T>
class Wrongly {
 public:
  Wrongly(std::unique_ptr<T>& owner, T* address) : owner_(owner) { owner_.reset(address); }
  ~Wrongly() { (void)owner_.release(); }
  Wrongly(const Wrongly&) = delete;
  Wrongly& operator=(const Wrongly&) = delete;

 private:
  std::unique_ptr<T>& owner_;
};

TEST_F(VerifyTest, OwnedBlocksOfThisHeapAndTheMainHeapAreFine) {
  ExpectOk(Holder{std::make_unique<std::string>(kLongText), std::make_unique<int>(1)});
  ExpectOk(Holder{});
  ExpectOk(std::vector<std::filesystem::path>{"", "name", "/a/path/of/several/components"});
}

TEST_F(VerifyTest, OwningPointerIntoAStackIsRefused) {
  Holder holder;
  int local = 1;
  const Wrongly wrongly(holder.number, &local);
  EXPECT_THAT(Only(holder),
              AllOf(StartsWith("result.number: "), HasSubstr("the stack of isolate 'parser'"),
                    HasSubstr("not the start of a block")));
  EXPECT_THROW(VerifyForSend(holder, "result", VerifyLevel::kAlways), TransferError);
  // Owned by its type: at the default level the type is trusted.
  EXPECT_NO_THROW(VerifyForSend(holder, "result"));
}

TEST_F(VerifyTest, OwningPointerToAStaticIsRefused) {
  Holder holder;
  const Wrongly wrongly(holder.number, &transfer_test_writable_number);
  EXPECT_THAT(Only(holder), HasSubstr("the writable static"));
}

TEST_F(VerifyTest, OwningPointerIntoTheMiddleOfABlockIsRefused) {
  Holder holder;
  const auto numbers = std::make_unique<int[]>(100);
  const Wrongly wrongly(holder.number, &numbers[1]);
  EXPECT_THAT(Only(holder), HasSubstr("not the start of a block"));
}

TEST_F(VerifyTest, BlockOfAnotherIsolateIsRefusedUntilItsHeapIsShared) {
  SKIP_ON_PLAIN_MALLOC();
  Heap* const feed = FreshHeap();
  feed->set_owner_name("feed");
  auto* const text = BuildIn(feed, [] { return kLongText; });
  {
    Holder holder;
    const Wrongly wrongly(holder.text, text);
    EXPECT_THAT(Verify(holder, "result").violations,
                testing::Each(Field(&Violation::what, HasSubstr("the heap of isolate 'feed'"))));
    EXPECT_THAT(Verify(holder, "result").violations, SizeIs(2));  // the string and its text
    // The isolate itself may send it.
    EXPECT_NO_THROW(VerifyForSend(holder, "result", VerifyLevel::kAlways, feed));
    feed->MarkShared();
    ExpectOk(holder);
  }
  delete text;
  RetireHeap(feed);
}

// ---- V2 ----

struct Views {
  std::string_view text;
  std::span<const int> numbers;
  const int* pointer = nullptr;
};
struct WithBuffer {
  std::vector<char> buffer;
  std::vector<std::string_view> words;
};

TEST_F(VerifyTest, NullAndEmptyViewsAreFine) {
  std::string local = kLongText;
  ExpectOk(Views{});
  ExpectOk(Views{std::string_view(local).substr(0, 0), {}, nullptr});
}

TEST_F(VerifyTest, ViewsOfImmutableStaticsAreFine) {
  ExpectOk(Views{"a literal", {&const_number, 1}, &const_number});
  ExpectOk(Views{const_text, {}, nullptr});
  ExpectOk(std::vector<const char*>{const_table[0], const_table[1], "x"});
  ExpectOk(std::vector<const char* const*>{&const_table[0]});
}

TEST_F(VerifyTest, ViewsOfOwnedBlocksAreFine) {
  WithBuffer message{{'a', 'b', ' ', 'c'}, {}};
  message.words = {{message.buffer.data(), 2}, {&message.buffer[3], 1}};
  ExpectOk(message);
  std::map<int, WithBuffer> nested;
  nested[1].buffer.resize(100);
  nested[2].words.emplace_back(nested[1].buffer.data() + 50, 50U);
  ExpectOk(nested);
  // A short string inside a block stays where it is.
  std::vector<std::pair<std::string, std::string_view>> short_ones(1);
  short_ones[0].first = "short";
  short_ones[0].second = short_ones[0].first;
  ExpectOk(short_ones);
  auto bytes = std::make_unique<char[]>(100);
  const std::string_view view(bytes.get() + 90, 10);
  ExpectOk(std::make_pair(std::move(bytes), view));
}

TEST_F(VerifyTest, HugeBlocksAreLikeOthers) {
  // Beyond what the allocator keeps in its arenas' pages; the memory is never touched.
  constexpr std::size_t kHuge = std::size_t{160} << 20;
  struct Message {
    std::unique_ptr<char[]> bytes;
    std::string_view view;
  };
  Message message{std::unique_ptr<char[]>(new char[kHuge]), {}};
  for (const std::size_t at : {std::size_t{0}, kHuge / 2, kHuge - 10}) {
    message.view = {message.bytes.get() + at, 10};
    ExpectOk(message);
  }
  const auto other = std::unique_ptr<char[]>(new char[kHuge]);
  message.view = {other.get() + kHuge / 2, 10};
  EXPECT_THAT(Only(message), StartsWith("result.view: string_view into "));
}

TEST_F(VerifyTest, ViewBeyondTheEndOfAnOwnedBlockIsRefused) {
  WithBuffer message{std::vector<char>(64), {}};
  message.words.emplace_back(message.buffer.data() + 60, 5U);
  EXPECT_THAT(Only(message), StartsWith("result.words[0]: string_view into "));
}

TEST_F(VerifyTest, ViewIntoAStackIsRefused) {
  std::array<char, 10> local{};
  std::vector<Views> orders(4);
  orders[3].text = std::string_view(local.data(), local.size());
  EXPECT_EQ(Only(orders),
            "result[3].text: string_view into the stack of isolate 'parser' (own the text: use "
            "std::string)");
  EXPECT_THROW(VerifyForSend(orders, "result"), TransferError);
}

TEST_F(VerifyTest, ViewIntoTheStackOfAnotherThreadIsRefused) {
  std::thread([] {
    const std::array<int, 4> foreign{};
    const Views views{{}, foreign, nullptr};
    std::thread([&views] { EXPECT_THAT(Only(views), HasSubstr("span into ")); }).join();
    RegisterThisThread("feed");
    std::thread([&views] {
      EXPECT_THAT(Only(views), HasSubstr("span into the stack of isolate 'feed'"));
    }).join();
  }).join();
}

TEST_F(VerifyTest, ViewIntoWritableStaticsIsRefused) {
  EXPECT_THAT(Only(Views{{}, {}, &transfer_test_writable_number}),
              AllOf(StartsWith("result.pointer: pointer into the writable static"),
                    HasSubstr("send a copy, or make it constexpr")));
  static thread_local int local_of_thread = 1;
  EXPECT_THAT(Only(Views{{}, {}, &local_of_thread}), StartsWith("result.pointer: pointer into "));
}

TEST_F(VerifyTest, ViewIntoMemoryThatStaysBehindIsRefused) {
  const std::string stays = kLongText;
  EXPECT_THAT(Only(Views{stays, {}, nullptr}),
              AllOf(HasSubstr("string_view into "), HasSubstr("std::string")));
  const auto text = std::make_unique<std::string>("in a block");
  EXPECT_THAT(Only(Views{*text, {}, nullptr}), HasSubstr("string_view into "));
}

TEST_F(VerifyTest, ViewIntoTheMessageItselfIsRefused) {
  struct Message {
    std::string name;
    std::string_view first;
  };
  Message message{"short", {}};
  message.first = std::string_view(message.name).substr(0, 3);
  EXPECT_THAT(Only(message),
              StartsWith("result.first: string_view into the message itself, which is moved"));
}

TEST_F(VerifyTest, EveryKindOfViewIsNamed) {
  int local = 1;
  int& reference = local;
  EXPECT_THAT(Only(std::tuple<int, int&>{1, reference}), StartsWith("result<1>: reference into"));
  EXPECT_THAT(Only(std::vector{std::ref(local)}), StartsWith("result[0]: reference_wrapper into"));
  EXPECT_THAT(Only(std::optional<std::span<int>>{{&local, 1}}), StartsWith("result: span into"));
  EXPECT_THAT(Only(std::variant<int, int*>{&local}), StartsWith("result: pointer into"));
}

TEST_F(VerifyTest, OfVeryManyViolationsTheFirstThousandAreListed) {
  int local = 1;
  std::vector<int*> pointers(20'000, &local);
  pointers[0] = nullptr;
  const VerifyReport report = Verify(pointers);
  ASSERT_THAT(report.violations, SizeIs(1000));
  EXPECT_EQ(report.violations.front().path, "value[1]");
  EXPECT_EQ(report.violations.back().path, "value[1000]");
  EXPECT_EQ(report.edges, 20'001U);
}

TEST_F(VerifyTest, AllViolationsOfOnePassAreListed) {
  int local = 1;
  std::vector<int*> pointers(10, &local);
  pointers[5] = nullptr;
  const VerifyReport report = Verify(pointers);
  EXPECT_THAT(report.violations, SizeIs(9));
  EXPECT_EQ(report.violations[5].path, "value[6]");
  EXPECT_EQ(report.blocks, 1U);
  EXPECT_EQ(report.bytes, 10 * sizeof(int*));
  EXPECT_EQ(report.edges, 11U);
  try {
    VerifyForSend(pointers, "message");
    FAIL();
  } catch (const TransferError& error) {
    EXPECT_THAT(error.violations(), SizeIs(9));
    EXPECT_THAT(error.what(),
                AllOf(StartsWith("message refused: message[0]: pointer into the stack of isolate"),
                      HasSubstr("; and 8 more")));
  }
}

TEST_F(VerifyTest, RefusalLeavesTheValueAlone) {
  int local = 1;
  const std::vector<std::pair<std::string, int*>> value{{kLongText, &local}};
  EXPECT_THROW(VerifyForSend(value, "message"), TransferError);
  EXPECT_EQ(value[0].first, kLongText);
  EXPECT_EQ(value[0].second, &local);
}

TEST_F(VerifyTest, TheErrorLivesInTheMainHeap) {
  SKIP_ON_PLAIN_MALLOC();
  Heap* const heap = FreshHeap();
  int local = 1;
  const std::vector<int*> pointers(100, &local);
  {
    const HeapScope scope(heap);
    EXPECT_THROW(VerifyForSend(pointers, "message"), TransferError);
    EXPECT_FALSE(Verify(pointers).ok());
  }
  ExpectEmptyAndDestroy(heap);
}

// ---- V3 ----

struct Shared {
  std::shared_ptr<std::string> a;
  std::shared_ptr<std::string> b;
  std::weak_ptr<std::string> weak;
};
struct Ring {
  std::string name;
  std::shared_ptr<Ring> next;
};

TEST_F(VerifyTest, SharedObjectsGoIfTheMessageHoldsEveryReference) {
  Shared message{std::make_shared<std::string>(kLongText), nullptr, {}};
  message.b = message.a;
  ExpectOk(message);
  ExpectOk(Shared{std::shared_ptr<std::string>(new std::string("x")), nullptr, {}});
  ExpectOk(Shared{std::shared_ptr<std::string>(std::make_unique<std::string>("x")), nullptr, {}});
  ExpectOk(std::make_pair(1, std::make_shared<const int>(1)));
  EXPECT_EQ(Verify(message).blocks, 2U);  // the object is walked once
}

TEST_F(VerifyTest, ReferenceOutsideIsRefused) {
  const auto outside = std::make_shared<std::string>(kLongText);
  EXPECT_THAT(Only(Shared{outside, outside, {}}),
              StartsWith("result.a: shared_ptr with 3 references, only 2 of them in the message"));
  EXPECT_THAT(Only(std::make_pair(1, std::shared_ptr<const std::string>(outside))),
              HasSubstr("shared_ptr with"));
}

TEST_F(VerifyTest, WeakReferencesFollowTheirOwner) {
  Shared message{std::make_shared<std::string>(kLongText), nullptr, {}};
  message.weak = message.a;
  ExpectOk(message);
  Shared expired;
  expired.weak = std::make_shared<std::string>("gone");
  ExpectOk(expired);
  const auto outside = std::make_shared<std::string>(kLongText);
  Shared leading_out;
  leading_out.weak = outside;
  EXPECT_THAT(Only(leading_out), StartsWith("result.weak: weak_ptr to an object that is not in"));
}

TEST_F(VerifyTest, WeakReferenceOutsideIsRefused) {
  // Such as an interning cache: it would find the object in the receiver's hands.
  const Shared message{std::make_shared<std::string>(kLongText), nullptr, {}};
  const std::weak_ptr<std::string> cache = message.a;
  EXPECT_THAT(Only(message), HasSubstr("a weak_ptr outside of the message"));
}

TEST_F(VerifyTest, OwnersThatHoldSomethingElseAreRefused) {
  struct Whole {
    int part = 1;
    std::string rest = kLongText;
  };
  const auto whole = std::make_shared<Whole>();
  EXPECT_THAT(Verify(std::vector{std::shared_ptr<int>(whole, &whole->part)}).violations,
              testing::Contains(Field(&Violation::what, HasSubstr("holds something else"))));
  EXPECT_THAT(Only(std::make_pair(
                  1, std::shared_ptr<std::string>(new std::string("x"),
                                                  [](const std::string* text) { delete text; }))),
              HasSubstr("holds something else"));
  int local = 1;
  EXPECT_THAT(Only(std::vector{std::shared_ptr<int>(std::shared_ptr<int>(), &local)}),
              HasSubstr("shared_ptr without owner into the stack"));
}

TEST_F(VerifyTest, CyclesEnd) {
  auto ring = std::make_shared<Ring>();
  ring->name = "first";
  ring->next = std::make_shared<Ring>();
  ring->next->next = ring;
  Ring message{"root", std::move(ring)};
  ExpectOk(message);
  message.next->next.reset();
}

TEST_F(VerifyTest, WhatSharedObjectsLeadToIsVerified) {
  int local = 1;
  const std::array message{std::make_shared<std::vector<int*>>(3, &local)};
  EXPECT_THAT(Verify(message).violations, ElementsAre(Field(&Violation::path, "value[0][0]"),
                                                      Field(&Violation::path, "value[0][1]"),
                                                      Field(&Violation::path, "value[0][2]")));
}

// ---- memory resources ----

TEST_F(VerifyTest, MemoryResourcesThatStayBehindAreRefused) {
  ExpectOk(std::pmr::string(kLongText, std::pmr::new_delete_resource()));
  std::pmr::monotonic_buffer_resource arena;
  const std::pmr::vector<int> numbers({1, 2, 3}, &arena);
  const VerifyReport report = Verify(numbers, "result");
  ASSERT_FALSE(report.ok());
  EXPECT_THAT(
      report.violations[0].ToString(),
      AllOf(StartsWith("result: std::"), HasSubstr("on a memory resource that stays behind")));
}

}  // namespace
}  // namespace isolates::internal
