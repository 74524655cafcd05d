#include "isolates/detail/threads.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <latch>
#include <string>
#include <thread>
#include <vector>

namespace isolates::internal {
namespace {

using testing::Optional;

TEST(ThreadsTest, UnregisteredThreadsAreUnknown) {
  std::thread([] {
    int local = 0;
    EXPECT_FALSE(IsOnAnyStack(&local));
    EXPECT_EQ(StackNameOf(&local), std::nullopt);
    NameThisThread("nobody");  // has no entry to name
    EXPECT_FALSE(IsOnAnyStack(&local));
  }).join();
}

TEST(ThreadsTest, ALocalVariableIsOnTheStackOfItsThread) {
  std::thread([] {
    RegisterThisThread("first");
    int local = 0;
    EXPECT_TRUE(IsOnAnyStack(&local));
    EXPECT_THAT(StackNameOf(&local), Optional(std::string("first")));
    RegisterThisThread("second");
    EXPECT_THAT(StackNameOf(&local), Optional(std::string("second")));
    NameThisThread("third");
    EXPECT_THAT(StackNameOf(&local), Optional(std::string("third")));
  }).join();
}

TEST(ThreadsTest, HeapStaticsAndNullAreOnNoStack) {
  std::thread([] {
    RegisterThisThread("somebody");
    static int writable = 0;
    const auto block = std::make_unique<int>(0);
    EXPECT_FALSE(IsOnAnyStack(block.get()));
    EXPECT_FALSE(IsOnAnyStack(&writable));
    EXPECT_FALSE(IsOnAnyStack(nullptr));
  }).join();
}

TEST(ThreadsTest, AnotherThreadsStackIsFoundUntilTheThreadEnds) {
  const int* address = nullptr;
  std::latch published(1);
  std::latch looked(1);
  std::thread other([&] {
    RegisterThisThread("other thread");
    const int local = 0;
    address = &local;
    published.count_down();
    looked.wait();
  });
  published.wait();
  EXPECT_TRUE(IsOnAnyStack(address));
  EXPECT_THAT(StackNameOf(address), Optional(std::string("other thread")));
  looked.count_down();
  other.join();
  EXPECT_FALSE(IsOnAnyStack(address));
  EXPECT_EQ(StackNameOf(address), std::nullopt);
}

TEST(ThreadsTest, ALongNameIsCut) {
  std::thread([] {
    const std::string name(1000, 'n');
    RegisterThisThread(name);
    int local = 0;
    const auto found = StackNameOf(&local);
    ASSERT_TRUE(found.has_value());
    EXPECT_FALSE(found->empty());
    EXPECT_TRUE(name.starts_with(*found));
    RegisterThisThread("");
    EXPECT_THAT(StackNameOf(&local), Optional(std::string()));
  }).join();
}

TEST(ThreadsTest, ThreadsComeAndGoWhileOthersLook) {
  int local = 0;
  RegisterThisThread("the one that stays");
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([] {
      for (int i = 0; i < 100; ++i) {
        std::thread([] {
          RegisterThisThread("short-lived");
          int mine = 0;
          EXPECT_THAT(StackNameOf(&mine), Optional(std::string("short-lived")));
        }).join();
      }
    });
  }
  for (int i = 0; i < 1000; ++i) {
    EXPECT_THAT(StackNameOf(&local), Optional(std::string("the one that stays")));
  }
  for (auto& thread : threads) thread.join();
}

}  // namespace
}  // namespace isolates::internal
