// Boost's containers: every block is met, what they hold is judged, pools are refused.

#include "isolates/adapters/boost_container.h"

#include <array>
#include <cstddef>
#include <functional>
#include <iterator>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include <boost/container/adaptive_pool.hpp>
#include <boost/container/deque.hpp>
#include <boost/container/flat_map.hpp>
#include <boost/container/flat_set.hpp>
#include <boost/container/list.hpp>
#include <boost/container/map.hpp>
#include <boost/container/node_allocator.hpp>
#include <boost/container/pmr/vector.hpp>
#include <boost/container/set.hpp>
#include <boost/container/slist.hpp>
#include <boost/container/small_vector.hpp>
#include <boost/container/stable_vector.hpp>
#include <boost/container/static_vector.hpp>
#include <boost/container/string.hpp>
#include <boost/container/vector.hpp>

#include "isolates/detail/transfer_moves.h"
#include "tests/transfer/transfer_test_util.h"

namespace isolates::internal {
namespace {

namespace bc = boost::container;

// Has a destructor, so it has no move: it is copied.
struct Copied {
  std::string text;
  std::string_view view;
  ~Copied() {}  // NOLINT(modernize-use-equals-default): that is the point
};

class BoostContainerTest : public TransferHeapTest {};

class BoostExactTest : public BoostContainerTest {
 protected:
  void SetUp() override { SKIP_ON_PLAIN_MALLOC(); }

  // Empty, one, many, after growth and shrinking, cleared, moved from: blocks that a container
  // keeps in reserve are its own, too.
  template <class C>
  void ExpectSequence() {
    const auto fill = [](std::size_t count) {
      C container;
      for (std::size_t i = 0; i < count; ++i) container.push_back(Element<C>(i));
      return container;
    };
    for (const std::size_t count : {0, 1, 2, 3, 4, 5, 100, 1000}) {
      this->ExpectExact([&fill, count] { return fill(count); });
    }
    this->ExpectExact([&fill] {
      C container = fill(200);
      container.erase(container.begin(), std::next(container.begin(), 150));
      for (std::size_t i = 0; i < 20; ++i) container.push_back(Element<C>(i));
      return container;
    });
    this->ExpectExact([&fill] {
      C container = fill(200);
      container.clear();
      return container;
    });
    // (A pair moves or copies, as the container does.)
    this->ExpectExact([&fill] {
      C from = fill(50);
      C to = std::move(from);
      from = fill(3);
      std::swap(from, to);
      return std::array<C, 2>{std::move(from), std::move(to)};
    });
  }
  template <class C>
  void ExpectSet() {
    this->ExpectExact([] { return C(); });
    this->ExpectExact([] {
      C container;
      for (std::size_t i = 0; i < 300; ++i) container.insert(Element<C>(i % 200));
      return container;
    });
    this->ExpectExact([] {
      C container;
      for (std::size_t i = 0; i < 100; ++i) container.insert(Element<C>(i));
      for (std::size_t i = 0; i < 90; ++i) container.erase(container.begin());
      return std::vector<C>(2, container);
    });
  }

