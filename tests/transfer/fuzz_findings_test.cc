// What the fuzzer (tests/fuzz) has found. Each test tells the story of one finding.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/transfer/transfer_test_util.h"

namespace isolates::internal {
namespace {

// An aggregate with a closure inside of an optional did not compile with g++: the reflection's
// "converts to anything" was declared and not defined, and g++ asks for the definition where the
// type is a local one.
inline auto Adder(int number) {
  return [number](int other) { return number + other; };
}
struct Job {
  std::string name;
  std::optional<decltype(Adder(0))> step;
};

TEST(FuzzFindingsTest, AnAggregateMayHoldAClosureInAnOptional) {
  const Job job{"add", Adder(1)};
  EXPECT_TRUE(Verify(job).ok());
  EXPECT_EQ(kTransferClass<Job>, TransferClass::kChecked);
}

// mimalloc names the heap of any address inside of a block, so an owning pointer into the middle of
// a block passed for one to its start (rule V1) unless it was misaligned. The strict level asks for
// the rest of the block now.
TEST(FuzzFindingsTest, AnOwningPointerIntoTheMiddleOfABlockIsRefused) {
  // Plain malloc alone cannot tell blocks from other memory.
  SKIP_ON_PLAIN_MALLOC();
  for (const std::size_t words : {4U, 100U, 512U, 4000U, 100'000U}) {
    std::vector<long> numbers(words, 7);
    for (std::size_t at = 1; at < words; at = at * 3 + 1) {
      // Where an over-aligned block could start, the allocator cannot tell.
      if (reinterpret_cast<std::uintptr_t>(&numbers[at]) % (2 * alignof(std::max_align_t)) == 0) {
        continue;
      }
      std::unique_ptr<long> interior(&numbers[at]);
      const VerifyReport report = Verify(interior);
      EXPECT_EQ(report.violations.size(), 1U) << words << ' ' << at;
      EXPECT_THROW(VerifyForSend(interior, "message", VerifyLevel::kAlways), TransferError);
      (void)interior.release();
    }
  }
}

// The walk asks the allocator once for each piece of memory: neighbours of a block for which it has
// asked must be looked at as closely as the first one.
TEST(FuzzFindingsTest, AnOwningPointerIntoTheMiddleOfABlockIsRefusedAmongSoundOnes) {
  SKIP_ON_PLAIN_MALLOC();
  std::size_t looked_at = 0;
  for (const std::size_t words : {2U, 3U, 5U, 6U, 9U, 10U, 14U, 20U, 60U, 500U}) {
    std::vector<std::vector<long>> rows;
    for (int i = 0; i < 200; ++i) rows.emplace_back(words, 7);
    std::vector<std::unique_ptr<long>> owners;
    for (auto& row : rows) owners.emplace_back(row.data());
    EXPECT_NO_THROW(VerifyForSend(owners, "message", VerifyLevel::kAlways)) << words;
    for (std::size_t at = 1; at < words; ++at) {
      long* const interior = &rows[150][at];
      if (reinterpret_cast<std::uintptr_t>(interior) % kOverAlignment == 0) continue;
      ++looked_at;
      (void)owners[199].release();
      owners[199].reset(interior);
      EXPECT_THROW(VerifyForSend(owners, "message", VerifyLevel::kAlways), TransferError)
          << words << ' ' << at;
    }
    for (auto& owner : owners) (void)owner.release();
  }
  EXPECT_GT(looked_at, 100U);
}

struct alignas(64) Wide {
  long lanes[8];
};

TEST(FuzzFindingsTest, StartsOfBlocksOfAllSizesAreAccepted) {
  std::vector<std::unique_ptr<std::string>> texts;
  for (std::size_t i = 0; i < 3000; ++i) texts.push_back(std::make_unique<std::string>(i, 'x'));
  for (const std::size_t bytes : {100'000U, 1'000'000U, 40'000'000U}) {
    texts.push_back(std::make_unique<std::string>(bytes, 'x'));
  }
  EXPECT_TRUE(Verify(texts).ok());
  std::vector<std::unique_ptr<Wide>> wide;
  for (int i = 0; i < 300; ++i) wide.push_back(std::make_unique<Wide>());
  EXPECT_TRUE(Verify(wide).ok());
}

// The length of an array behind a unique_ptr stands in front of its elements. clang's
// AddressSanitizer took the walk's look at it for an overflow and ended the program.
TEST(FuzzFindingsTest, TheLengthOfAnArrayMayBeReadUnderAddressSanitizer) {
  auto texts = std::make_unique<std::string[]>(5);
  texts[4] = kLongText;
  const std::pair<std::unique_ptr<std::string[]>, std::string_view> message(std::move(texts),
                                                                            std::string_view());
  EXPECT_TRUE(Verify(message).ok());
  EXPECT_EQ(Verify(message).blocks, 2U);
  EXPECT_EQ(OwnedBlocks(message.first).size(), 2U);
}

}  // namespace
}  // namespace isolates::internal
