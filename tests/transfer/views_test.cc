// Views against a plain search: where does a view lie? Random blocks as an allocator would hand
// them out; nothing behind the addresses is touched.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

#include "gtest/gtest.h"
#include "isolates/detail/transfer_views.h"

namespace isolates::internal {
namespace {

class ViewsTest : public testing::Test {
 protected:
  static const std::byte* At(std::uintptr_t address) {
    return reinterpret_cast<const std::byte*>(address);
  }

  // Blocks that do not overlap, in the order of their addresses; many touch each other.
  std::vector<BlockRange> MakeBlocks(std::size_t count, std::size_t largest_log) {
    std::vector<BlockRange> blocks;
    std::uintptr_t address = std::uintptr_t{0x20000} << 20;
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t bytes = 1 + random_() % (std::size_t{1} << (random_() % (largest_log + 1)));
      blocks.push_back({At(address), bytes});
      address += (bytes + 7) / 8 * 8;
      if (random_() % 4 == 0) address += 8 * (random_() % 100);
      if (random_() % 64 == 0) address += std::uintptr_t{1} << (random_() % 32);
    }
    return blocks;
  }

  // A view in, at the edges of, or beside some block.
  BlockRange MakeView(const std::vector<BlockRange>& blocks) {
    const BlockRange& block = blocks[random_() % blocks.size()];
    const std::size_t offset = random_() % (block.bytes + 1);
    const std::size_t rest = block.bytes - offset;
    const std::size_t bytes =
        1 + random_() % (random_() % 4 == 0 ? rest + 2 : std::min<std::size_t>(rest + 1, 8));
    const std::ptrdiff_t shift = random_() % 16 == 0 ? -1 : 0;
    return {block.start + offset + shift, bytes};
  }

  static bool LiesInOne(const std::vector<BlockRange>& sorted, const BlockRange& view) {
    auto after = std::upper_bound(
        sorted.begin(), sorted.end(), view.start,
        [](const std::byte* start, const BlockRange& block) { return start < block.start; });
    return after != sorted.begin() && (after - 1)->Holds(view.start, view.bytes);
  }

  std::mt19937_64 random_{20240501};
};

TEST_F(ViewsTest, EachViewIsFoundExactlyIfItLiesInOneBlock) {
  std::size_t inside = 0;
  std::size_t outside = 0;
  for (std::size_t round = 0; round < 300; ++round) {
    const std::size_t count = 1 + random_() % (round % 10 == 0 ? 3000 : 40);
    const std::vector<BlockRange> blocks = MakeBlocks(count, round % 24);
    std::vector<BlockRange> met = blocks;
    if (round % 3 != 0) std::shuffle(met.begin(), met.end(), random_);
    ViewBook book;
    std::vector<std::uint64_t> expected;
    // Some views are judged before all blocks are known.
    std::size_t edge = 0;
    const auto add_view = [&] {
      const BlockRange view = MakeView(blocks);
      ++edge;
      const bool in_one = LiesInOne(blocks, view);
      ++(in_one ? inside : outside);
      if (!in_one) expected.push_back(edge);
      if (book.InKnownBlock(view.start, view.bytes) || book.InRecentBlock(view.start, view.bytes)) {
        EXPECT_TRUE(in_one) << "seed of round " << round;
      } else {
        book.AddPending(view.start, view.bytes, "view", edge);
      }
    };
    for (const BlockRange& block : met) {
      book.AddBlock(block.start, block.bytes);
      if (random_() % 4 == 0) add_view();
    }
    for (std::size_t i = 0; i < 2 * count; ++i) add_view();
    std::vector<std::uint64_t> refused;
    book.Resolve([&](const PendingView& view) { refused.push_back(view.edge); });
    ASSERT_EQ(refused, expected) << "round " << round;
  }
  // Neither answer is rare.
  EXPECT_GT(inside, 10000u);
  EXPECT_GT(outside, 10000u);
}

TEST_F(ViewsTest, WithoutBlocksEveryViewIsOutside) {
  ViewBook book;
  EXPECT_FALSE(book.InKnownBlock(At(64), 1));
  EXPECT_FALSE(book.InRecentBlock(At(64), 1));
  book.AddPending(At(64), 1, "view", 7);
  std::size_t refused = 0;
  book.Resolve([&](const PendingView&) { ++refused; });
  EXPECT_EQ(refused, 1u);
}

TEST_F(ViewsTest, BlocksAtEqualDistancesDoNotSlowTheSearchDown) {
  // One block at the start of each 64 KiB: nothing but the number of probes shows whether they
  // share a place of the table. A search through all of them would take minutes.
  constexpr std::size_t kCount = 200000;
  ViewBook book;
  for (std::size_t i = 0; i < kCount; ++i) book.AddBlock(At((i + 1) << 16), 32);
  for (std::size_t i = 0; i < kCount; ++i) book.AddPending(At(((i + 1) << 16) + 8), 8, "view", i);
  std::size_t refused = 0;
  book.Resolve([&](const PendingView&) { ++refused; });
  EXPECT_EQ(refused, 0u);
}

TEST_F(ViewsTest, SizesThatWrapAroundAreOutside) {
  ViewBook book;
  book.AddBlock(At(1 << 16), 128);
  EXPECT_TRUE(book.InRecentBlock(At(1 << 16), 128));
  EXPECT_FALSE(book.InKnownBlock(At((1 << 16) + 64), ~std::size_t{0}));
  EXPECT_FALSE(book.InKnownBlock(At((1 << 16) - 1), 2));
  EXPECT_FALSE(book.InKnownBlock(At((1 << 16) + 128), 1));
}

}  // namespace
}  // namespace isolates::internal
