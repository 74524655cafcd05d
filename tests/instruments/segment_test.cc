// The segment as another process has it: a file that is mapped read-only while the program runs.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <thread>
#include <utility>

#include "isolates/isolates.h"
#include "tests/instruments/stats.h"

namespace isolates::internal {
namespace {

std::string FilePath() { return "/dev/shm/isolates-test." + std::to_string(getpid()); }

class SegmentTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    RuntimeOptions options;
    options.stats_file = "/dev/shm/isolates-test.PID";
    ConfigureRuntime(std::move(options));
    runtime_info();
  }
};

const StatsHeader* MapReadOnly() {
  const int file = open(FilePath().c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return nullptr;
  void* const mapped = mmap(nullptr, sizeof(StatsSegment), PROT_READ, MAP_SHARED, file, 0);
  close(file);
  return mapped == MAP_FAILED ? nullptr : static_cast<const StatsHeader*>(mapped);
}

TEST_F(SegmentTest, SaysWhatItIs) {
  const StatsHeader* const header = MapReadOnly();
  ASSERT_NE(header, nullptr);
  EXPECT_EQ(header->magic.load(std::memory_order_acquire), kStatsMagic);
  EXPECT_EQ(StatsGet(header->version), kStatsVersion);
  EXPECT_EQ(StatsGet(header->pid), static_cast<std::uint64_t>(getpid()));
  EXPECT_EQ(StatsGet(header->bytes), sizeof(StatsSegment));
  EXPECT_EQ(StatsGet(header->clock), 0U);
}

Task<void> PassOn(std::pair<SendPort<int>, SendPort<SendPort<int>>> ports) {
  ReceivePort<int> port(PortOptions().DebugName("passed on"));
  ports.second.Send(port.send_port());
  while (const auto number = co_await port.Receive()) {
    ports.first.Send(int{*number});
    if (*number == 0) co_return;
  }
}

// Under ThreadSanitizer: nobody who reads races with those who count.
TEST_F(SegmentTest, IsReadWhileOthersCount) {
  const StatsHeader* const header = LocalStats();
  ASSERT_NE(header, nullptr);
  static std::atomic<bool> stop{false};
  std::uint64_t looks = 0;
  std::thread reader([header, &looks] {
    do {
      for (std::uint64_t number = 1; number <= StatsGet(header->isolates.used); ++number) {
        const auto& entry = StatsEntry<StatsIsolate>(*header, header->isolates, number);
        const std::uint64_t generation = entry.generation.load(std::memory_order_acquire);
        if (generation % 2 == 1 && StatsGet(entry.turns) < ~std::uint64_t{0}) ++looks;
        EXPECT_LE(entry.name.Get().size(), decltype(entry.name)::kMostBytes);
      }
      for (std::uint64_t number = 1; number <= StatsGet(header->histograms.used); ++number) {
        const auto& entry = StatsEntry<StatsHistograms>(*header, header->histograms, number);
        if (entry.handling.Count() != 0) ++looks;
      }
    } while (!stop.load(std::memory_order_relaxed));
  });
  constexpr int kMessages = 20000;
  {
    ReceivePort<int> answers;
    ReceivePort<SendPort<int>> introduction;
    ReceivePort<int> ended;
    Isolate::Spawn(PassOn, std::pair(answers.send_port(), introduction.send_port()),
                   SpawnOptions().DebugName("passes on").OnExit(ended.send_port(), 1))
        .Get();
    const SendPort<int> to = *introduction.Receive(kForever);
    for (int i = kMessages; i-- > 0;) {
      to.Send(int{i});
      EXPECT_EQ(answers.Receive(kForever), i);
      if (i % 100 != 0) continue;
      EXPECT_EQ(Isolate::Run([] { return 7; }).Get(), 7);
    }
    EXPECT_EQ(ended.Receive(kForever), 1);
  }
  stop.store(true, std::memory_order_relaxed);
  reader.join();
  EXPECT_GT(looks, 0U);
  EXPECT_EQ(StatsGet(PortStats("passed on").received), std::uint64_t{kMessages});
}

TEST_F(SegmentTest, ThreadsAreThere) {
  const StatsHeader& header = *LocalStats();
  bool worker = false;
  Isolate::Run([] { return 1; }).Get();
  for (std::uint64_t number = 1; number <= StatsGet(header.threads.used); ++number) {
    const auto& thread = StatsEntry<StatsThread>(header, header.threads, number);
    if (StatsGet(thread.worker) == 0) continue;
    worker = true;
    EXPECT_EQ(thread.name.Get(), "isolates-w" + std::to_string(StatsGet(thread.worker)));
    EXPECT_NE(StatsGet(thread.id), 0U);
  }
  EXPECT_TRUE(worker);
}

}  // namespace
}  // namespace isolates::internal
