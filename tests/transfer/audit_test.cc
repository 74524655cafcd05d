// The audit of writable globals, each kind planted on purpose.

#include "isolates/audit.h"

#include <array>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <forward_list>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <memory_resource>
#include <optional>
#include <queue>
#include <set>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <typeindex>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>

#include "isolates/detail/threads.h"
#include "tests/transfer/transfer_test_util.h"

namespace isolates::internal {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::SizeIs;
using testing::StartsWith;

std::array<int, 16> g_table{1};
int g_counter = 1;
thread_local int t_counter = 1;
constexpr int kConstant = 1;
const char* const kNames[] = {"one", "two"};

class AuditTest : public TransferHeapTest {
 protected:
  void SetUp() override { RegisterThisThread("parser"); }
  // The texts of all findings.
  template <class T>
  static std::string Text(const T& value) {
    return AuditGlobals(value).ToString();
  }
};

struct Job {
  std::string name;
  const int* counter = nullptr;
};

// Its author promised too much: what it keeps as a number nobody walks.
class Secretive {
 public:
  explicit Secretive(int* cache) : cache_(reinterpret_cast<std::uintptr_t>(cache)) {}

 private:
  [[maybe_unused]] std::uintptr_t cache_;
  std::uint64_t number_ = 0;

 public:
  using IsolatesMembers = Members<&Secretive::cache_, &Secretive::number_>;
};

struct WithVirtual final {
  virtual ~WithVirtual() = default;
  std::string text = kLongText;

