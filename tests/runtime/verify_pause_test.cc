// A long verification lets others run: with one worker, which verifies, and a main thread that is
// busy elsewhere, a ready isolate gets its turn all the same.

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "isolates/isolates.h"

namespace isolates {
namespace {

// Statics on purpose: what the turns tell the test.
std::atomic<bool> other_ran{false};
std::atomic<bool> verified{false};

// Its verification ends only when the other isolate has run.
struct WaitsForOther {};

}  // namespace

template <>
struct TransferTraits<WaitsForOther> {
  static constexpr TransferClass kClass = TransferClass::kChecked;
  static constexpr bool kDroppable = true;
  static void Walk(const WaitsForOther&, internal::Walker&) {
    while (!other_ran.load(std::memory_order_acquire)) std::this_thread::yield();
  }
};

namespace {

struct Message {
  std::vector<std::vector<int>> rows;
  WaitsForOther last;
};

TEST(VerifyPauseTest, ReadyIsolatesRunBesideALongVerification) {
  RuntimeOptions options;
  options.workers = 1;
  ConfigureRuntime(options);
  auto verifier = Isolate::Run([] {
    auto other =
        Isolate::Run([] { other_ran.store(true, std::memory_order_release); });  // test's signal
    const Message message{std::vector(200'000, std::vector<int>(1)), {}};
    const bool ok = Verify(message).ok();
    verified.store(true, std::memory_order_release);  // test's signal
    other.Get();
    return ok;
  });
  // Not in the library: a waiting main thread would give its processor to the other isolate.
  while (!verified.load(std::memory_order_acquire)) std::this_thread::yield();
  EXPECT_TRUE(verifier.Get());
}

}  // namespace
}  // namespace isolates
