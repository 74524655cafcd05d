// What a program would use without this library.
//
// Nanoseconds for each operation. Where two processors are given they must differ.

#ifndef ISOLATES_BENCHMARKS_SUPPORT_BASELINES_H_
#define ISOLATES_BENCHMARKS_SUPPORT_BASELINES_H_

#include "benchmarks/support/placement.h"

namespace isolates::bench {

// moodycamel::ConcurrentQueue with tokens, messages of 64 bytes by value, both sides spin. A round
// trip through two queues; the better of with and without a pause in the loops.
double MoodycamelRoundTrip(CpuPair cpus, int round_trips = 50'000);
// One producer, one consumer: each message.
double MoodycamelStream(CpuPair cpus, int messages = 1'000'000);
// Four producers on cpus.far, one consumer on cpus.near: each message, of `messages` in all.
double MoodycamelFourToOne(CpuPair cpus, int messages = 1'000'000);

// A message of 64 bytes to and fro by std::mutex and std::condition_variable: a round trip.
double MutexCondvarRoundTrip(CpuPair cpus, int round_trips = 500);

// A trivial function by std::async(std::launch::async), its result awaited.
double StdAsync(int calls = 200);
// The same by a std::thread that fulfils a std::promise and is joined.
double ThreadWithPromise(int calls = 200);

}  // namespace isolates::bench

#endif  // ISOLATES_BENCHMARKS_SUPPORT_BASELINES_H_
