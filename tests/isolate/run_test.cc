// Isolate::Run: results, arguments, errors, and what is refused.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "isolates/isolates.h"

namespace isolates {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// What a failing future says; an empty error if it did not fail.
template <class T>
RemoteError ErrorOf(Future<T> future) {
  try {
    (void)future.Get();
  } catch (const RemoteError& error) {
    return error;
  }
  ADD_FAILURE() << "the future has not failed";
  return RemoteError("", "", "");
}

int Add(int a, int b) { return a + b; }
void Nothing() {}
Task<std::string> Shout(std::string text) {
  co_await Delay(std::chrono::microseconds(1));
  co_return text + "! and this is too long for the small string";
}
Task<> AwaitsNothing() { co_return; }

TEST(RunTest, AFunctionWithArguments) { EXPECT_EQ(Isolate::Run(Add, 2, 3).Get(), 5); }

TEST(RunTest, AClosure) {
  int captured = 4;
  EXPECT_EQ(Isolate::Run([captured] { return captured * 2; }).Get(), 8);
}

TEST(RunTest, AClosureWithAString) {
  std::string captured = "a string that is too long to be kept in place";
  EXPECT_EQ(Isolate::Run([captured] { return captured.size(); }).Get(), captured.size());
}

TEST(RunTest, VoidFunctionsAndCoroutines) {
  Isolate::Run(Nothing).Get();
  Isolate::Run(AwaitsNothing).Get();
  EXPECT_THAT(Isolate::Run(Shout, std::string("hello")).Get(), HasSubstr("hello!"));
}

TEST(RunTest, ACoroutineClosureMayUseItsCaptures) {
  const std::string captured = "captured, and too long for the small string";
  auto closure = [captured](int number) -> Task<std::string> {
    co_await Delay(std::chrono::microseconds(1));
    co_return captured + std::to_string(number);
  };
  EXPECT_EQ(Isolate::Run(closure, 7).Get(), captured + "7");
}

TEST(RunTest, AFunctionThatReturnsAFuture) {
  EXPECT_EQ(Isolate::Run([] { return Isolate::Run(Add, 1, 2); }).Get(), 3);
}

TEST(RunTest, AMoveOnlyResultAndArgument) {
  auto result = Isolate::Run(
                    [](std::unique_ptr<int> number) {
                      *number += 1;
                      return number;
                    },
                    std::make_unique<int>(1))
                    .Get();
  EXPECT_EQ(*result, 2);
}

TEST(RunTest, AMoveOnlyClosure) {
  auto owner = std::make_unique<int>(3);
  EXPECT_EQ(Isolate::Run([owner = std::move(owner)] { return *owner; }).Get(), 3);
}

TEST(RunTest, TheResultIsHandedOverWithoutACopy) {
  const auto [address, result] = [] {
    auto pair = Isolate::Run([] {
                  std::vector<int> numbers(1000, 1);
                  const auto where = reinterpret_cast<std::uintptr_t>(numbers.data());
                  return std::make_pair(where, std::move(numbers));
                }).Get();
    return pair;
  }();
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(result.data()), address);
}

TEST(RunTest, AResultOfNestedContainers) {
  const auto result = Isolate::Run([] {
                        std::map<std::string, std::vector<std::string>> map;
                        for (int i = 0; i < 50; ++i) {
                          map["key number " + std::to_string(i)].assign(3, std::string(50, 'v'));
                        }
                        return map;
                      }).Get();
  ASSERT_EQ(result.size(), 50U);
  EXPECT_EQ(result.begin()->second.size(), 3U);
}

TEST(RunTest, ResultsOutliveTheirIsolatesAndAreFreedHere) {
  std::vector<std::string> kept;
  for (int i = 0; i < 500; ++i) {
    kept.push_back(
        Isolate::Run([](int n) { return std::string(40, static_cast<char>('a' + n % 26)); }, i)
            .Get());
    if (i % 3 == 0) kept.erase(kept.begin());
  }
  for (const auto& text : kept) EXPECT_EQ(text.size(), 40U);
}

