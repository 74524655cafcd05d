#ifndef ISOLATES_TESTS_FUZZ_RANDOM_H_
#define ISOLATES_TESTS_FUZZ_RANDOM_H_

// Where all decisions of a graph come from: a small generator that is the same everywhere, or the
// bytes of a fuzzing engine (zeros when they are used up, so that every decision ends).

#include <cstddef>
#include <cstdint>

namespace isolates::fuzz {

constexpr std::uint64_t Mix(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15ULL;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

// The seed of one graph in a run.
constexpr std::uint64_t GraphSeed(std::uint64_t seed, std::uint64_t index) {
  return Mix(Mix(seed) ^ (index * 0xd1342543de82ef95ULL));
}

class Choices {
 public:
  explicit Choices(std::uint64_t seed) noexcept : state_(seed) {}
  Choices(const std::uint8_t* bytes, std::size_t size) noexcept
      : bytes_(bytes), end_(bytes + size) {}

  std::uint64_t Next() noexcept {
    if (bytes_ != nullptr) return NextOfBytes(sizeof(std::uint64_t));
    state_ += 0x9e3779b97f4a7c15ULL;
    return Mix(state_);
  }
  // In [0, limit); limit > 0.
  std::size_t Below(std::size_t limit) noexcept {
    if (bytes_ != nullptr) return NextOfBytes(limit <= 256 ? 1 : 4) % limit;
    return static_cast<std::size_t>((static_cast<unsigned __int128>(Next()) * limit) >> 64);
  }
  bool OneIn(std::size_t times) noexcept { return Below(times) + 1 == times; }
  bool Percent(std::size_t percent) noexcept { return Below(100) >= 100 - percent; }

 private:
  std::uint64_t NextOfBytes(std::size_t count) noexcept {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < count && bytes_ != end_; ++i) value = value << 8 | *bytes_++;
    return value;
  }

  std::uint64_t state_ = 0;
  const std::uint8_t* bytes_ = nullptr;
  const std::uint8_t* end_ = nullptr;
};

}  // namespace isolates::fuzz

#endif  // ISOLATES_TESTS_FUZZ_RANDOM_H_
