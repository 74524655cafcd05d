// A parcel that goes from one live isolate to another, beside a deep copy of its value; and its
// drop as a whole, beside the destructors of the copy. README.md in this folder says what each
// column is.
//
// All are taken in turns on the same graph: a disturbance hits them alike.

#include <benchmark/benchmark.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "isolates/isolates.h"

namespace {

using Clock = std::chrono::steady_clock;
using isolates::Isolate;
using isolates::kForever;
using isolates::Parcel;
using isolates::ReceivePort;
using isolates::SendPort;

using Lines = std::vector<std::string>;

// About `bytes` in blocks of 112 and the table of the strings.
Lines Build(std::size_t bytes) {
  constexpr std::size_t kText = 100;
  const std::size_t count = std::max<std::size_t>(1, bytes / (sizeof(std::string) + kText + 12));
  Lines lines;
  lines.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    lines.emplace_back(kText, static_cast<char>('a' + i % 26));
  }
  return lines;
}

struct EchoSetup {
  SendPort<SendPort<Parcel<Lines>>> connect;
  SendPort<Parcel<Lines>> replies;
};

// Reads each parcel in place and sends it back; an empty one ends it.
void Echo(EchoSetup setup) {
  ReceivePort<Parcel<Lines>> parcels;
  setup.connect.Send(parcels.send_port());
  std::move(parcels).Listen(
      [replies = setup.replies](ReceivePort<Parcel<Lines>>& port, Parcel<Lines> parcel) {
        if (parcel.empty()) {
          port.Close();
        } else {
          benchmark::DoNotOptimize(parcel->front().front());
          replies.Send(std::move(parcel));
        }
      });
}

double NanosecondsSince(Clock::time_point start) {
  return std::chrono::duration<double, std::nano>(Clock::now() - start).count();
}

double Median(std::vector<double>& values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

bool HasMemoryFor(std::size_t bytes) {
  const auto free = static_cast<std::size_t>(sysconf(_SC_AVPHYS_PAGES)) *
                    static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  return bytes < free;
}

void BM_HandOver(benchmark::State& state) {
  const auto bytes = static_cast<std::size_t>(state.range(0));
  // The parcel, the copy, and what the allocator keeps of those before.
  if (!HasMemoryFor(4 * bytes)) {
    state.SkipWithError("too little free memory");
    return;
  }
  constexpr int kRoundTrips = 64;
  ReceivePort<SendPort<Parcel<Lines>>> connect;
  ReceivePort<Parcel<Lines>> replies;
  Isolate::Spawn(Echo, EchoSetup{connect.send_port(), replies.send_port()}).Get();
  const SendPort<Parcel<Lines>> parcels = *connect.Receive(kForever);
  std::vector<double> send;
  std::vector<double> copy;
  std::vector<double> seal;
  std::vector<double> drop;
  std::vector<double> destroy;
  bool droppable = true;
  for (auto _ : state) {
    Parcel<Lines> parcel = isolates::MakeParcel(Build, bytes);
    droppable = droppable && parcel.receipt().droppable;
    seal.push_back(
        static_cast<double>((parcel.receipt().verify_time + parcel.receipt().census_time).count()));
    std::vector<double> trips;
    for (int i = 0; i < kRoundTrips; ++i) {
      const auto start = Clock::now();
      parcels.Send(std::move(parcel));
      parcel = *replies.Receive(kForever);
      trips.push_back(NanosecondsSince(start) / 2);
    }
    send.push_back(Median(trips));
    auto start = Clock::now();
    auto copied = std::make_unique<Lines>(*parcel);
    copy.push_back(NanosecondsSince(start));
    start = Clock::now();
    parcel.Drop();
    drop.push_back(NanosecondsSince(start));
    start = Clock::now();
    copied.reset();
    destroy.push_back(NanosecondsSince(start));
    state.SetIterationTime(send.back() / 1e9);
  }
  parcels.Send(Parcel<Lines>());
  const double send_ns = Median(send);
  const double copy_ns = Median(copy);
  const double drop_ns = Median(drop);
  const double destroy_ns = Median(destroy);
  state.counters["send_us"] = send_ns / 1e3;
  state.counters["copy_us"] = copy_ns / 1e3;
  state.counters["copy/send"] = copy_ns / send_ns;
  state.counters["drop_us"] = drop_ns / 1e3;
  state.counters["destroy_us"] = destroy_ns / 1e3;
  state.counters["destroy/drop"] = destroy_ns / drop_ns;
  state.counters["seal_us"] = Median(seal) / 1e3;
  state.counters["whole"] = droppable ? 1 : 0;
}
BENCHMARK(BM_HandOver)
    ->RangeMultiplier(10)
    ->Range(1'000, 1'000'000)
    ->Iterations(30)
    ->UseManualTime();
BENCHMARK(BM_HandOver)
    ->RangeMultiplier(10)
    ->Range(10'000'000, 1'000'000'000)
    ->Iterations(3)
    ->UseManualTime();

}  // namespace