TEST(RunTest, ManyAtOnce) {
  std::vector<Future<int>> futures;
  for (int i = 0; i < 200; ++i) futures.push_back(Isolate::Run(Add, i, 1));
  const auto results = WhenAll(std::move(futures)).Get();
  for (int i = 0; i < 200; ++i) EXPECT_EQ(results[static_cast<std::size_t>(i)], i + 1);
}

TEST(RunTest, ItEndsWithItsResultThoughItsPortsAreOpen) {
  EXPECT_EQ(Isolate::Run([] {
              ReceivePort<int>().send_port();
              ReceivePort<int> port;
              std::move(port).Listen([](int) {});
              return 1;
            }).Get(),
            1);
}

// Tells when it is destroyed.
class Ends {
 public:
  explicit Ends(SendPort<int> port) : port_(std::move(port)) {}
  Ends(Ends&& other) noexcept : port_(std::exchange(other.port_, {})) {}
  Ends& operator=(Ends&&) = delete;
  ~Ends() {
    if (port_.id() != 0) port_.Send(1);
  }

 private:
  SendPort<int> port_;

 public:
  using IsolatesMembers = Members<&Ends::port_>;
};

TEST(RunTest, CallableAndArgumentsAreDestroyedBeforeTheResultIsThere) {
  ReceivePort<int> ends;
  Isolate::Run([](const Ends&) {}, Ends(ends.send_port())).Get();
  EXPECT_EQ(ends.TryReceive(), 1);
  EXPECT_EQ(ends.TryReceive(), std::nullopt);
}

// --- errors
// ----------------------------------------------------------------------------------------

TEST(RunErrorTest, AnExceptionComesBackWithTypeMessageAndIsolate) {
  const auto error = ErrorOf(Isolate::Run(RunOptions().DebugName("parser"),
                                          []() -> int { throw std::out_of_range("position 7"); }));
  EXPECT_EQ(error.type(), "std::out_of_range");
  EXPECT_EQ(error.message(), "position 7");
  EXPECT_EQ(error.isolate_name(), "parser");
}

TEST(RunErrorTest, AnExceptionThatIsNotAStdException) {
  const auto error = ErrorOf(Isolate::Run([]() -> int { throw 42; }));
  EXPECT_FALSE(error.type().empty());
  EXPECT_THAT(error.message(), HasSubstr("not derived from std::exception"));
}

TEST(RunErrorTest, AnErrorInACoroutineBeforeAndAfterItWaited) {
  const auto fail = [](bool wait) -> Task<int> {
    if (wait) co_await Delay(std::chrono::microseconds(1));
    throw std::runtime_error("failed");
  };
  EXPECT_EQ(ErrorOf(Isolate::Run(fail, false)).message(), "failed");
  EXPECT_EQ(ErrorOf(Isolate::Run(fail, true)).message(), "failed");
}

TEST(RunErrorTest, AnErrorOfAVoidFunction) {
  EXPECT_EQ(ErrorOf(Isolate::Run([] { throw std::logic_error("l"); })).type(), "std::logic_error");
}

TEST(RunErrorTest, AnErrorOfAnErrorKeepsItsOrigin) {
  const auto error = ErrorOf(Isolate::Run(RunOptions().DebugName("outer"), [] {
    return Isolate::Run(RunOptions().DebugName("inner"),
                        []() -> int { throw std::runtime_error("deep"); })
        .Get();
  }));
  EXPECT_EQ(error.type(), "std::runtime_error");
  EXPECT_EQ(error.message(), "deep");
  EXPECT_EQ(error.isolate_name(), "inner");
}

TEST(RunErrorTest, ALongMessageArrivesWhole) {
  const auto error =
      ErrorOf(Isolate::Run([]() -> int { throw std::runtime_error(std::string(5000, 'e')); }));
  EXPECT_EQ(error.message(), std::string(5000, 'e'));
}

Task<int> WaitsForEver() {
  Completer<int> never;
  co_return co_await never.future();
}

TEST(RunErrorTest, AComputationThatWaitsForItselfEndsWithoutAResult) {
  // The frame holds the Completer, so nobody else could complete it.
  const auto error = ErrorOf(Isolate::Run(WaitsForEver));
  EXPECT_THAT(error.message(), HasSubstr("without a result"));
}

