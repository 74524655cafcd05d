// Isolate::Exit: verify, unwind, hand over, in this order.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "isolates/isolates.h"

namespace isolates {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

using Text = std::string;

// Tells a port when it is destroyed.
class Farewell {
 public:
  Farewell(SendPort<Text> port, Text text) : port_(std::move(port)), text_(std::move(text)) {}
  Farewell(Farewell&& other) noexcept
      : port_(std::exchange(other.port_, {})), text_(std::move(other.text_)) {}
  ~Farewell() {
    if (port_.id() != 0) port_.Send(text_);
  }

 private:
  SendPort<Text> port_;
  Text text_;

 public:
  using IsolatesMembers = Members<&Farewell::port_, &Farewell::text_>;
};

template <class Entry>
std::vector<Text> TextsUntilExit(Entry entry) {
  ReceivePort<Text> texts;
  ReceivePort<int> exits;
  Isolate::Spawn(entry, texts.send_port(), SpawnOptions().OnExit(exits.send_port(), 1)).Get();
  EXPECT_EQ(exits.Receive(kForever), 1);
  std::vector<Text> received;
  while (auto text = texts.TryReceive()) received.push_back(*text);
  return received;
}

TEST(ExitTest, TheMessageComesAfterTheDestructorsAndBeforeTheExitNotice) {
  EXPECT_THAT(TextsUntilExit([](SendPort<Text> out) {
                const Farewell outer(out, "outer");
                const Farewell inner(out, "inner");
                Isolate::Exit(out, Text("last"));
              }),
              ElementsAre("inner", "outer", "last"));
}

TEST(ExitTest, TheMessageComesAfterTheCapturesOfListenersAreDestroyed) {
  EXPECT_THAT(
      TextsUntilExit([](SendPort<Text> out) {
        ReceivePort<int> port;
        std::move(port).Listen([farewell = std::make_shared<Farewell>(out, "captured")](int) {});
        Isolate::Exit(out, Text("last"));
      }),
      ElementsAre("captured", "last"));
}

TEST(ExitTest, CoroutinesAreUnwound) {
  EXPECT_THAT(TextsUntilExit([](SendPort<Text> out) -> Task<> {
                const Farewell frame(out, "frame");
                auto other = Start([](SendPort<Text> port) -> Task<> {
                  const Farewell waiting(port, "waiting");
                  co_await Delay(std::chrono::hours(1));
                }(out));
                co_await Delay(Duration::zero());
                Isolate::Exit(out, Text("last"));
              }),
              testing::AllOf(testing::UnorderedElementsAre("frame", "waiting", "last"),
                             testing::Contains("last")));
}

TEST(ExitTest, TheTargetOfTheMessageStaysWhereItIs) {
  ReceivePort<std::unique_ptr<int>> results;
  ReceivePort<std::uintptr_t> addresses;
  Isolate::Spawn(
      [](std::pair<SendPort<std::unique_ptr<int>>, SendPort<std::uintptr_t>> out) {
        auto result = std::make_unique<int>(9);
        out.second.Send(reinterpret_cast<std::uintptr_t>(result.get()));
        Isolate::Exit(out.first, std::move(result));
      },
      std::make_pair(results.send_port(), addresses.send_port()))
      .Get();
  const auto result = *results.Receive(kForever);
  EXPECT_EQ(*result, 9);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(result.get()), *addresses.Receive(kForever));
}

TEST(ExitTest, ARefusedMessageStaysWithTheCallerAndNothingHasHappened) {
  ReceivePort<std::string_view> views;
  const auto texts = [&] {
    ReceivePort<Text> received;
    ReceivePort<int> exits;
    Isolate::Spawn(
        [](std::pair<SendPort<std::string_view>, SendPort<Text>> out) {
          const Text local = "a string that is too long to be kept in place";
          std::string_view view = local;
          try {
            Isolate::Exit(out.first, std::move(view));
          } catch (const TransferError& error) {
            out.second.Send(Text(view));
            out.second.Send(error.what());
          }
          ReceivePort<int> works;
          works.send_port().Send(1);
          out.second.Send(std::to_string(*works.Receive(kForever)));
        },
        std::make_pair(views.send_port(), received.send_port()),
        SpawnOptions().OnExit(exits.send_port(), 1))
        .Get();
    (void)exits.Receive(kForever);
    std::vector<Text> all;
    while (auto text = received.TryReceive()) all.push_back(*text);
    return all;
  }();
  EXPECT_THAT(texts, ElementsAre(HasSubstr("too long"), HasSubstr("message"), "1"));
  EXPECT_EQ(views.TryReceive(), std::nullopt);
}

TEST(ExitTest, AClosedPortIsRefusedAndTheMessageStaysWithTheCaller) {
  EXPECT_EQ(Isolate::Run([] {
              ReceivePort<std::unique_ptr<int>> port;
              const auto sender = port.send_port();
              port.Close();
              auto message = std::make_unique<int>(3);
              try {
                Isolate::Exit(sender, std::move(message));
              } catch (const StateError&) {
                return message == nullptr ? -1 : *message;
              }
            }).Get(),
            3);
}

