// CRC-32C (Castagnoli), eight bytes at a time by tables ("slicing by 8", Kounavis and Berry).

#ifndef ISOLATES_EXAMPLES_EXCHANGE_CRC_H_
#define ISOLATES_EXAMPLES_EXCHANGE_CRC_H_

#include <array>
#include <cstddef>
#include <cstdint>

namespace exchange {

namespace crc_tables {

using Tables = std::array<std::array<std::uint32_t, 256>, 8>;

constexpr Tables Make() {
  Tables tables{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1) * 0x82f63b78;
    tables[0][i] = crc;
  }
  for (std::size_t i = 0; i < 256; ++i) {
    for (std::size_t k = 1; k < 8; ++k) {
      tables[k][i] = tables[k - 1][i] >> 8 ^ tables[0][tables[k - 1][i] & 0xff];
    }
  }
  return tables;
}
inline constexpr Tables kTables = Make();

}  // namespace crc_tables

inline std::uint32_t Crc32c(const std::byte* bytes, std::size_t size) noexcept {
  const auto& tables = crc_tables::kTables;
  const auto at = [&](std::size_t i) { return static_cast<std::uint32_t>(bytes[i]); };
  std::uint32_t crc = ~std::uint32_t{0};
  for (; size >= 8; size -= 8, bytes += 8) {
    crc ^= at(0) | at(1) << 8 | at(2) << 16 | at(3) << 24;
    crc = tables[7][crc & 0xff] ^ tables[6][crc >> 8 & 0xff] ^ tables[5][crc >> 16 & 0xff] ^
          tables[4][crc >> 24] ^ tables[3][at(4)] ^ tables[2][at(5)] ^ tables[1][at(6)] ^
          tables[0][at(7)];
  }
  for (; size > 0; --size, ++bytes) crc = crc >> 8 ^ tables[0][(crc ^ at(0)) & 0xff];
  return ~crc;
}

}  // namespace exchange

#endif  // ISOLATES_EXAMPLES_EXCHANGE_CRC_H_
