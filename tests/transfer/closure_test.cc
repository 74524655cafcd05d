// Rule V4: closures. Exact for trivially copyable ones, warnings for the others.

#include <array>
#include <cstddef>
#include <cstring>
#include <functional>
#include <map>
#include <new>
#include <optional>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#include "isolates/detail/threads.h"
#include "tests/transfer/transfer_test_util.h"

namespace isolates::internal {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

template <class F>
std::string Refusal(const F& function, VerifyLevel level = VerifyLevel::kDefault) {
  try {
    CheckClosure(function, "computation", level);
  } catch (const TransferError& error) {
    return error.what();
  }
  return "accepted";
}

// Leaves addresses of the stack behind on the stack, where padding and unused bytes will lie.
[[gnu::noinline]] void DirtyTheStack(int depth) {
  volatile const void* addresses[64];
  for (int i = 0; i < 64; ++i)
    addresses[i] = const_cast<const void*>(static_cast<volatile void*>(&addresses[(i * 7) % 64]));
  if (depth > 0) DirtyTheStack(depth - 1);
  asm volatile("" : : "r"(addresses) : "memory");
}

class ClosureTest : public testing::Test {
 protected:
  ClosureTest() { RegisterThisThread("parser"); }
  ~ClosureTest() override { SetHazardLookup(nullptr); }
};

TEST_F(ClosureTest, WithoutCapturesThereIsNothingToCheck) {
  EXPECT_EQ(Refusal([](int x) { return x; }), "accepted");
  EXPECT_EQ(Refusal(&DirtyTheStack), "accepted");
}

TEST_F(ClosureTest, ReferencesToTheStackAreRefused) {
  int x = 1;
  int y = 2;
  EXPECT_THAT(Refusal([&x] { return x; }),
              AllOf(StartsWith("message refused: computation: closure captures an address in the "
                               "stack of isolate 'parser': by [&]"),
                    HasSubstr("capture values")));
  EXPECT_THAT(Refusal([&] { return x + y; }), HasSubstr("[&]"));
  EXPECT_THAT(Refusal([x, p = &y] { return x + *p; }), HasSubstr("pointer"));
  const std::string_view view = "literal";
  EXPECT_EQ(Refusal([view] { return view.size(); }), "accepted");
  std::thread([&] { EXPECT_THAT(Refusal([&x] { return x; }), HasSubstr("'parser'")); }).join();
}

struct Counter {
  int count = 0;
  auto ByThis() {
    return [this] { return ++count; };
  }
  auto ByValue() const {
    return [count = count] { return count; };
  }
};

TEST_F(ClosureTest, ThisOfALocalObjectIsRefused) {
  Counter local;
  EXPECT_THAT(Refusal(local.ByThis()), HasSubstr("[this] of a local object"));
  EXPECT_EQ(Refusal(local.ByValue()), "accepted");
}

TEST_F(ClosureTest, ValuesAreAccepted) {
  const int x = 1;
  const double y = 2;
  DirtyTheStack(2);
  EXPECT_EQ(Refusal([=] { return x + y; }), "accepted");
  EXPECT_EQ(Refusal([a = std::array<long, 4>{1, 2, 3, 4}] { return a[0]; }), "accepted");
}

[[gnu::noinline]] std::string WithPadding() {
  char c = 1;
  long l = 2;
  bool b = true;
  return Refusal([c, l, b] { return c + l + static_cast<long>(b); });
}

TEST_F(ClosureTest, PaddingIsNotMistakenForACapture) {
  for (int i = 0; i < 10; ++i) {
    DirtyTheStack(i);
    EXPECT_EQ(WithPadding(), "accepted");
  }
}

// Places the closure where addresses of this stack were before.
template <class F>
std::string RefusalInDirtyMemory(const F& function) {
  constexpr std::size_t kWords = sizeof(F) / sizeof(void*) + 1;
  alignas(F) std::array<std::byte, kWords * sizeof(void*)> memory;
  const void* const here = memory.data();
  for (std::size_t i = 0; i < kWords; ++i) {
    std::memcpy(memory.data() + i * sizeof(void*), &here, sizeof(here));
  }
  // Member by member: the compiler's copy would take the padding along.
  const ValuesOf<F> values(function);
  const auto* const bytes = static_cast<const std::byte*>(values.data());
  for (std::size_t i = 0; i < sizeof(F); ++i) {
    if (bytes[i] != std::byte{}) memory[i] = bytes[i];
  }
  return Refusal(*std::launder(reinterpret_cast<const F*>(memory.data())));
}

int not_on_a_stack = 0;

struct Parts {
  char letter = 'a';
  std::array<short, 3> numbers{1, 2, 3};
  struct {
    bool flag = true;
    const void* pointer = nullptr;
  } inner;
};

TEST_F(ClosureTest, OnlyValuesAreLookedAt) {
  const Parts full{'a', {-1, -1, -1}, {true, &not_on_a_stack}};
  const auto ones = [letter = 'x', number = short{-1}, full] {
    return letter + number + full.letter;
  };
  EXPECT_EQ(RefusalInDirtyMemory(ones), "accepted");
}

struct HidesItsAddress {
  int number = 1;
  int* operator&() const { return nullptr; }  // NOLINT(google-runtime-operator)
};

// Whatever stands beside it.
TEST_F(ClosureTest, ACaptureIsFoundAmongSmallValues) {
  int x = 1;
  Parts parts;
  char letter = 'x';
  EXPECT_THAT(Refusal([letter, &x] { return letter + x; }), HasSubstr("[&]"));
  EXPECT_THAT(Refusal([letter, &parts] { return letter + parts.letter; }), HasSubstr("[&]"));
  parts.inner.pointer = &x;
  EXPECT_THAT(Refusal([letter, parts] { return letter + parts.letter; }), HasSubstr("[&]"));
  const auto inner = [letter, &x] { return letter + x; };
  EXPECT_THAT(Refusal([letter, inner] { return letter + inner(); }), HasSubstr("[&]"));
  struct Bits {
    unsigned a : 3;
    const void* pointer;
  };
  EXPECT_THAT(Refusal([letter, bits = Bits{1, &x}] { return letter + bits.a; }), HasSubstr("[&]"));
  const void* pointers[2] = {nullptr, &x};
  HidesItsAddress hides;
  EXPECT_THAT(Refusal([letter, &hides] { return letter + hides.number; }), HasSubstr("[&]"));
  volatile int restless = 1;
  EXPECT_THAT(Refusal([letter, &restless] { return letter + restless; }), HasSubstr("[&]"));
  EXPECT_EQ(Refusal([letter, hides] { return letter + hides.number; }), "accepted");
  EXPECT_THAT(Refusal([letter, pointers] { return letter + (pointers[0] == nullptr ? 1 : 0); }),
              HasSubstr("[&]"));
}

Counter hazardous;

TEST_F(ClosureTest, FramesAndIsolatesAreRefusedByName) {
  SetHazardLookup([](const void* address) noexcept -> const char* {
    return address == &hazardous ? "an isolate" : nullptr;
  });
  EXPECT_THAT(Refusal(hazardous.ByThis()),
              AllOf(HasSubstr("closure captures the address of an isolate: by [this]"),
                    HasSubstr("capture the members that are needed by value")));
  SetHazardLookup(nullptr);
  EXPECT_EQ(Refusal(hazardous.ByThis()), "accepted");
}

TEST_F(ClosureTest, OwnedCapturesAreFine) {
  const std::string short_text = "ab";  // points into itself
  const std::map<int, int> empty;       // so does this
  const std::vector<int> numbers{1, 2, 3};
  // (Unused bytes of a short string can look like a capture: that would be a warning, no more.)
  EXPECT_EQ(Refusal([short_text] { return short_text.size(); }), "accepted");
  EXPECT_EQ(Refusal([empty] { return empty.size(); }), "accepted");
  EXPECT_EQ(Refusal([numbers] { return numbers.size(); }), "accepted");
}

TEST_F(ClosureTest, AHitBesideOwnedCapturesIsAWarning) {
  int local = 1;
  const std::string text = kLongText;
  const auto suspicious = [text, &local] { return text.size() + static_cast<std::size_t>(local); };
  static_assert(!std::is_trivially_copyable_v<decltype(suspicious)>);
  const std::uint64_t before = closure_warnings();
  EXPECT_EQ(Refusal(suspicious), "accepted");
  EXPECT_EQ(closure_warnings(), before + 1);
  EXPECT_THAT(Refusal(suspicious, VerifyLevel::kAlways), HasSubstr("stack of isolate 'parser'"));
}

TEST_F(ClosureTest, StdFunctionIsLookedAtLikeAClosure) {
  int local = 1;
  const std::function<int()> by_reference = [&local] { return local; };
  EXPECT_THAT(Refusal(by_reference, VerifyLevel::kAlways), HasSubstr("stack of isolate"));
  EXPECT_EQ(Refusal(std::function<int()>([] { return 1; })), "accepted");
}

TEST_F(ClosureTest, ClosuresInsideMessagesAreFoundByPath) {
  int local = 1;
  const auto closure = [&local] { return local; };
  struct Message {
    std::string name;
    std::vector<std::remove_const_t<decltype(closure)>> callbacks;
  };
  const Message message{"x", {closure}};
  const VerifyReport report = Verify(message);
  ASSERT_EQ(report.violations.size(), 1U);
  EXPECT_EQ(report.violations[0].path, "value.callbacks[0]");
}

TEST_F(ClosureTest, FunctionObjectsWithMembersAreMessages) {
  struct Job {
    std::string name;
    const int* where;
    int operator()() const { return *where; }
  };
  const int local = 1;
  EXPECT_THAT(Refusal(Job{"x", &local}), HasSubstr("computation.where: pointer into the stack"));
}

}  // namespace
}  // namespace isolates::internal
