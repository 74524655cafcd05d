// Idle isolates: very many that listen to a port of their own and get nothing. What it stresses:
// the memory of an isolate.

#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <ctime>
#include <fstream>
#include <string>

#include "benchmarks/programs/program.h"
#include "isolates/isolates.h"

namespace isolates::bench {
namespace {

double ResidentBytes() {
  std::ifstream statm("/proc/self/statm");
  double total = 0;
  double resident = 0;
  statm >> total >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE));
}

std::atomic<int> listening{0};

void Idle(int) {
  ReceivePort<int> port;
  std::move(port).Listen([](int) {});
  listening.fetch_add(1);
}

// Bytes of each of so many. They stay.
double BytesOfEach(int count, bool light) {
  listening = 0;
  const std::uint64_t live = runtime_info().isolates_live;
  const double before = ResidentBytes();
  for (int i = 0; i < count; ++i) Isolate::Spawn(Idle, 0, SpawnOptions().Light(light)).Get();
  const timespec pause{0, 1'000'000};
  while (listening.load() < count) nanosleep(&pause, nullptr);
  const double bytes = (ResidentBytes() - before) / count;
  Require(runtime_info().isolates_live == live + static_cast<std::uint64_t>(count),
          "all of them are alive");
  return bytes;
}

}  // namespace
}  // namespace isolates::bench

int main(int argc, char** argv) {
  isolates::bench::Program program(argc, argv);
  using isolates::bench::BytesOfEach;
  // The first ones pay for what all share.
  BytesOfEach(100, true);
  const auto measure = [&](const char* name, int count, bool light) {
    isolates::bench::Result result;
    result.name = std::to_string(count) + name;
    result.value = result.min = result.max = BytesOfEach(count, light);
    result.unit = "B each";
    program.Add(result);
  };
  measure(" light isolates", program.Scale(100'000, 1'000), true);
  measure(" isolates with a heap", program.Scale(2'000, 50), false);
  const int status = program.Finish();
  _exit(status);  // ending a hundred thousand isolates one by one is not part of this
}
