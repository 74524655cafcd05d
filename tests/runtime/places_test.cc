// As many workers as processors: the main thread's place is not given to one more while it waits.

#include <gtest/gtest.h>
#include <sched.h>

#include <atomic>
#include <vector>

#include "isolates/isolates.h"

namespace isolates {
namespace {

// For a thread beside the others to start and run something many times over.
constexpr int kYields = 200'000;

std::atomic<int> begun{0};
std::atomic<bool> one_has_ended{false};
std::atomic<bool> extra_has_run{false};

// Holds its worker until the extra isolate runs, or should have.
void Hold() {
  begun.fetch_add(1);
  for (int i = 0; i < kYields && !extra_has_run.load(); ++i) sched_yield();
  one_has_ended.store(true);
}

TEST(PlacesTest, NoMoreWorkersThanAskedForWhileTheMainThreadWaits) {
  cpu_set_t allowed;
  ASSERT_EQ(sched_getaffinity(0, sizeof(allowed), &allowed), 0);
  RuntimeOptions options;
  options.workers = CPU_COUNT(&allowed);
  ConfigureRuntime(options);

  std::vector<Future<void>> holders;
  for (int i = 0; i < options.workers; ++i) holders.push_back(Isolate::Run(Hold));
  while (begun.load() < options.workers) sched_yield();
  auto extra = Isolate::Run([] {
    const bool early = !one_has_ended.load();
    extra_has_run.store(true);
    return early;
  });
  EXPECT_FALSE(extra.Get()) << "it has run beside as many others as there are processors";
  for (auto& holder : holders) holder.Get();
}

}  // namespace
}  // namespace isolates
