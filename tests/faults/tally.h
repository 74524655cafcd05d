// What has become of the messages of a scenario.

#ifndef ISOLATES_TESTS_FAULTS_TALLY_H_
#define ISOLATES_TESTS_FAULTS_TALLY_H_

#include <atomic>
#include <string>
#include <string_view>
#include <utility>

#include "isolates/isolates.h"

namespace isolates {

// A message with memory of its own.
struct Letter {
  int number = 0;
  std::string text;
};

inline Letter MakeLetter(int number) {
  return Letter{number, "a letter that is too long for its string to hold it in itself"};
}

// Statics, because closures that are sent refer to nothing on a stack. relaxed - counters, read
// when all isolates have ended.
struct Tally {
  static inline std::atomic<int> accepted{0};
  static inline std::atomic<int> received{0};
  static inline std::atomic<int> spoiled{0};  // came back changed, or arrived so

  static void Clear() {
    for (auto* count : {&accepted, &received, &spoiled}) {
      count->store(0, std::memory_order_relaxed);
    }
  }
  static void Add(std::atomic<int>& count) { count.fetch_add(1, std::memory_order_relaxed); }
  static void Received(const Letter& letter) {
    Add(received);
    if (letter.text.empty() || letter.number == 0) Add(spoiled);
  }
};

// Sends a letter and counts what was accepted. One that was not must be what it was.
inline bool Post(const SendPort<Letter>& to, int number) {
  Letter letter = MakeLetter(number);
  try {
    if (to.Send(std::move(letter)) == SendResult::kAccepted) {
      Tally::Add(Tally::accepted);
      return true;
    }
  } catch (...) {
    // NOLINTNEXTLINE(bugprone-use-after-move): what was not sent has stayed
    if (letter.text.empty()) Tally::Add(Tally::spoiled);
    throw;
  }
  if (letter.text.empty()) Tally::Add(Tally::spoiled);  // NOLINT(bugprone-use-after-move): the same
  return false;
}

}  // namespace isolates

#endif  // ISOLATES_TESTS_FAULTS_TALLY_H_
