#include "isolates/detail/parker.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace isolates::internal {
namespace {

using std::chrono::hours;
using std::chrono::nanoseconds;

TEST(ParkerTest, TokenLeftBeforeParkIsTakenAtOnce) {
  Parker parker;
  parker.Unpark();
  EXPECT_TRUE(parker.Park());
}

TEST(ParkerTest, SeveralTokensCountAsOne) {
  Parker parker;
  parker.Unpark();
  parker.Unpark();
  EXPECT_TRUE(parker.Park());
  EXPECT_FALSE(parker.Park(TimePoint::min()));
}

TEST(ParkerTest, ParkWithAPassedDeadlineReturnsFalse) {
  Parker parker;
  EXPECT_FALSE(parker.Park(TimePoint(nanoseconds(1))));
  EXPECT_FALSE(parker.Park(std::chrono::steady_clock::now()));
}

TEST(ParkerTest, TokenIsTakenEvenIfTheDeadlineHasPassed) {
  Parker parker;
  parker.Unpark();
  EXPECT_TRUE(parker.Park(TimePoint::min()));
}

TEST(ParkerTest, ParkReturnsAtItsDeadline) {
  Parker parker;
  const TimePoint deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(2);
  while (parker.Park(deadline)) {
  }
  EXPECT_GE(std::chrono::steady_clock::now(), deadline);
}

TEST(ParkerTest, UnparkWakesASleeperWithAFarDeadline) {
  Parker parker;
  std::thread waker([&] { parker.Unpark(); });
  EXPECT_TRUE(parker.Park(std::chrono::steady_clock::now() + hours(1)));
  waker.join();
}

TEST(ParkerTest, WhatWasDoneBeforeUnparkIsVisibleAfterPark) {
  for (int round = 0; round < 2000; ++round) {
    Parker parker;
    int plain = 0;  // a data race, and ThreadSanitizer's, if the token does not publish it
    std::thread waker([&] {
      plain = round + 1;
      parker.Unpark();
    });
    EXPECT_TRUE(parker.Park());
    EXPECT_EQ(plain, round + 1);
    waker.join();
  }
}

TEST(ParkerTest, ManyUnparkersLoseNoWakeUp) {
  constexpr int kThreads = 4;
  constexpr int kRounds = 5000;
  Parker parker;
  std::atomic<int> count{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < kRounds; ++i) {
        count.fetch_add(1, std::memory_order_relaxed);
        parker.Unpark();
      }
    });
  }
  while (count.load(std::memory_order_relaxed) < kThreads * kRounds) parker.Park();
  for (auto& thread : threads) thread.join();
}

TEST(ParkerTest, PingPongBetweenTwoThreadsEnds) {
  constexpr int kRounds = 20000;
  Parker ping;
  Parker pong;
  std::atomic<int> turn{0};
  std::thread other([&] {
    for (int i = 0; i < kRounds; ++i) {
      while (turn.load(std::memory_order_acquire) != 2 * i + 1) pong.Park();
      turn.store(2 * i + 2, std::memory_order_release);
      ping.Unpark();
    }
  });
  for (int i = 0; i < kRounds; ++i) {
    turn.store(2 * i + 1, std::memory_order_release);
    pong.Unpark();
    while (turn.load(std::memory_order_acquire) != 2 * i + 2) ping.Park();
  }
  other.join();
}

}  // namespace
}  // namespace isolates::internal
