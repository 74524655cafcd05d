// Parcels between live isolates: made on the spot, sent as messages, over several hops.

#include "isolates/make_parcel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "isolates/detail/heap.h"
#include "isolates/isolates.h"

namespace isolates {
namespace {

using testing::HasSubstr;

using Texts = std::vector<std::string>;

std::string LongText(std::size_t number) {
  return "a text that is too long for the short string buffer" + std::to_string(number);
}

Texts MakeTexts(std::size_t count) {
  Texts texts(count);
  for (std::size_t i = 0; i < count; ++i) texts[i] = LongText(i);
  return texts;
}

// A builder of its own for each place that calls this: one that parcels of another test ended badly
// for (a value was taken out) gets pooled heaps for a while.
template <class Place = decltype([] {})>
Parcel<Texts> TextsParcel(std::size_t count) {
  return MakeParcel([count] { return MakeTexts(count); });
}

bool OnMimalloc() { return allocator() == Allocator::kMimalloc; }

#define SKIP_ON_PLAIN_MALLOC()                                       \
  do {                                                               \
    if (::isolates::allocator() == ::isolates::Allocator::kMalloc) { \
      GTEST_SKIP() << "needs the mimalloc back end";                 \
    }                                                                \
  } while (false)

// ---- sending ----

TEST(SendParcelTest, ItArrivesInPlaceWithItsReceipt) {
  ReceivePort<Parcel<Texts>> port;
  auto parcel = TextsParcel(1000);
  const Texts* const place = &parcel.get();
  const auto before = std::chrono::steady_clock::now().time_since_epoch();
  ASSERT_EQ(port.send_port().Send(std::move(parcel)), SendResult::kAccepted);
  auto received = port.Receive(kForever);
  const auto after = std::chrono::steady_clock::now().time_since_epoch();
  ASSERT_TRUE(received.has_value());
  EXPECT_EQ(&received->get(), place);
  const Receipt& receipt = received->receipt();
  EXPECT_EQ(receipt.droppable, OnMimalloc()) << receipt.ToString();
  EXPECT_GE(std::chrono::nanoseconds(receipt.sent_ns), before);
  EXPECT_LE(std::chrono::nanoseconds(receipt.sent_ns) + receipt.adopt_time, after);
  EXPECT_GT(receipt.adopt_time.count(), 0);
}

// Adds a hop for each isolate until the number is used up, then gives the parcel back.
void Hop(Parcel<Texts> parcel, SendPort<Parcel<Texts>> home, int hops) {
  if (hops == 0) {
    home.Send(std::move(parcel));
    return;
  }
  Isolate::Run(Hop, std::move(parcel), std::move(home), hops - 1).Get();
}

TEST(SendParcelTest, ItStaysDroppableOverSeveralHops) {
  ReceivePort<Parcel<Texts>> port;
  const auto destroyed = heap_counters().destroyed;
  auto parcel = TextsParcel(100);
  const Texts* const place = &parcel.get();
  Isolate::Run(Hop, std::move(parcel), port.send_port(), 3).Get();
  auto received = port.Receive(kForever);
  ASSERT_TRUE(received.has_value());
  EXPECT_EQ(&received->get(), place);
  EXPECT_EQ(received->receipt().droppable, OnMimalloc());
  Isolate::Run([](Parcel<Texts> last) { last.Drop(); }, std::move(*received)).Get();
  EXPECT_EQ(heap_counters().destroyed, destroyed + (OnMimalloc() ? 1 : 0));
}

TEST(SendParcelTest, TakeAndTakeBoxAfterHops) {
  ReceivePort<Parcel<Texts>> port;
  for (const bool box : {false, true}) {
    Isolate::Run(Hop, TextsParcel(100), port.send_port(), 2).Get();
    auto received = port.Receive(kForever);
    if (box) {
      EXPECT_EQ(std::move(*received).TakeBox()->at(99), LongText(99));
    } else {
      EXPECT_EQ(std::move(*received).Take().at(99), LongText(99));
    }
  }
}

struct Delivery {
  std::string address;
  Parcel<Texts> parcel;
  std::vector<Parcel<Texts>> more;
};

TEST(SendParcelTest, InsideOfAMessageAndOfAnotherParcel) {
  ReceivePort<Delivery> port;
  Delivery delivery{LongText(0), TextsParcel(10), {}};
  delivery.more.push_back(TextsParcel(11));
  port.send_port().Send(std::move(delivery));
  auto received = port.Receive(kForever);
  EXPECT_EQ(received->parcel->size(), 10U);
  EXPECT_EQ(received->more.front()->size(), 11U);
  EXPECT_EQ(received->parcel.receipt().droppable, OnMimalloc());

  ReceivePort<Parcel<Delivery>> outer_port;
  auto outer = MakeParcel([] {
    Delivery inner{LongText(1), TextsParcel(12), {}};
    inner.more.push_back(TextsParcel(13));
    return inner;
  });
  EXPECT_EQ(outer->parcel.receipt().droppable, OnMimalloc());
  outer_port.send_port().Send(std::move(outer));
  auto parcel = outer_port.Receive(kForever);
  EXPECT_EQ(parcel->get().more.front()->size(), 13U);
  EXPECT_EQ(std::move(*parcel).Take().parcel->size(), 12U);
}

TEST(SendParcelTest, AClosedPortGivesItBack) {
  auto port = std::make_unique<ReceivePort<Parcel<Texts>>>();
  const auto send_port = port->send_port();
  port = nullptr;
  auto parcel = TextsParcel(10);
  EXPECT_EQ(send_port.Send(std::move(parcel)), SendResult::kClosed);
  ASSERT_FALSE(parcel.empty());  // NOLINT(bugprone-use-after-move)
  EXPECT_EQ(parcel->size(), 10U);
  EXPECT_EQ(parcel.receipt().droppable, OnMimalloc());
}

TEST(SendParcelTest, ADeadLetterIsDroppedAsAWhole) {
  const auto destroyed = heap_counters().destroyed;
  {
    ReceivePort<Parcel<Texts>> port;
    port.send_port().Send(TextsParcel(10));
  }
  EXPECT_EQ(heap_counters().destroyed, destroyed + (OnMimalloc() ? 1 : 0));
}

struct WithView {
  std::string text;
  std::string_view view;
};
struct ViewMessage {
  int number;
  Parcel<WithView> parcel;
};

TEST(SendParcelTest, WhatWasChangedIsLookedAtAgain) {
  ReceivePort<Parcel<WithView>> port;
  ReceivePort<ViewMessage> nested_port;
  const std::string local = LongText(1);
  auto parcel = MakeParcel([] { return WithView{LongText(2), {}}; });
  parcel.Mutable().view = parcel->text;
  parcel.Mutable().view = local;
  EXPECT_THROW((void)port.send_port().Send(std::move(parcel)), TransferError);
  ViewMessage message{1, std::move(parcel)};  // NOLINT(bugprone-use-after-move): it was refused
  EXPECT_THROW((void)nested_port.send_port().Send(std::move(message)), TransferError);
  message.parcel.Mutable().view = message.parcel->text;
  EXPECT_EQ(nested_port.send_port().Send(std::move(message)), SendResult::kAccepted);
  EXPECT_EQ(nested_port.Receive(kForever)->parcel->view, LongText(2));
}

TEST(SendParcelTest, SendWithReceipt) {
  ReceivePort<Texts> port;
  const auto value = port.send_port().SendWithReceipt(MakeTexts(100));
  EXPECT_EQ(value.result, SendResult::kAccepted);
  EXPECT_EQ(value.receipt.reachable_blocks, 101U);
  EXPECT_EQ(value.receipt.walked_edges, 101U);
  EXPECT_EQ(value.receipt.proof, OwnershipProof::kType);
  EXPECT_EQ(value.receipt.reason, DropReason::kNoParcel);
  const auto looked_up = port.send_port().SendWithReceipt(MakeTexts(1), VerifyLevel::kAlways);
  EXPECT_EQ(looked_up.receipt.proof, OwnershipProof::kLookup);

  ReceivePort<Parcel<Texts>> parcel_port;
  const auto parcel = parcel_port.send_port().SendWithReceipt(TextsParcel(100));
  EXPECT_EQ(parcel.receipt.reachable_blocks, 102U);
  EXPECT_EQ(parcel.receipt.droppable, OnMimalloc());

  ReceivePort<std::vector<std::string_view>> view_port;
  const std::string local = LongText(1);
  EXPECT_THROW((void)view_port.send_port().SendWithReceipt({local}), TransferError);
}

// A receipt may be sent.
static_assert(kTransferClass<Receipt> == TransferClass::kPlain);

// ---- the sender's heap ----

TEST(SendersHeapTest, ABuilderThatSendsAParcelStaysDroppable) {
  SKIP_ON_PLAIN_MALLOC();
  ReceivePort<Parcel<Texts>> port;
  ReceivePort<Parcel<Parcel<Texts>>> nested_port;
  auto result = Isolate::RunParcel(
                    [](SendPort<Parcel<Texts>> to, SendPort<Parcel<Parcel<Texts>>> nested) {
                      to.Send(TextsParcel(10));
                      nested.Send(MakeParcel([] { return TextsParcel(11); }));
                      return MakeTexts(12);
                    },
                    port.send_port(), nested_port.send_port())
                    .Get();
  EXPECT_TRUE(result.receipt().droppable) << result.receipt().ToString();
  EXPECT_EQ(port.Receive(kForever)->get().size(), 10U);
  EXPECT_EQ(nested_port.Receive(kForever)->get()->size(), 11U);
}

TEST(SendersHeapTest, ABuilderThatSendsItsOwnBlocksDoesNot) {
  SKIP_ON_PLAIN_MALLOC();
  ReceivePort<std::string> port;
  auto result = Isolate::RunParcel(
                    [](SendPort<std::string> to) {
                      to.Send(LongText(1));
                      return MakeTexts(12);
                    },
                    port.send_port())
                    .Get();
  EXPECT_EQ(result.receipt().reason, DropReason::kSharedHeap);
}

TEST(SendersHeapTest, BlocksOfTheOuterHeapThatAnInnerBuilderSendsAreSeen) {
  SKIP_ON_PLAIN_MALLOC();
  ReceivePort<std::string> port;
  auto result = Isolate::RunParcel(
                    [](SendPort<std::string> to) {
                      std::string outer = LongText(1);
                      auto inner = MakeParcel([&] {
                        to.Send(std::move(outer));
                        return MakeTexts(3);
                      });
                      EXPECT_EQ(inner.receipt().reason, DropReason::kSharedHeap);
                      return MakeTexts(12);
                    },
                    port.send_port())
                    .Get();
  EXPECT_EQ(result.receipt().reason, DropReason::kSharedHeap);
}

TEST(SendersHeapTest, AParcelThatWasGivenBlocksOfTheSenderSharesTheSendersHeap) {
  SKIP_ON_PLAIN_MALLOC();
  ReceivePort<Parcel<Texts>> port;
  auto result = Isolate::RunParcel(
                    [](SendPort<Parcel<Texts>> to) {
                      auto parcel = TextsParcel(10);
                      parcel.Mutable().push_back(LongText(77));
                      to.Send(std::move(parcel));
                      return MakeTexts(12);
                    },
                    port.send_port())
                    .Get();
  EXPECT_EQ(result.receipt().reason, DropReason::kSharedHeap);
  result.Drop();
  EXPECT_EQ(port.Receive(kForever)->get().back(), LongText(77));
}

// ---- builders that wait ----

TEST(WaitingBuilderTest, InAnIsolateOnAWorker) {
  auto parcel = Isolate::Run([] {
                  return MakeParcel([] {
                    Texts texts = MakeTexts(3);
                    const auto* const heap = internal::CurrentHeap();
                    texts.push_back(Isolate::Run([] { return LongText(4); }).Get());
                    EXPECT_EQ(internal::CurrentHeap(), heap);
                    texts.push_back(LongText(5));
                    return texts;
                  });
                }).Get();
  EXPECT_EQ(parcel->size(), 5U);
  EXPECT_EQ(parcel->back(), LongText(5));
}

// The main isolate handles its events while it waits; they belong to it and not to the parcel.
TEST(WaitingBuilderTest, EventsOfTheMainIsolateMeanwhileAreNotInTheParcel) {
  ReceivePort<int> port;
  Texts kept;
  const void* handled_in = nullptr;
  Parcel<Texts> inner;
  port.Listen([&](int number) {
    handled_in = internal::CurrentHeap();
    kept.push_back(LongText(static_cast<std::size_t>(number)));
    inner = TextsParcel(2);
  });
  auto warm = Isolate::Run([] { return 1; });  // threads are started outside of the builder
  EXPECT_EQ(warm.Get(), 1);
  const auto send_port = port.send_port();
  auto parcel = MakeParcel([&] {
    Texts texts = MakeTexts(3);
    const auto* const heap = internal::CurrentHeap();
    const auto number = Isolate::Run(
                            [](SendPort<int> to) {
                              to.Send(7);
                              return 8;
                            },
                            send_port)
                            .Get();
    EXPECT_EQ(number, 8);
    while (kept.empty()) Isolate::Run([] { return 1; }).Get();
    EXPECT_EQ(internal::CurrentHeap(), heap);
    return texts;
  });
  EXPECT_EQ(handled_in, nullptr) << "the main heap";
  EXPECT_EQ(kept, Texts{LongText(7)});
  EXPECT_EQ(parcel->size(), 3U);
  EXPECT_EQ(inner.receipt().droppable, OnMimalloc()) << inner.receipt().ToString();
  if (OnMimalloc()) {
    EXPECT_EQ(internal::HeapOf(kept.front().data()), nullptr);
    EXPECT_NE(parcel.receipt().reason, DropReason::kStrays) << parcel.receipt().ToString();
  }
}

// ---- builders that do not end ----

TEST(UnwoundBuilderTest, AnExceptionGoesToTheCallerOfMakeParcel) {
  auto future = Isolate::Run([] {
    try {
      (void)MakeParcel([]() -> Texts { throw std::runtime_error(LongText(3)); });
    } catch (const std::runtime_error& error) {
      return std::string(error.what());
    }
    return std::string();
  });
  EXPECT_EQ(future.Get(), LongText(3));
  auto uncaught = Isolate::Run(
      [] { return MakeParcel([]() -> Texts { throw std::runtime_error(LongText(4)); }); });
  try {
    (void)uncaught.Get();
    FAIL();
  } catch (const RemoteError& error) {
    EXPECT_EQ(error.message(), LongText(4));
  }
}

TEST(UnwoundBuilderTest, ExitInABuilderHandsItsMessageOver) {
  ReceivePort<Texts> port;
  auto spawned = Isolate::Spawn(
      [](SendPort<Texts> to) {
        (void)MakeParcel([&to]() -> Texts { Isolate::Exit(to, MakeTexts(20)); });
      },
      port.send_port());
  auto received = port.Receive(kForever);
  ASSERT_TRUE(received.has_value());
  EXPECT_EQ(received->at(19), LongText(19));
  (void)spawned.Get();
}

TEST(UnwoundBuilderTest, KillWhileTheBuilderWaits) {
  ReceivePort<int> ready;
  ReceivePort<int> ended;
  auto isolate = Isolate::Spawn(
                     [](SendPort<int> to) {
                       (void)MakeParcel([&to] {
                         Texts texts = MakeTexts(20);
                         ReceivePort<int> never;
                         to.Send(1);
                         (void)never.Receive(kForever);
                         return texts;
                       });
                       ADD_FAILURE() << "the builder has come back";
                     },
                     ready.send_port(), SpawnOptions().OnExit(ended.send_port(), 2))
                     .Get();
  EXPECT_EQ(ready.Receive(kForever), 1);
  isolate.Kill(ControlPriority::kImmediate);
  EXPECT_EQ(ended.Receive(kForever), 2);
}

TEST(RunParcelPolicyTest, TheValueMayBeCopiedOut) {
  auto parcel = Isolate::RunParcel(RunOptions().Carry(CarryPolicy::kCopyOut), [] {
                  return MakeTexts(100);
                }).Get();
  EXPECT_EQ(parcel->size(), 100U);
  EXPECT_EQ(parcel.receipt().copied_out, OnMimalloc());
  EXPECT_EQ(parcel.receipt().droppable, OnMimalloc());
}

}  // namespace
}  // namespace isolates
