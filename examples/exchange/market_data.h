// What comes out of the exchange: a stream of messages of 40 bytes (README.md has the format), and
// a digest by which two streams are compared.

#ifndef ISOLATES_EXAMPLES_EXCHANGE_MARKET_DATA_H_
#define ISOLATES_EXAMPLES_EXCHANGE_MARKET_DATA_H_

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "examples/exchange/order_flow.h"
#include "examples/exchange/wire.h"

namespace exchange {

enum class OutputType : std::uint8_t {
  kAccepted = 'A',
  kRejected = 'J',
  kCancelled = 'C',
  kReplaced = 'U',
  kTrade = 'E',
  kExpired = 'X',  // what a market order found nobody for
  kTop = 'T',      // the best bid and ask have changed
};

struct Output {
  OutputType type = OutputType::kAccepted;
  Side side = Side::kBuy;  // of the order; of a trade: of the one that came
  std::uint16_t symbol = 0;
  std::uint16_t account = 0;
  std::uint8_t reason = 0;  // of a rejection: a Verdict
  std::uint8_t last = 0;    // 1: the last that this order has led to
  std::uint64_t id = 0;     // of the order; of a top: the bid's price << 32 | quantity
  std::uint64_t other = 0;  // of a trade: the order in the book; of a top: the ask, likewise
  std::uint32_t price = 0;
  std::uint32_t quantity = 0;

  friend bool operator==(const Output&, const Output&) = default;
};
static_assert(sizeof(Output) == 32);

inline constexpr std::size_t kOutputBytes = 40;

// `sequence`: of the order that has led to it, from 1.
inline void EncodeOutput(std::uint64_t sequence, const Output& output, std::byte* to) noexcept {
  WireWriter(to)
      .Put(sequence)
      .Put(static_cast<std::uint8_t>(output.type))
      .Put(static_cast<std::uint8_t>(output.side))
      .Put(output.symbol)
      .Put(output.account)
      .Put(output.reason)
      .Put(output.last)
      .Put(output.id)
      .Put(output.other)
      .Put(output.price)
      .Put(output.quantity);
}

struct DigestValue {
  std::uint64_t a = 0;
  std::uint64_t b = 0;
  std::uint64_t bytes = 0;

  friend bool operator==(const DigestValue&, const DigestValue&) = default;
};

// Of all bytes so far, in words of 8 bytes: two sums of 64 bits, each word mixed by a full
// multiplication with what came before it, so that order counts. Not against adversaries.
class Digest {
 public:
  // The number of bytes is a multiple of 8.
  void Add(const std::byte* bytes, std::size_t size) noexcept {
    for (std::size_t i = 0; i < size; i += 8) {
      std::uint64_t word = 0;
      std::memcpy(&word, bytes + i, 8);
      a_ = Fold(a_ ^ word, 0x9e3779b97f4a7c15);
      b_ = Fold(b_ + word, 0xd6e8feb86659fd93) ^ word;
    }
    bytes_ += size;
  }

  DigestValue value() const noexcept { return {a_, b_, bytes_}; }

 private:
  static std::uint64_t Fold(std::uint64_t a, std::uint64_t b) noexcept {
    __extension__ using Wide = unsigned __int128;
    const Wide product = static_cast<Wide>(a) * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64) ^ a;
  }

  std::uint64_t a_ = 0x243f6a8885a308d3;
  std::uint64_t b_ = 0x13198a2e03707344;
  std::uint64_t bytes_ = 0;
};

}  // namespace exchange

#endif  // ISOLATES_EXAMPLES_EXCHANGE_MARKET_DATA_H_
