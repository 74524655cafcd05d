// The trace of a program that is known: nothing is missing, and what it says fits together.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "isolates/isolates.h"
#include "src/base/trace_messages.h"

namespace isolates::internal {
namespace {

constexpr int kMessages = 500;

Task<void> Answer(std::pair<SendPort<int>, SendPort<SendPort<int>>> ports) {
  ReceivePort<int> port(PortOptions().DebugName("questions"));
  ports.second.Send(port.send_port());
  while (const auto question = co_await port.Receive()) {
    if (*question < 0) co_return;
    ports.first.Send(int{*question});
  }
}

// From a plain thread that is an isolate too: by envelopes first, then by lanes.
void AskFromAThread() {
  ReceivePort<int> answers(PortOptions().DebugName("answers"));
  ReceivePort<SendPort<int>> introduction;
  Isolate::Spawn(Answer, std::pair(answers.send_port(), introduction.send_port()),
                 SpawnOptions().DebugName("answers \"questions\""))
      .Get();
  const SendPort<int> questions = *introduction.Receive(kForever);
  for (int i = 0; i < kMessages; ++i) {
    questions.Send(int{i});
    ASSERT_EQ(answers.Receive(kForever), i);
  }
  questions.Send(-1);
}

std::uint64_t CountOf(const TraceStory& story, TraceKind kind) {
  std::uint64_t count = 0;
  for (const MergedRecord& record : story.records) count += record.kind == kind ? 1 : 0;
  return count;
}

TEST(TraceTest, HasEachMessageFromItsSendingToItsHandling) {
  Trace::Start();
  AskFromAThread();
  Shutdown(ShutdownMode::kDrain, kForever);
  Trace::Stop();
  const TraceStory story = TellTrace();
  // Questions, answers, the introduction and the last word.
  constexpr std::uint64_t kAll = 2 * kMessages + 2;
  EXPECT_EQ(CountOf(story, TraceKind::kSend), kAll);
  EXPECT_EQ(CountOf(story, TraceKind::kVisible), kAll);
  EXPECT_EQ(CountOf(story, TraceKind::kDequeued), kAll);
  ASSERT_EQ(story.messages.size(), kAll);
  for (const TracedMessage& message : story.messages) {
    const MergedRecord& send = story.records[message.send];
    const MergedRecord& dequeued = story.records[message.dequeued];
    EXPECT_EQ(send.second, dequeued.second) << "the port";
    EXPECT_EQ(send.first, dequeued.first);
    EXPECT_NE(message.receiver, 0U);
    EXPECT_LE(send.time, message.end);
    EXPECT_LE(message.begin, message.end);
  }
  EXPECT_EQ(CountOf(story, TraceKind::kTurnBegin), CountOf(story, TraceKind::kTurnEnd));
  EXPECT_EQ(CountOf(story, TraceKind::kPark), CountOf(story, TraceKind::kUnpark));
  EXPECT_GE(CountOf(story, TraceKind::kStart), 1U);
  EXPECT_GE(CountOf(story, TraceKind::kExit), 1U);

  const MessageLatencies latencies = Trace::Latencies();
  for (const DurationHistogram* step : {&latencies.visible, &latencies.woken, &latencies.dequeued,
                                        &latencies.started, &latencies.handled, &latencies.total}) {
    EXPECT_EQ(step->count(), kAll);
  }
  EXPECT_GT(latencies.total.Percentile(0.5), Duration(0));
  EXPECT_LE(latencies.total.Percentile(0.5), latencies.total.max());
}

}  // namespace
}  // namespace isolates::internal