Task<int> WaitsOnAPortThatDoesNotCount() {
  ReceivePort<int> port;
  port.set_keep_isolate_alive(false);
  co_return *(co_await port.Receive());
}

TEST(RunErrorTest, AComputationThatNothingKeepsAliveEndsWithoutAResult) {
  EXPECT_THAT(ErrorOf(Isolate::Run(WaitsOnAPortThatDoesNotCount)).message(),
              HasSubstr("without a result"));
}

TEST(RunErrorTest, AComputationThatExitsEndsWithoutAResult) {
  EXPECT_THAT(ErrorOf(Isolate::Run([]() -> int { Isolate::Exit(); })).message(),
              HasSubstr("without a result"));
}

TEST(RunErrorTest, ErrorsThatAreNotFatalStillFailTheFuture) {
  const auto error = ErrorOf(Isolate::Run([]() -> int {
    Isolate::Current().SetErrorsFatal(false);
    Isolate::Run(Nothing).Get();
    throw std::runtime_error("the cause");
  }));
  EXPECT_FALSE(error.message().empty());
}

// --- refusals
// --------------------------------------------------------------------------------------

TEST(RunRefusalTest, AViewIntoALocalIsRefusedHereWithThePath) {
  std::string local = "a string that is too long to be kept in place";
  try {
    (void)Isolate::Run([](std::string_view view) { return view.size(); }, std::string_view(local));
    FAIL() << "sent";
  } catch (const TransferError& error) {
    ASSERT_FALSE(error.violations().empty());
    EXPECT_THAT(error.what(), HasSubstr("argument"));
  }
}

TEST(RunRefusalTest, AViewOfALiteralIsSent) {
  EXPECT_EQ(
      Isolate::Run([](std::string_view view) { return view.size(); }, std::string_view("four"))
          .Get(),
      4U);
}

TEST(RunRefusalTest, APointerToALocalIsRefused) {
  int local = 1;
  EXPECT_THROW((void)Isolate::Run([](int* p) { return p == nullptr; }, &local), TransferError);
}

TEST(RunRefusalTest, AClosureThatCapturesByReferenceIsRefused) {
  int local = 1;
  try {
    (void)Isolate::Run([&] { return local; });
    FAIL() << "sent";
  } catch (const TransferError& error) {
    EXPECT_THAT(error.what(), HasSubstr("function"));
  }
}

TEST(RunRefusalTest, AClosureThatOnlyLooksSuspiciousIsRefusedAtKAlways) {
  int local = 1;
  const auto suspicious = [text =
                               std::string("too long to be kept in place, so nothing points here"),
                           &local] { return text.size() + static_cast<std::size_t>(local); };
  const auto warnings = closure_warnings();
  EXPECT_GT(Isolate::Run(suspicious).Get(), 1U);  // this thread waits, so the reference is good
  EXPECT_EQ(closure_warnings(), warnings + 1);
  EXPECT_THROW((void)Isolate::Run(RunOptions().Verify(VerifyLevel::kAlways), suspicious),
               TransferError);
}

TEST(RunRefusalTest, ARefusedResultFailsTheFutureWithThePath) {
  const auto error = ErrorOf(Isolate::Run([] {
    std::string local = "a string that is too long to be kept in place";
    return std::vector<std::string_view>{std::string_view("fine"), std::string_view(local)};
  }));
  EXPECT_THAT(error.type(), HasSubstr("TransferError"));
  EXPECT_THAT(error.message(), HasSubstr("result[1]"));
}

TEST(RunRefusalTest, NothingRunsIfAnArgumentIsRefused) {
  static std::atomic<int> runs{0};
  std::string local = "a string that is too long to be kept in place";
  const auto before = runtime_info().isolates_started;
  EXPECT_THROW(
      (void)Isolate::Run([](std::string_view) { runs.fetch_add(1); }, std::string_view(local)),
      TransferError);
  EXPECT_EQ(runs.load(), 0);
  EXPECT_EQ(runtime_info().isolates_started, before);
}

}  // namespace
}  // namespace isolates
