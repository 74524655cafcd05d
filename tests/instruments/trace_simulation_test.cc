// Traces of simulations: who handles what, who wakes whom; rings that overflow; what is dumped.

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "isolates/isolates.h"
#include "src/base/trace_messages.h"

namespace isolates::internal {
namespace {

std::uint64_t CountOf(const TraceStory& story, TraceKind kind) {
  return static_cast<std::uint64_t>(
      std::count_if(story.records.begin(), story.records.end(),
                    [kind](const MergedRecord& record) { return record.kind == kind; }));
}

// Messages to a listener, which take a millisecond each by the time of the simulation.
Task<void> Listen(std::pair<int, SendPort<SendPort<int>>> given) {
  ReceivePort<int> port;
  int left = given.first;
  ReceivePort<int> end;
  const SendPort<int> ended = end.send_port();
  port.Listen([&left, &ended](int) {
    EXPECT_THROW(static_cast<void>(ReceivePort<int>().Receive(std::chrono::milliseconds(1))),
                 TimeoutError);
    if (--left == 0) ended.Send(0);
  });
  given.second.Send(port.send_port());
  co_await end.Receive();
}

Task<void> Feed() {
  constexpr int kMessages = 10;
  ReceivePort<SendPort<int>> introduction;
  const Isolate listener = co_await Isolate::Spawn(
      Listen, std::pair(kMessages, introduction.send_port()), SpawnOptions().DebugName("listener"));
  const SendPort<int> to = *co_await introduction.Receive();
  for (int i = 0; i < kMessages; ++i) to.Send(int{i});
}

TEST(TraceSimulationTest, HandlersTakeTheirTime) {
  Trace::Start();
  Simulate(1, Feed);
  Trace::Stop();
  const TraceStory story = TellTrace();
  EXPECT_EQ(CountOf(story, TraceKind::kHandlerBegin), 10U);
  EXPECT_EQ(CountOf(story, TraceKind::kHandlerEnd), 10U);
  int slow = 0;
  for (const TracedMessage& message : story.messages) {
    // (Each record is a nanosecond later than the one before.)
    if ((message.end - message.begin) / 1000 == 1000) ++slow;
  }
  EXPECT_EQ(slow, 10);
  EXPECT_GE(Trace::Latencies().handled.max(), std::chrono::milliseconds(1));
}

TEST(TraceSimulationTest, WhoWokeWhomIsTold) {
  Trace::Start();
  Simulate(1, Feed);
  Trace::Stop();
  const TraceStory story = TellTrace();
  bool woken = false;
  for (const MergedRecord& record : story.records) {
    if (record.kind != TraceKind::kWake || record.isolate == 0) continue;
    EXPECT_NE(record.first, record.isolate) << "nobody who sleeps wakes itself";
    woken = woken || TracedName(record.first) == "listener";
  }
  EXPECT_TRUE(woken);
}

TEST(TraceSimulationTest, TheNewestRecordsTakeThePlaceOfTheOldest) {
  TraceOptions options;
  options.records_of_thread = 128;
  Trace::Start(options);
  for (int i = 0; i < 20; ++i) Simulate(1, Feed);
  Trace::Stop();
  std::size_t records = 0;
  for (const TracedThread& thread : CollectTrace()) {
    EXPECT_LE(thread.records.size(), 128U);
    records += thread.records.size();
  }
  EXPECT_GE(records, 100U);
  // What is left fits together.
  std::ostringstream out;
  Trace::Write(out);
  EXPECT_NE(out.str().find("\"ph\":\"B\""), std::string::npos);
}

TEST(TraceSimulationTest, NothingIsRecordedWhenItIsOff) {
  Trace::Start();
  Trace::Stop();
  Simulate(1, Feed);
  EXPECT_EQ(CollectTrace().size(), 0U);
  EXPECT_FALSE(Trace::running());
  EXPECT_EQ(Trace::Latencies().total.count(), 0U);
}

TEST(TraceSimulationTest, ADumpIsText) {
  Trace::Start();
  Simulate(1, Feed);
  Trace::Stop();
  const int file = memfd_create("dump", MFD_CLOEXEC);
  ASSERT_GE(file, 0);
  Trace::Dump(file, 1000);
  std::string text(1 << 20, 0);
  const ssize_t length = pread(file, text.data(), text.size(), 0);
  close(file);
  ASSERT_GT(length, 0);
  text.resize(static_cast<std::size_t>(length));
  for (const char* word : {"thread ", "turn begin", "send", "visible", "dequeued", "handle",
                           "handled", "wake", "start", "exit"}) {
    EXPECT_NE(text.find(word), std::string::npos) << word;
  }
}

}  // namespace
}  // namespace isolates::internal
