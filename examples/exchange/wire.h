// Numbers as the files of the exchange have them: little endian, whatever the machine has.

#ifndef ISOLATES_EXAMPLES_EXCHANGE_WIRE_H_
#define ISOLATES_EXAMPLES_EXCHANGE_WIRE_H_

#include <concepts>
#include <cstddef>
#include <cstdint>

namespace exchange {

// Writes numbers one after the other into bytes that are long enough.
class WireWriter {
 public:
  explicit WireWriter(std::byte* to) noexcept : at_(to) {}

  template <std::unsigned_integral Number>
  WireWriter& Put(Number number) noexcept {
    for (std::size_t i = 0; i < sizeof(Number); ++i) {
      *at_++ = static_cast<std::byte>(static_cast<std::uint64_t>(number) >> (8 * i));
    }
    return *this;
  }

 private:
  std::byte* at_;
};

class WireReader {
 public:
  explicit WireReader(const std::byte* from) noexcept : at_(from) {}

  template <std::unsigned_integral Number>
  Number Get() noexcept {
    std::uint64_t number = 0;
    for (std::size_t i = 0; i < sizeof(Number); ++i) {
      number |= static_cast<std::uint64_t>(*at_++) << (8 * i);
    }
    return static_cast<Number>(number);
  }

 private:
  const std::byte* at_;
};

}  // namespace exchange

#endif  // ISOLATES_EXAMPLES_EXCHANGE_WIRE_H_
