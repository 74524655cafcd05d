// Sends a picture's bytes without copying them again: collected once, handed over in constant time,
// taken out once.

#include <cstddef>
#include <cstdint>
#include <iostream>
#include <numeric>
#include <vector>

#include "isolates/isolates.h"

namespace {

using isolates::ElementsOf;
using isolates::Isolate;
using isolates::StateError;
using isolates::Task;
using isolates::TransferableTypedData;

std::uint64_t Brightness(TransferableTypedData picture) {
  std::vector<std::byte> bytes = picture.Materialize();
  const auto pixels = ElementsOf<std::uint16_t>(bytes);
  return std::accumulate(pixels.begin(), pixels.end(), std::uint64_t{0});
}

Task<> Main() {
  const std::vector<std::uint16_t> upper_half(1000, 1);
  const std::vector<std::uint16_t> lower_half(1000, 2);
  TransferableTypedData picture = TransferableTypedData::FromList({upper_half, lower_half});

  std::cout << "brightness: " << co_await Isolate::Run(Brightness, picture) << '\n';

  try {
    const std::vector<std::byte> again = picture.Materialize();
    std::cout << again.size() << " bytes\n";
  } catch (const StateError& error) {
    std::cout << error.what() << '\n';
  }
}

}  // namespace

int main() { return isolates::RunMain(Main); }
