// What is handed over may be a copy: because the caller gave no temporary, or because the move of
// the type copies. A copy leaves behind what a move would have taken along, so the copy is judged.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_set>
#include <utility>
#include <vector>

#include "isolates/detail/heap.h"
#include "isolates/isolates.h"

namespace isolates {
namespace {

using testing::HasSubstr;

std::string LongText() { return std::string(200, 'x'); }

struct Shared {
  std::shared_ptr<int> number;
};
struct Viewed {
  std::string text = LongText();
  std::string_view view;
};
struct ConstText {
  const std::string text = LongText();
  std::string_view view;
};
struct ConstShared {
  const std::shared_ptr<int> number = std::make_shared<int>(1);
};
// Has a destructor, so it has no move: it is copied.
struct Copied {
  std::string text = LongText();
  std::string_view view;
  ~Copied() {}  // NOLINT(modernize-use-equals-default): that is the point
};

template <class T>
std::string RefusalOf(const T& action) {
  try {
    action();
  } catch (const TransferError& error) {
    return error.what();
  } catch (const RemoteError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(HandOverCopiesTest, ACopyOfASharedPointerIsRefused) {
  ReceivePort<Shared> port;
  const Shared kept{std::make_shared<int>(1)};
  EXPECT_THAT(RefusalOf([&] { (void)port.send_port().Send(kept); }),
              HasSubstr("shared_ptr with 2 references"));
  EXPECT_EQ(kept.number.use_count(), 1);
  Shared given{std::make_shared<int>(1)};
  EXPECT_EQ(port.send_port().Send(std::move(given)), SendResult::kAccepted);
}

TEST(HandOverCopiesTest, ACopyWhoseViewLeadsIntoTheOriginalIsRefused) {
  ReceivePort<Viewed> port;
  Viewed message;
  message.view = message.text;
  EXPECT_THAT(RefusalOf([&] { (void)port.send_port().Send(std::as_const(message)); }),
              HasSubstr("string_view into"));
  EXPECT_EQ(port.send_port().Send(std::move(message)), SendResult::kAccepted);
  const auto received = port.Receive(kForever);
  EXPECT_EQ(received->view.data(), received->text.data());
}

TEST(HandOverCopiesTest, LvalueArgumentsOfLaunchesAreCopiesToo) {
  Shared kept{std::make_shared<int>(1)};
  EXPECT_THAT(RefusalOf([&] { Isolate::Run([](Shared) { return 1; }, kept).Get(); }),
              HasSubstr("shared_ptr with 2 references"));
  EXPECT_THAT(RefusalOf([&] { Isolate::Spawn([](Shared) {}, kept).Get(); }),
              HasSubstr("shared_ptr with 2 references"));
  EXPECT_EQ(Isolate::Run([](Shared given) { return *given.number; }, std::move(kept)).Get(), 1);
}

TEST(HandOverCopiesTest, AResultThatIsReturnedByReferenceIsACopy) {
  EXPECT_THAT(RefusalOf([] {
                static Shared kept{std::make_shared<int>(1)};
                Isolate::Run([]() -> Shared& { return kept; }).Get();
              }),
              HasSubstr("shared_ptr with 2 references"));
}

TEST(HandOverCopiesTest, SoIsAConstTemporary) {
  const Shared kept{std::make_shared<int>(1)};
  EXPECT_THAT(RefusalOf([&] { Isolate::Run([](Shared) { return 1; }, std::move(kept)).Get(); }),
              HasSubstr("shared_ptr with 2 references"));
  EXPECT_THAT(RefusalOf([&] { Isolate::Spawn([](Shared) {}, std::move(kept)).Get(); }),
              HasSubstr("shared_ptr with 2 references"));
  EXPECT_THAT(RefusalOf([] {
                Isolate::Run([]() -> const Viewed {  // NOLINT(readability-const-return-type)
                  Viewed made;
                  made.view = made.text;
                  return made;
                })
                    .Get();
              }),
              HasSubstr("result.view: string_view into"));
}

struct PlainConst {
  const int number = 1;
  std::string text;
  std::string_view view;
};
struct Assigns {
  const std::shared_ptr<int> number;
  std::vector<int> numbers;
  template <class U>
  Assigns& operator=(U&&) {  // NOLINT(bugprone-forwarding-reference-overload)
    return *this;
  }
};

TEST(HandOverCopiesTest, AMoveThatCopiesIsFoundOutByASecondLook) {
  static_assert(internal::kLooksAgain<ConstText> && internal::kLooksAgain<ConstShared>);
  static_assert(internal::kLooksAgain<Assigns> && !internal::kLooksAgain<PlainConst>);
  static_assert(internal::kLooksAgain<Copied> && internal::kLooksAgain<std::pair<int, Copied>>);
  static_assert(!internal::kLooksAgain<Viewed> && !internal::kLooksAgain<std::vector<ConstText>>);
  static_assert(!internal::kLooksAgain<std::vector<std::string>> && !internal::kLooksAgain<int*>);

  ReceivePort<ConstText> texts;
  ConstText text;
  text.view = text.text;
  EXPECT_THAT(RefusalOf([&] { (void)texts.send_port().Send(std::move(text)); }),
              HasSubstr("message.view: string_view into"));
  EXPECT_EQ(text.view.data(), text.text.data());  // NOLINT(bugprone-use-after-move): refused
  EXPECT_EQ(text.view, LongText());

  ReceivePort<ConstShared> numbers;
  ConstShared number;
  EXPECT_THAT(RefusalOf([&] { (void)numbers.send_port().Send(std::move(number)); }),
              HasSubstr("shared_ptr with 2 references"));
  EXPECT_EQ(number.number.use_count(), 1);  // NOLINT(bugprone-use-after-move)

  // Out of line nothing is moved, and nothing left behind.
  ReceivePort<std::unique_ptr<ConstText>> boxes;
  auto box = std::make_unique<ConstText>();
  box->view = box->text;
  EXPECT_EQ(boxes.send_port().Send(std::move(box)), SendResult::kAccepted);
}

TEST(HandOverCopiesTest, EveryKindOfHandOverLooksAgain) {
  ConstText text;
  text.view = text.text;
  EXPECT_THAT(RefusalOf([&] { (void)Freeze(std::move(text)); }),
              HasSubstr("value.view: string_view into"));
  Copied copied;
  copied.view = copied.text;
  EXPECT_THAT(RefusalOf([&] { Isolate::Run([](Copied) { return 1; }, std::move(copied)).Get(); }),
              HasSubstr("argument.view: string_view into"));
  EXPECT_THAT(RefusalOf([&] { Isolate::Spawn([](Copied) {}, std::move(copied)).Get(); }),
              HasSubstr("argument.view: string_view into"));
  // (By reference: a value would be made in place.)
  EXPECT_THAT(RefusalOf([] {
                Isolate::Run([]() -> Copied&& {
                  static Copied made;
                  made.view = made.text;
                  return std::move(made);
                }).Get();
              }),
              HasSubstr("result.view: string_view into"));
  ReceivePort<Copied> port;
  EXPECT_THAT(RefusalOf([&] { (void)port.send_port().SendWithReceipt(std::move(copied)); }),
              HasSubstr("message.view: string_view into"));
  EXPECT_EQ(
      Isolate::Run(
          [](SendPort<Copied> to) {
            Copied last;
            last.view = last.text;
            const std::string refusal = RefusalOf([&] { Isolate::Exit(to, std::move(last)); });
            return refusal.find("message.view: string_view into") != std::string::npos ? 1 : 0;
          },
          port.send_port())
          .Get(),
      1);
}

struct Mixed {
  const std::string text = LongText();
  std::string_view view;
  std::vector<int> numbers = std::vector<int>(10);
};

// What such a move leaves behind stays with the sender, the rest is gone with the refused copy.
TEST(HandOverCopiesTest, ARefusalAtTheSecondLookHandsOverNothing) {
  ReceivePort<Mixed> port;
  Mixed message;
  message.view = message.text;
  EXPECT_THROW((void)port.send_port().Send(std::move(message)), TransferError);
  EXPECT_EQ(message.view, LongText());  // NOLINT(bugprone-use-after-move)
  message.view = {};
  EXPECT_EQ(port.send_port().Send(std::move(message)), SendResult::kAccepted);
  EXPECT_EQ(port.Receive(kForever)->text, LongText());
}

// ---- parcels that const references can change ----

struct Named {
  std::string_view name;
};

TEST(ChangedParcelTest, AViewPutInThroughAConstReferenceIsSeen) {
  ReceivePort<Parcel<std::unique_ptr<Named>>> port;
  auto parcel = MakeParcel([] { return std::make_unique<Named>(); });
  EXPECT_FALSE(parcel.receipt().droppable);  // rule H4
  const std::string local = LongText();
  parcel.get()->name = local;
  EXPECT_THAT(RefusalOf([&] { (void)port.send_port().Send(std::move(parcel)); }),
              HasSubstr("string_view into"));
  parcel.get()->name = {};
  EXPECT_EQ(port.send_port().Send(std::move(parcel)), SendResult::kAccepted);
}

// In a builder: whether its heap counts as shared after the action.
template <class Action>
bool SharesItsHeap(Action action) {
  return Isolate::RunParcel([action] {
           action();
           return internal::CurrentHeap() == nullptr || internal::CurrentHeap()->shared();
         })
      .Get()
      .get();
}

TEST(ChangedParcelTest, BlocksThatLeaveUnseenShareTheBuildersHeap) {
  if (allocator() == Allocator::kMalloc) GTEST_SKIP() << "needs the mimalloc back end";
  EXPECT_FALSE(SharesItsHeap([] { (void)MakeParcel([] { return LongText(); }); }));
  // Put into a parcel through a const reference, which is then sent.
  EXPECT_TRUE(SharesItsHeap([] {
    ReceivePort<Parcel<std::vector<std::unique_ptr<std::string>>>> port;
    auto parcel = MakeParcel([] {
      std::vector<std::unique_ptr<std::string>> texts;
      texts.push_back(std::make_unique<std::string>());
      return texts;
    });
    *parcel.get()[0] = LongText();
    (void)port.send_port().Send(std::move(parcel));
  }));
  // Captured by a callable.
  EXPECT_TRUE(SharesItsHeap([] {
    std::string text = LongText();
    (void)MakeParcel([&text] {
      return std::function<std::size_t()>([text = std::move(text)] { return text.size(); });
    });
  }));
  // Taken on trust.
  EXPECT_TRUE(SharesItsHeap([] {
    std::string text = LongText();
    (void)MakeParcel([&text] { return UnsafeTransfer<std::string>{std::move(text)}; });
  }));
}

// ---- an isolate that ends while one of its values is made ----

struct Breaks {};

TEST(IsolateLocalEndTest, AFactoryWhoseIsolateEndsMeanwhile) {
  std::thread([] {
    ReceivePort<int> listened;
    const auto to = listened.send_port();
    std::move(listened).Listen([](int) { throw Breaks(); });
    EXPECT_EQ(to.Send(1), SendResult::kAccepted);
    static IsolateLocal<int> value(+[] {
      ReceivePort<int> never;
      return never.Receive(std::chrono::seconds(10)).value_or(7);
    });
    EXPECT_THROW((void)value.Get(), Breaks);
  }).join();
}

// ---- types ----

struct FinalHash final {
  std::size_t operator()(int number) const { return static_cast<std::size_t>(number); }
};
struct Handle final {
  int descriptor;
};
struct Plainly {
  int x;
};
struct Destroying {
  int x;
  static void operator delete(Destroying* object, std::destroying_delete_t, std::size_t) {
    ::operator delete(object);
  }
};
class First {
 public:
  int number_ = 0;
  using IsolatesMembers = Members<&First::number_>;
};
class Second : public First {
 public:
  using IsolatesMembers = Members<Base<First>{}>;
};
class Forgetful : public Second {
 public:
  int* pointer_ = nullptr;
};

}  // namespace
}  // namespace isolates

template <>
struct std::default_delete<isolates::Handle> {
  void operator()(isolates::Handle* handle) const { ::operator delete(handle); }
};
template <>
struct std::default_delete<isolates::Plainly[]> {
  void operator()(isolates::Plainly* first) const { ::operator delete[](first); }
};

namespace isolates {
namespace {

TEST(TypeTest, DeletersAndListsOfOnesOwnAreNoticed) {
  static_assert(!Transferable<std::unique_ptr<Handle>>);
  static_assert(!Transferable<std::unique_ptr<Plainly[]>>);
  static_assert(Transferable<std::unique_ptr<Plainly>>);
  static_assert(!kRegionDroppable<std::unique_ptr<Destroying>>);
  static_assert(Transferable<Second> && !Transferable<Forgetful>);
}

TEST(TypeTest, AFinalHashMovesTheBucketsElsewhere) {
  std::unordered_set<int, FinalHash> numbers;
  for (int i = 0; i < 100; ++i) numbers.insert(i);
  static_assert(!kRegionDroppable<decltype(numbers)>);
  EXPECT_TRUE(Verify(numbers).ok());
  EXPECT_EQ(Verify(numbers).blocks, 100U);  // the buckets are not known
}

}  // namespace
}  // namespace isolates
