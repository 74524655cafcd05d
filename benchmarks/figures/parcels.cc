// Parcels: their way through a port, by size; and their drop.

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "benchmarks/figures/figures.h"
#include "benchmarks/figures/pair.h"
#include "benchmarks/figures/round_trip.h"
#include "benchmarks/programs/lines.h"
#include "benchmarks/support/require.h"
#include "benchmarks/support/stopwatch.h"
#include "isolates/isolates.h"

namespace isolates::bench {
namespace {

using Message = Parcel<Lines>;

// A parcel of kBlocks blocks of kBytesEach to and fro; it is made before and dropped after that.
template <std::size_t kBlocks, std::size_t kBytesEach>
double PingParcel(std::uint64_t count, ReceivePort<Message>& own, const SendPort<Message>& other) {
  Message parcel = MakeParcel(Build, kBlocks, kBytesEach);
  const std::uint64_t warm = count / 10 + 200;
  const auto round_trips = [&](std::uint64_t number) {
    for (std::uint64_t i = 0; i < number; ++i) {
      other.Send(std::move(parcel));
      parcel = Next(own);
    }
  };
  round_trips(warm);
  const Stopwatch watch;
  round_trips(count);
  const double each = watch.ns_each(static_cast<std::int64_t>(count));
  Check(*parcel, kBlocks, kBytesEach);
  return each;
}

double PongParcel(std::uint64_t count, ReceivePort<Message>& own, const SendPort<Message>& other) {
  for (std::uint64_t i = 0; i < count + count / 10 + 200; ++i) other.Send(Next(own));
  return 0;
}

template <std::size_t kBlocks, std::size_t kBytesEach>
Candidate HandOver(const char* size, CpuPair cpus, std::uint64_t count) {
  return {std::string("parcel to and fro, ") + size + " (limit: a number)", [=] {
            return DedicatedPair<Message>(cpus, count, PingParcel<kBlocks, kBytesEach>, PongParcel);
          }};
}

void TakeHandOvers(Figures& figures) {
  const CpuPair cpus = figures.cpus();
  const auto count = figures.Scale<std::uint64_t>(50'000, 500);
  std::vector<Candidate> sizes = {HandOver<1, 1'000>("1 KB", cpus, count),
                                  HandOver<1'000, 1'000>("1 MB", cpus, count),
                                  HandOver<16'000, 4'000>("64 MB", cpus, count)};
  // The parcel, and what the allocator keeps of the one before.
  if (figures.Scale(true, false) && HasMemoryFor(std::size_t{3} << 30)) {
    sizes.push_back(HandOver<16'000, 62'500>("1 GB", cpus, count));
  }
  figures.Compare(
      [=] { return DedicatedPair<Payload<8>>(cpus, count, Ping<Payload<8>>, Pong<Payload<8>>); },
      sizes, "ns", Figures::Reaches(sizes.size(), 2));
}

// A map whose nodes were made in no order, as those of most graphs were; two blocks for each entry.
using Names = std::map<std::uint64_t, std::string>;
constexpr std::size_t kBytesOfName = 48;

Names BuildNames(std::size_t entries) {
  Names names;
  std::uint64_t key = 1;
  for (std::size_t i = 0; i < entries; ++i) {
    key = key * 6364136223846793005U + 1442695040888963407U;
    names.emplace(key, std::string(kBytesOfName, static_cast<char>('a' + i % 26)));
  }
  return names;
}

// Drops in a second, of what `build` returns.
template <class Builder>
void TakeDrop(Figures& figures, const std::string& what, Builder* build, std::size_t size) {
  using Value = std::invoke_result_t<Builder*, std::size_t>;
  const auto destructors = [=] {
    auto value = std::make_unique<Value>(build(size));
    Require(value->size() == size, "all of it is there");
    return TimeOf([&] { value.reset(); });
  };
  const auto drop = [=] {
    Parcel<Value> parcel = MakeParcel(build, size);
    Require(parcel->size() == size, "all of it is there");
    return TimeOf([&] { parcel.Drop(); });
  };
  figures.CompareRates(destructors, {{"drops of 2 million blocks, " + what, drop}}, "1/s", {300});
}

Lines BuildLines(std::size_t blocks) { return Build(blocks, kBytesOfName); }

}  // namespace

void ParcelFigures(Figures& figures) {
  TakeHandOvers(figures);
  const auto blocks = figures.Scale<std::size_t>(2'000'000, 20'000);
  TakeDrop(figures, "a map (limit: destructors)", BuildNames, blocks / 2);
  TakeDrop(figures, "a vector of strings (limit: destructors)", BuildLines, blocks);
}

}  // namespace isolates::bench
