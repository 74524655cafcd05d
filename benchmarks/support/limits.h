// What the machine itself does: no library that moves messages between processors is faster.
//
// Nanoseconds for each operation. The two processors must differ: parties that spin on one and the
// same would wait for the scheduler. Each call starts and ends its own threads.

#ifndef ISOLATES_BENCHMARKS_SUPPORT_LIMITS_H_
#define ISOLATES_BENCHMARKS_SUPPORT_LIMITS_H_

#include <cstddef>
#include <optional>

#include "benchmarks/support/placement.h"

namespace isolates::bench {

// One cache line to and fro between two processors that spin: a round trip. The better of with and
// without a pause in the loops.
double RawBounce(CpuPair cpus, int round_trips = 50'000);

// Messages of 64 bytes through a ring in one direction: each. Both sides publish their index once
// for many messages, and remember the other's.
double RawStream(CpuPair cpus, int messages = 2'000'000);

// Messages of 8, 48 or 64 bytes to and fro through two bare lanes: rings of slots that hold a
// message and its number, in one cache line if both fit. A round trip; the better of with and
// without a pause in the loops. What a port can come near to that hands over by value.
//
// RawBounce answers in the line that it has just read. Here each direction has lines of its own,
// which the sender has to take from the receiver before that one can read them: where the processor
// hands a line over with the right to write it, twice as many transfers.
double BareLaneRoundTrip(CpuPair cpus, std::size_t bytes, int round_trips = 50'000);

// Two threads that sleep in a futex and wake each other: a round trip.
double FutexRoundTrip(CpuPair cpus, int round_trips = 500);

// From the wake of a thread that has slept in a futex for `asleep_us` to its first instruction; the
// median.
double FutexWakeUp(CpuPair cpus, int wake_ups = 50, int asleep_us = 1'000);

// A copy of so many bytes between two buffers that were used before: each.
double MemcpyOf(std::size_t bytes);

// mimalloc's answer to which heap a block belongs to, for many blocks from a list: each. Nothing if
// the program is linked with another allocator.
std::optional<double> MiHeapOf();

}  // namespace isolates::bench

#endif  // ISOLATES_BENCHMARKS_SUPPORT_LIMITS_H_