  using IsolatesMembers = Members<&WithVirtual::text>;
};

TEST_F(AuditTest, ADeclaredEdgeIsNamedByItsMember) {
  const std::vector<Job> jobs{{"a", nullptr}, {"b", &g_counter}};
  const AuditReport report = AuditGlobals(jobs, "jobs");
  ASSERT_THAT(report.findings, SizeIs(1));
  const AuditFinding& finding = report.findings[0];
  EXPECT_EQ(finding.path, "jobs[1].counter");
  EXPECT_EQ(finding.kind, AuditKind::kEdge);
  EXPECT_EQ(finding.symbol, "isolates::internal::g_counter");
  EXPECT_EQ(finding.bytes, SymbolBytes(g_counter));
  // (clang writes a space before the star.)
  EXPECT_THAT(finding.ToString(),
              MatchesRegex("jobs\\[1\\]\\.counter: const int ?\\* leads to the writable static "
                           "`isolates::internal::g_counter` \\(" +
                           std::to_string(SymbolBytes(g_counter)) + " bytes\\)"));
  EXPECT_FALSE(report.ok());
}

TEST_F(AuditTest, AWordThatATypeHidesIsFoundInItsBlock) {
  std::vector<Secretive> items;
  items.emplace_back(nullptr);
  items.emplace_back(&g_table[2]);
  EXPECT_TRUE(Verify(items).ok());  // the verification believes the type
  const AuditReport report = AuditGlobals(items, "items");
  ASSERT_THAT(report.findings, SizeIs(1));
  EXPECT_EQ(report.findings[0].kind, AuditKind::kWordOfBlock);
  EXPECT_EQ(report.findings[0].path, "items");
  EXPECT_EQ(report.findings[0].offset, sizeof(Secretive));
  EXPECT_EQ(report.findings[0].bytes, SymbolBytes(g_table));
  EXPECT_THAT(report.ToString(), AllOf(StartsWith("items: a word of the block of std::vector<"),
                                       HasSubstr("Secretive>, at byte 16, leads to ")));
  EXPECT_THAT(report.ToString(),
              HasSubstr("g_table` + 8 (" + std::to_string(SymbolBytes(g_table)) + " bytes)\n"));
}

// It reports and does not judge.
TEST_F(AuditTest, ItRaisesNoWarnings) {
  const auto suspicious = [text = std::string(kLongText), local = &g_counter,
                           here = static_cast<const void*>(this)] {
    return text.size() + static_cast<std::size_t>(*local) + (here == nullptr ? 1 : 0);
  };
  int on_the_stack = 1;
  const auto also = [suspicious, &on_the_stack] {
    return suspicious() + static_cast<std::size_t>(on_the_stack);
  };
  const std::uint64_t before = closure_warnings();
  EXPECT_FALSE(AuditGlobals(also).ok());
  EXPECT_EQ(closure_warnings(), before);
}

TEST_F(AuditTest, DeepBlocksHaveTheirPath) {
  std::map<int, std::unique_ptr<Secretive>> items;
  items[7] = std::make_unique<Secretive>(&g_counter);
  const AuditReport report = AuditGlobals(items, "items");
  ASSERT_THAT(report.findings, SizeIs(1));
  EXPECT_EQ(report.findings[0].path, "items[0].second");
}

TEST_F(AuditTest, TheValueItselfIsScanned) {
  const auto closure = [p = &g_counter] { return *p; };
  EXPECT_THAT(Text(closure),
              AllOf(StartsWith("value: a word of "), HasSubstr(", at byte 0, leads to ")));
  EXPECT_THAT(Text(closure), HasSubstr("g_counter`"));
  const std::function<int()> function = closure;
  EXPECT_THAT(Text(function), HasSubstr("g_counter`"));
  EXPECT_THAT(Text(Secretive(&g_counter)), HasSubstr("g_counter`"));
  // Too big for the function object: in a block.
  const std::function<int()> big = [p = &g_counter, more = std::array<int, 10>{}] {
    return *p + more[0];
  };
  EXPECT_THAT(Text(big),
              AllOf(StartsWith("value: a word of the block of "), HasSubstr("g_counter`")));
}

TEST_F(AuditTest, ThreadLocalsAreFoundAlsoThoseOfOtherThreads) {
  EXPECT_THAT(Text(Job{"", &t_counter}),
              HasSubstr("the thread_local `isolates::internal::t_counter` of isolate 'parser'"));
  const Secretive hidden(&t_counter);
  std::thread([&hidden] {
    RegisterThisThread("feed");
    EXPECT_THAT(Text(hidden), HasSubstr("t_counter` of isolate 'parser'"));
  }).join();
}

TEST_F(AuditTest, EveryHiddenWordIsListedBesideADeclaredOne) {
  std::vector<std::variant<Job, Secretive>> mixed;
  mixed.emplace_back(Job{"", &g_counter});
  mixed.emplace_back(Secretive(&g_counter));
  mixed.emplace_back(Secretive(&g_counter));
  EXPECT_THAT(AuditGlobals(mixed).findings, SizeIs(3));
}

TEST_F(AuditTest, ItRefusesNothingAndCounts) {
  const std::vector<int> numbers(100);
  const AuditReport report = AuditGlobals(numbers);
  EXPECT_TRUE(report.ok());
  EXPECT_EQ(report.ToString(), "");
  EXPECT_EQ(report.blocks, 1U);
  EXPECT_EQ(report.words, (100 * sizeof(int) + sizeof(numbers)) / sizeof(void*));
}

TEST_F(AuditTest, ConstantsAndVtablesAreNoFindings) {
  EXPECT_EQ(Text(Job{"", &kConstant}), "");
  EXPECT_EQ(Text(std::vector<const char*>{"literal", kNames[1]}), "");
  EXPECT_EQ(Text(std::vector<const char* const*>{&kNames[0]}), "");
  EXPECT_EQ(Text(std::vector<WithVirtual>(3)), "");
  EXPECT_EQ(Text(std::make_unique<WithVirtual>()), "");
  EXPECT_EQ(Text(std::pair(1, std::make_shared<int>(1))), "");
  EXPECT_EQ(Text(+[] { return 1; }), "");
  EXPECT_EQ(Text(std::function<int()>([] { return 1; })), "");
  EXPECT_EQ(Text(std::type_index(typeid(int))), "");
}

// What libstdc++ shares between its empty objects. (On the heap and with `()`, which clears them
// first: the unused bytes of a short string may hold left-overs.)
TEST_F(AuditTest, EmptyStandardObjectsAreNoFindings) {
  struct Everything {
    std::string text;
    std::filesystem::path path;
    std::vector<int> vector;
    std::vector<bool> bits;
    std::list<int> list;
    std::forward_list<int> forward;
    std::map<int, int> map;
    std::set<std::string> set;
    std::unordered_map<int, std::string> hash;
    std::unordered_set<int> hash_set;
    std::priority_queue<int> priority;
    std::function<void()> function;
    std::shared_ptr<int> shared;
    std::optional<std::string> optional;
    std::variant<std::monostate, std::string> variant;
    std::error_code code;
    std::error_code other_code = std::make_error_code(std::errc::invalid_argument);
  };
  EXPECT_EQ(Text(*std::make_unique<Everything>()), "");
  EXPECT_EQ(Text(std::vector<Everything>(3)), "");
  const std::pmr::vector<std::pmr::vector<int>> pmr(2, std::pmr::new_delete_resource());
  EXPECT_EQ(Text(pmr), "");
}

// They have blocks of which little is used: what else they hold is what was there before.
TEST_F(AuditTest, EmptyDequesInFreshMemoryAreNoFindings) {
  SKIP_ON_PLAIN_MALLOC();
  Heap* const heap = FreshHeap();
  auto* const deques = BuildIn(heap, [] { return std::array<std::deque<int>, 3>(); });
  EXPECT_EQ(Text(*deques), "");
  delete deques;
  auto* const queue = BuildIn(heap, [] { return std::queue<std::string>(); });
  EXPECT_EQ(Text(*queue), "");
  delete queue;
  ExpectEmptyAndDestroy(heap);
}

TEST_F(AuditTest, TheReportIsBuiltInTheMainHeap) {
  SKIP_ON_PLAIN_MALLOC();
  Heap* const heap = FreshHeap();
  {
    const HeapScope scope(heap);
    const Secretive hidden(&g_counter);
    EXPECT_FALSE(AuditGlobals(hidden).ok());
  }
  ExpectEmptyAndDestroy(heap);
}

}  // namespace
}  // namespace isolates::internal
