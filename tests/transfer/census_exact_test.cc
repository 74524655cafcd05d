// For each container: the blocks that the walk meets are exactly the live blocks of the heap,
// compared address by address with the allocator's own list (rule H5a).

#include <array>
#include <deque>
#include <filesystem>
#include <forward_list>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <set>
#include <stack>
#include <string>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>

#include "tests/transfer/transfer_test_util.h"

namespace isolates::internal {
namespace {

class CensusExactTest : public TransferHeapTest {
 protected:
  void SetUp() override { SKIP_ON_PLAIN_MALLOC(); }

  template <class Build>
  void Expect(Build&& build) {
    ExpectExact(std::forward<Build>(build));
  }
};

struct Pod {
  int a;
  double b;
};
struct Record {
  std::string name;
  std::vector<Record> children;
  std::unique_ptr<Record> next;
};
struct alignas(32) Wide {
  float lanes[8];
};

template <class C>
C Filled(std::size_t size) {
  C container;
  for (std::size_t i = 0; i < size; ++i) container.push_back(LongText(i));
  return container;
}

TEST_F(CensusExactTest, Strings) {
  Expect([] { return std::string("short"); });
  Expect([] { return kLongText; });
  Expect([] { return std::string(5'000'000, 'x'); });
  Expect([] { return std::u32string(100, U'x'); });
  Expect([] {
    std::string text = kLongText;
    text = "short";  // keeps its block
    return text;
  });
}

TEST_F(CensusExactTest, Vectors) {
  Expect([] { return std::vector<int>{}; });
  Expect([] { return std::vector<int>{1, 2, 3}; });
  Expect([] { return Filled<std::vector<std::string>>(1000); });
  Expect([] {
    auto texts = Filled<std::vector<std::string>>(100);
    texts.erase(texts.begin(), texts.begin() + 50);
    texts.reserve(1000);
    return texts;
  });
  Expect([] { return std::vector<bool>(12345, true); });
  Expect([] { return std::vector<bool>{}; });
  Expect([] { return std::vector<std::vector<std::vector<int>>>(10, {{1, 2}, {}, {3}}); });
}

TEST_F(CensusExactTest, Deques) {
  Expect([] { return std::deque<std::string>{}; });
  Expect([] { return Filled<std::deque<std::string>>(1); });
  Expect([] { return Filled<std::deque<std::string>>(1000); });
  Expect([] {
    auto texts = Filled<std::deque<std::string>>(500);
    for (int i = 0; i < 300; ++i) texts.pop_front();
    for (std::size_t i = 0; i < 700; ++i) texts.push_front(LongText(i));
    for (int i = 0; i < 100; ++i) texts.pop_back();
    return texts;
  });
  Expect([] { return std::deque<std::array<std::string, 20>>(10); });  // elements beyond a chunk
  Expect([] { return std::deque<char>(10'000); });
}

TEST_F(CensusExactTest, Lists) {
  Expect([] { return std::list<std::string>{}; });
  Expect([] { return Filled<std::list<std::string>>(500); });
  Expect([] { return std::list<char>(10); });
  Expect([] {
    std::forward_list<std::string> texts;
    for (std::size_t i = 0; i < 500; ++i) texts.push_front(LongText(i));
    return texts;
  });
  Expect([] { return std::forward_list<char>(10); });
}

TEST_F(CensusExactTest, Trees) {
  Expect([] { return std::map<int, int>{}; });
  Expect([] {
    std::map<std::string, std::vector<int>> map;
    for (int i = 0; i < 1000; ++i) map[LongText(static_cast<std::size_t>(i))].assign(3, i);
    for (int i = 0; i < 1000; i += 3) map.erase(LongText(static_cast<std::size_t>(i)));
    return map;
  });
  Expect([] {
    std::multimap<char, std::string> map;
    for (std::size_t i = 0; i < 100; ++i) map.emplace(static_cast<char>('a' + i % 5), LongText(i));
    return map;
  });
  Expect([] { return std::set<char>{'a', 'b'}; });
  Expect([] { return std::set<std::string, std::less<>>{kLongText, "short"}; });
  Expect([] { return std::multiset<std::string>{kLongText, kLongText}; });
}

TEST_F(CensusExactTest, HashTables) {
  Expect([] { return std::unordered_map<int, int>{}; });
  Expect([] { return std::unordered_map<int, int>{{1, 2}}; });
  Expect([] {
    std::unordered_map<int, std::string> map;
    for (int i = 0; i < 5000; ++i) map[i * 7] = LongText(static_cast<std::size_t>(i));
    return map;
  });
  Expect([] {
    std::unordered_map<std::string, std::string> map;  // caches its hash codes
    for (std::size_t i = 0; i < 500; ++i) map[LongText(i)] = LongText(i);
    map.rehash(10'000);
    return map;
  });
  Expect([] {
    std::unordered_set<std::string> set;
    for (std::size_t i = 0; i < 500; ++i) set.insert(LongText(i));
    set.clear();  // keeps its table
    return set;
  });
  Expect([] { return std::unordered_multiset<int>{1, 1, 1, 2}; });
  Expect([] { return std::unordered_multimap<int, std::string>{{1, kLongText}, {1, kLongText}}; });
}

TEST_F(CensusExactTest, Pointers) {
  Expect([] { return std::make_unique<int>(1); });
  Expect([] { return std::unique_ptr<std::string>{}; });
  Expect([] { return std::make_unique<std::string>(kLongText); });
  Expect([] { return std::make_unique<int[]>(1000); });
  Expect([] { return std::make_unique<std::string[]>(10); });
  Expect([] {
    auto texts = std::make_unique<std::string[]>(3);
    texts[2] = kLongText;
    return texts;
  });
}

TEST_F(CensusExactTest, Holders) {
  Expect([] { return std::optional<std::string>{kLongText}; });
  Expect([] { return std::optional<std::string>{}; });
  Expect([] { return std::variant<int, std::string, Record>{kLongText}; });
  Expect([] { return std::variant<int, std::string, Record>{Record{kLongText, {}, nullptr}}; });
  Expect([] { return std::tuple<int, std::string, Pod>{1, kLongText, {}}; });
  Expect([] { return std::pair<std::string, std::string>{kLongText, "x"}; });
  Expect([] { return std::array<std::string, 3>{kLongText, "x", kLongText}; });
}

TEST_F(CensusExactTest, Adapters) {
  Expect([] { return std::stack<std::string>(Filled<std::deque<std::string>>(10)); });
  Expect([] { return std::queue<std::string>(Filled<std::deque<std::string>>(10)); });
  Expect([] {
    std::priority_queue<std::string> queue;
    for (std::size_t i = 0; i < 20; ++i) queue.push(LongText(i));
    return queue;
  });
}

TEST_F(CensusExactTest, Paths) {
  using std::filesystem::path;
  Expect([] { return path(); });
  Expect([] { return path("name"); });
  Expect([] { return path("/usr/share/a directory with a name beyond the short buffer/file"); });
  Expect([] {
    path long_one("/usr/share/some/where/else/in/the/tree");
    long_one = "x";
    return long_one;
  });
  Expect([] { return std::vector<path>(3, path("/a/b/c")); });
}

TEST_F(CensusExactTest, RecursiveAggregates) {
  Expect([] {
    Record root{kLongText, {}, std::make_unique<Record>()};
    root.children.resize(10);
    for (Record& child : root.children) {
      child.name = kLongText;
      child.children.resize(5);
    }
    root.next->next = std::make_unique<Record>();
    return root;
  });
}

TEST_F(CensusExactTest, WideElementsAreKnownOrTakeTheSafeWay) {
  // Over-aligned blocks may start elsewhere than the allocator's list says: then the sets differ.
  Heap* const heap = FreshHeap();
  auto* const root = BuildIn(heap, [] {
    std::map<int, Wide> map;
    for (int i = 0; i < 100; ++i) map[i] = Wide{};
    return std::make_pair(std::move(map), std::vector<Wide>(10));
  });
  const auto owned = OwnedBlocks(*root);
  EXPECT_EQ(owned.size(), 101U);
  for (const BlockRange& block : owned) EXPECT_EQ(OwnerOf(block.start).heap, heap);
  delete root;
  ExpectEmptyAndDestroy(heap);
}

}  // namespace
}  // namespace isolates::internal