  template <class C>
  static typename C::value_type Element(std::size_t number) {
    return Make(static_cast<typename C::value_type*>(nullptr), number);
  }
  static std::string Make(const std::string*, std::size_t number) { return LongText(number); }
  static char Make(const char*, std::size_t number) { return static_cast<char>(number); }
  static long double Make(const long double*, std::size_t number) {
    return static_cast<long double>(number);
  }
  template <class K, class V>
  static std::pair<K, V> Make(const std::pair<K, V>*, std::size_t number) {
    return {Make(static_cast<std::remove_const_t<K>*>(nullptr), number),
            Make(static_cast<V*>(nullptr), number)};
  }
};

TEST_F(BoostExactTest, Vectors) {
  ExpectSequence<bc::vector<std::string>>();
  ExpectSequence<bc::vector<char>>();
  ExpectSequence<bc::vector<std::string, std::allocator<std::string>>>();
  using ShortSize = bc::vector_options<bc::stored_size<unsigned char>>::type;
  ExpectExact([] { return bc::vector<std::string, void, ShortSize>(100, kLongText); });
  ExpectExact([] { return bc::vector<bool>(1000, true); });
}

TEST_F(BoostExactTest, SmallAndStaticVectors) {
  ExpectSequence<bc::small_vector<std::string, 4>>();
  ExpectSequence<bc::small_vector<char, 4>>();
  ExpectSequence<bc::small_vector<std::string, 0>>();
  ExpectSequence<bc::small_vector<std::string, 3, std::allocator<std::string>>>();
  ExpectExact([] { return bc::static_vector<std::string, 10>(7, kLongText); });
  ExpectExact([] { return bc::static_vector<std::string, 10>(); });
  ExpectExact([] {
    bc::small_vector<bc::small_vector<std::string, 2>, 2> outer(5);
    outer[0].assign(2, kLongText);
    outer[4].assign(3, kLongText);
    return outer;
  });
}

TEST_F(BoostExactTest, Strings) {
  ExpectExact([] { return bc::string(); });
  ExpectExact([] { return bc::string("short"); });
  ExpectExact([] { return bc::string(kLongText.c_str()); });
  ExpectExact([] { return bc::string(5'000'000, 'x'); });
  ExpectExact([] { return bc::wstring(100, L'x'); });
  // Around the length at which the text leaves the object.
  for (std::size_t size = 15; size < 35; ++size) {
    ExpectExact([size] { return bc::string(size, 'x'); });
  }
  ExpectExact([] {
    bc::string text(kLongText.c_str());
    text = "short";  // keeps its block
    return text;
  });
}

TEST_F(BoostExactTest, FlatSetsAndMaps) {
  ExpectSet<bc::flat_set<std::string>>();
  ExpectSet<bc::flat_set<std::string, std::greater<std::string>>>();
  // (No erasures here: Boost 1.81 leaks the text of a boost string that is erased from a vector.)
  ExpectExact([] {
    bc::flat_map<bc::string, bc::string> map;
    for (std::size_t i = 0; i < 100; ++i) {
      map.emplace(LongText(i).c_str(), LongText(i).c_str());
    }
    return map;
  });
  ExpectSet<bc::flat_multiset<std::string>>();
  ExpectSet<bc::flat_map<std::string, std::string>>();
  ExpectSet<bc::flat_multimap<char, std::string>>();
  ExpectSet<bc::small_flat_set<std::string, 20>>();
  ExpectSet<bc::small_flat_map<std::string, std::string, 20>>();
  ExpectSet<bc::flat_set<std::string, std::less<std::string>, std::vector<std::string>>>();
}

TEST_F(BoostExactTest, Lists) {
  ExpectSequence<bc::list<std::string>>();
  ExpectSequence<bc::list<char>>();
  ExpectSequence<bc::list<long double>>();
  const auto fill = [](auto list) {
    for (std::size_t i = 0; i < 500; ++i) {
      list.push_front(Element<decltype(list)>(i));
    }
    return list;
  };
  ExpectExact([&fill] { return fill(bc::slist<std::string>()); });
  ExpectExact([&fill] { return fill(bc::slist<char>()); });
  ExpectExact([] { return bc::slist<long double>(); });
}

TEST_F(BoostExactTest, Trees) {
  ExpectSet<bc::set<std::string>>();
  ExpectSet<bc::set<char>>();
  ExpectSet<bc::set<long double>>();
  ExpectSet<bc::multiset<std::string>>();
  ExpectSet<bc::map<std::string, std::string>>();
  ExpectSet<bc::multimap<char, long double>>();
  using Avl = bc::tree_assoc_options<bc::tree_type<bc::avl_tree>>::type;
  using Unpacked = bc::tree_assoc_options<bc::optimize_size<false>>::type;
  using Splay = bc::tree_assoc_options<bc::tree_type<bc::splay_tree>>::type;
  ExpectSet<bc::map<std::string, std::string, std::less<std::string>, void, Avl>>();
  ExpectSet<bc::map<char, char, std::less<char>, void, Unpacked>>();
  ExpectSet<bc::set<std::string, std::less<std::string>, void, Splay>>();
}

TEST_F(BoostExactTest, Deques) {
  ExpectSequence<bc::deque<std::string>>();
  ExpectSequence<bc::deque<char>>();
  using Small = bc::deque_options<bc::block_size<4>>::type;
  ExpectSequence<bc::deque<std::string, void, Small>>();
  ExpectExact([] {
    bc::deque<std::string> texts;
    for (std::size_t i = 0; i < 700; ++i) texts.push_front(LongText(i));
    for (int i = 0; i < 100; ++i) texts.pop_back();
    return texts;
  });
  ExpectExact([] { return bc::deque<std::array<std::string, 20>>(10); });
}

TEST_F(BoostExactTest, StableVectors) {
  ExpectSequence<bc::stable_vector<std::string>>();
  ExpectSequence<bc::stable_vector<char>>();
  ExpectSequence<bc::stable_vector<long double>>();
  ExpectExact([] {
    bc::stable_vector<std::string> texts;
    texts.reserve(100);  // nodes in reserve
    texts.push_back(kLongText);
    return texts;
  });
  ExpectExact([] {
    bc::stable_vector<std::string> texts(100, kLongText);
    texts.resize(3);
    texts.shrink_to_fit();
    return texts;
  });
}

struct Tree {
  bc::string name;
  bc::vector<Tree> children;
  bc::small_vector<std::string, 2> tags;
  bc::flat_map<bc::string, bc::stable_vector<int>> table;
};

Tree MakeTree(int depth) {
  Tree tree;
  tree.name = kLongText.c_str();
  tree.tags.assign(static_cast<std::size_t>(depth), kLongText);
  tree.table["a"].assign(3, depth);
  for (int i = 0; depth > 0 && i < 3; ++i) tree.children.push_back(MakeTree(depth - 1));
  return tree;
}

TEST_F(BoostExactTest, RecursiveAggregates) {
  ExpectExact([] { return MakeTree(4); });
}

template <class T>
inline constexpr bool kOwnedAndDroppable =
    kTransferClass<T> == TransferClass::kOwned && kRegionDroppable<T>;

TEST_F(BoostContainerTest, AreOwnedAndDroppable) {
  static_assert(kOwnedAndDroppable<bc::vector<int>>);
  static_assert(kOwnedAndDroppable<bc::small_vector<int, 3>>);
  // Elements in place are moved one by one, which may be copies.
  static_assert(kLooksAgain<bc::small_vector<Copied, 2>> && !kLooksAgain<bc::vector<Copied>>);
  static_assert(kLooksAgain<bc::static_vector<Copied, 2>>);
  static_assert(
      kLooksAgain<
          bc::flat_map<int, Copied, std::less<int>, bc::small_vector<std::pair<int, Copied>, 2>>>);
  static_assert(!kLooksAgain<bc::small_vector<std::string_view, 2>>);
  static_assert(kOwnedAndDroppable<bc::string>);
  static_assert(kOwnedAndDroppable<bc::flat_map<bc::string, int>>);
  static_assert(kOwnedAndDroppable<bc::deque<bc::list<bc::set<int>>>>);
  static_assert(kOwnedAndDroppable<bc::stable_vector<bc::slist<bc::map<int, std::string>>>>);
  static_assert(kOwnedAndDroppable<Tree>);
  static_assert(kTransferClass<bc::static_vector<int, 3>> == TransferClass::kPlain);
  static_assert(kRegionDroppable<bc::static_vector<int, 3>>);
}

struct CountingLess {
  int calls = 0;
  bool operator()(int a, int b) const { return a < b; }
};

TEST_F(BoostContainerTest, MayBeFrozen) {
  static_assert(Freezable<Tree>);
  static_assert(Freezable<bc::deque<bc::list<bc::set<int>>>>);
  static_assert(!Freezable<bc::vector<std::unique_ptr<int>>>);
  static_assert(Transferable<bc::set<int, CountingLess>> && !Freezable<bc::set<int, CountingLess>>);
  static_assert(!Freezable<bc::flat_set<int, CountingLess>>);
}

// What a container holds decides, too.
TEST_F(BoostContainerTest, ElementsAreJudged) {
  using Shared = std::shared_ptr<int>;
  static_assert(kTransferClass<bc::vector<Shared>> == TransferClass::kChecked);
  static_assert(!kRegionDroppable<bc::vector<Shared>>);
  static_assert(!kRegionDroppable<bc::small_flat_map<int, Shared, 4>>);
  static_assert(kTransferClass<bc::static_vector<const char*, 2>> == TransferClass::kChecked);
  static_assert(!Transferable<bc::list<std::thread>>);
}

struct PointingLess {
  const int* order;
  bool operator()(int a, int b) const { return a < b; }
};

// Memory that is shared between containers, or that somebody else gives back.
TEST_F(BoostContainerTest, PoolsAndResourcesAreRefused) {
  static_assert(!Transferable<bc::list<int, bc::adaptive_pool<int>>>);
  static_assert(!Transferable<bc::list<int, bc::node_allocator<int>>>);
  static_assert(!Transferable<bc::pmr::vector<int>>);
  static_assert(!Transferable<bc::small_vector<int, 2, bc::pmr::polymorphic_allocator<int>>>);
  static_assert(!Transferable<bc::flat_set<int, std::less<int>, bc::adaptive_pool<int>>>);
  static_assert(!Transferable<bc::set<int, PointingLess>>);
  static_assert(!Transferable<bc::flat_set<int, PointingLess>>);
  static_assert(TransferTraits<bc::pmr::vector<int>>::kRemedy == "use the default allocator");
}

struct Viewed {
  bc::small_vector<int, 4> inside{1, 2, 3};
  bc::small_vector<int, 4> outside{1, 2, 3, 4, 5};
  bc::static_vector<int, 4> fixed{1, 2, 3};
  bc::string text = "short";
  std::span<const int> view;
  std::string_view text_view;
};

// Elements that are in the object move with it.
TEST_F(BoostContainerTest, ViewsOfElementsInsideTheRootAreRefused) {
  Viewed root;
  root.view = root.outside;
  EXPECT_TRUE(Verify(root).ok());
  for (const std::span<const int> inside :
       {std::span<const int>(root.inside), std::span<const int>(root.fixed)}) {
    root.view = inside;
    const VerifyReport report = Verify(root);
    ASSERT_EQ(report.violations.size(), 1U);
    EXPECT_EQ(report.violations[0].path, "value.view");
  }
  root.view = {};
  root.text_view = {root.text.data(), root.text.size()};
  EXPECT_FALSE(Verify(root).ok());
}

// In an element of a vector they stay where they are, and so they do in a parcel.
TEST_F(BoostContainerTest, ViewsOfElementsInsideOtherBlocksAreFine) {
  bc::vector<Viewed> all(3);
  all[0].view = all[2].inside;
  all[1].view = all[0].fixed;
  all[2].text_view = {all[1].text.data(), all[1].text.size()};
  EXPECT_TRUE(Verify(all).ok());
  const std::array<int, 2> local{1, 2};
  all[1].view = local;
  ASSERT_EQ(Verify(all).violations.size(), 1U);
  EXPECT_EQ(Verify(all).violations[0].path, "value[1].view");

  Heap* const heap = FreshHeap();
  auto* const root = BuildIn(heap, [] { return Viewed(); });
  root->view = root->inside;
  root->text_view = {root->text.data(), root->text.size()};
  auto parcel = SealParcel(heap, root, heap->is_parcel());
  EXPECT_EQ(parcel.receipt().droppable, allocator() == Allocator::kMimalloc)
      << ToString(parcel.receipt().reason);
  EXPECT_EQ(parcel->view[2], 3);
  EXPECT_EQ(parcel->text_view, "short");
}

TEST_F(BoostContainerTest, StraysKeepParcelsFromBeingDroppedWhole) {
  SKIP_ON_PLAIN_MALLOC();
  std::unique_ptr<bc::string> stray;
  Heap* const heap = FreshHeap();
  auto* const root = BuildIn(heap, [&stray] {
    stray = std::make_unique<bc::string>(kLongText.c_str());
    return MakeTree(2);
  });
  auto parcel = SealParcel(heap, root, heap->is_parcel());
  EXPECT_EQ(parcel.receipt().reason, DropReason::kStrays);
  EXPECT_EQ(parcel.receipt().stray_blocks, 2U);
  EXPECT_EQ(parcel->children.size(), 3U);
}

}  // namespace
}  // namespace isolates::internal
