// A builder of a parcel stays with the worker that began it; but not if that worker waits in
// another turn, perhaps for the builder.
#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include "isolates/isolate.h"
#include "isolates/runtime.h"

namespace isolates {
namespace {

constexpr Duration kLong = std::chrono::seconds(20);

// Answers one request, then has built its parcel.
Task<std::string> AnswerOnce(SendPort<SendPort<SendPort<int>>> ready) {
  ReceivePort<SendPort<int>> requests;
  ready.Send(requests.send_port());
  const SendPort<int> answer = (co_await requests.Receive()).value();
  answer.Send(42);
  co_return std::string(100, 'x');
}

int Ask(SendPort<SendPort<int>> builder) {
  ReceivePort<int> answer;
  builder.Send(answer.send_port());
  return answer.Receive(kLong).value();  // blocks the only worker
}

TEST(BoundBuilderTest, MovesIfItsWorkerWaitsForIt) {
  RuntimeOptions options;
  options.workers = 1;
  ConfigureRuntime(options);
  ReceivePort<SendPort<SendPort<int>>> ready;
  auto parcel = Isolate::RunParcel(AnswerOnce, ready.send_port());
  // This thread never waits in the library, so that all runs on the one worker.
  std::optional<SendPort<SendPort<int>>> builder;
  while (!builder.has_value()) builder = ready.TryReceive();
  auto answer = Isolate::Run(&Ask, *builder);
  const auto deadline = DeadlineAfter(kLong);
  while (!answer.ready() && std::chrono::steady_clock::now() < deadline) {
  }
  ASSERT_TRUE(answer.ready());
  EXPECT_EQ(answer.Get(), 42);
  const auto built = parcel.Get(kLong);
  EXPECT_EQ(built->size(), 100u);
  EXPECT_FALSE(built.receipt().droppable);  // the price
}

}  // namespace
}  // namespace isolates