TEST(ExitTest, AFrameThatSwallowsTheUnwindingOnlyDelaysIt) {
  EXPECT_THAT(TextsUntilExit([](SendPort<Text> out) {
                try {
                  Isolate::Exit(out, Text("last"));
                } catch (...) {
                  out.Send("swallowed");
                }
                try {
                  Isolate::CheckStop();
                  out.Send("not reached");
                } catch (...) {
                  out.Send("again");
                }
                try {
                  ReceivePort<int> port;
                  out.Send("not reached");
                } catch (...) {
                  out.Send("and again");
                }
                out.Send("end of the event");
              }),
              ElementsAre("swallowed", "again", "and again", "end of the event", "last"));
}

TEST(ExitTest, EveryThrowingCallThrowsAgainAfterASwallowedExit) {
  const int thrown = [] {
    ReceivePort<int> counts;
    Isolate::Spawn(
        [](SendPort<int> out) {
          ReceivePort<int> port;
          auto future = Isolate::Run([] { return 1; });
          try {
            Isolate::Exit();
          } catch (...) {
          }
          int count = 0;
          const auto check = [&](auto call) {
            try {
              call();
            } catch (...) {
              ++count;
            }
          };
          check([&] { (void)port.TryReceive(); });
          check([&] { (void)port.Receive(Duration::zero()); });
          check([&] { (void)future.Get(); });
          check([&] { (void)Isolate::Run([] { return 2; }); });
          check([&] { Isolate::CheckStop(); });
          check([&] { (void)Isolate::Spawn([](int) {}, 1); });
          port.Close();
          out.Send(count);
        },
        counts.send_port())
        .Get();
    return *counts.Receive(kForever);
  }();
  EXPECT_GE(thrown, 5);
}

TEST(ExitTest, ASwallowedExitInAListenerEndsTheIsolateAfterTheEvent) {
  EXPECT_THAT(TextsUntilExit([](SendPort<Text> out) {
                ReceivePort<int> port;
                port.send_port().Send(1);
                port.send_port().Send(2);
                std::move(port).Listen([out](int number) {
                  try {
                    Isolate::Exit(out, Text("last"));
                  } catch (...) {
                    out.Send("swallowed " + std::to_string(number));
                  }
                });
              }),
              ElementsAre("swallowed 1", "last"));
}

struct ExitsInItsDestructor {
  SendPort<Text> out;
  ~ExitsInItsDestructor() {
    try {
      Isolate::Exit(out, Text("never"));
    } catch (const StateError& error) {
      out.Send(error.what());
    }
  }
};

TEST(ExitTest, ExitWhileAnExceptionIsInFlightIsRefused) {
  EXPECT_THAT(TextsUntilExit([](SendPort<Text> out) {
                try {
                  const ExitsInItsDestructor guard{out};
                  throw std::runtime_error("in flight");
                } catch (const std::runtime_error& error) {
                  out.Send(error.what());
                }
              }),
              ElementsAre(HasSubstr("in flight"), "in flight"));
}

TEST(ExitTest, DestructorsThatUseTheLibraryWhileTheIsolateEndsAreNotThrownInto) {
  struct Uses {
    SendPort<Text> out;
    ~Uses() {
      Isolate::CheckStop();
      out.Send(std::to_string(Isolate::Run([] { return 5; }).Get()));
    }
  };
  EXPECT_THAT(TextsUntilExit([](SendPort<Text> out) -> Task<> {
                const Uses frame{out};
                auto other = Start([](SendPort<Text> port) -> Task<> {
                  const Uses waiting{port};
                  co_await Delay(std::chrono::hours(1));
                }(out));
                co_await Delay(Duration::zero());
                Isolate::Exit(out, Text("last"));
              }),
              ElementsAre("5", "5", "last"));
}

TEST(ExitTest, ExitWithoutAMessageEndsTheIsolate) {
  EXPECT_THAT(TextsUntilExit([](SendPort<Text> out) {
                const Farewell local(out, "unwound");
                Isolate::Exit();
              }),
              ElementsAre("unwound"));
}

TEST(ExitTest, ALastMessageToAnIsolatesOwnPortIsADeadLetter) {
  const auto before = runtime_info().dead_letters;
  EXPECT_THAT(TextsUntilExit([](SendPort<Text> out) {
                ReceivePort<Text> own;
                const Farewell local(out, "unwound");
                Isolate::Exit(own.send_port(), Text("to myself"));
              }),
              ElementsAre("unwound"));
  EXPECT_GE(runtime_info().dead_letters, before);
}

TEST(ExitTest, OnAPlainThreadItIsRefused) {
  ReceivePort<int> port;
  EXPECT_THROW(Isolate::Exit(port.send_port(), 1), StateError);
  EXPECT_THROW(Isolate::Exit(), StateError);
}

TEST(ExitTest, ManyIsolatesExitWithTheirNumbers) {
  ReceivePort<int> port;
  constexpr int kIsolates = 300;
  for (int i = 0; i < kIsolates; ++i) {
    Isolate::Spawn([](std::pair<int, SendPort<int>> job) { Isolate::Exit(job.second, job.first); },
                   std::make_pair(i, port.send_port()))
        .Get();
  }
  std::vector<bool> seen(kIsolates, false);
  for (int i = 0; i < kIsolates; ++i) {
    const auto number = static_cast<std::size_t>(*port.Receive(kForever));
    ASSERT_FALSE(seen[number]);
    seen[number] = true;
  }
}

}  // namespace
}  // namespace isolates
