// Relacy for our tests: its macros tamed, and an atomics provider for algorithms templated on
// StdAtomics.
//
// Relacy redefines new, delete, malloc, assert, errno and the names of the memory orders for code
// that calls it directly. Our algorithms know nothing of it (they take their atomics as a template
// argument), so all of these are taken back here; a model calls what it needs of Relacy by name:
// rl::var<T> with (RL_INFO), RL_ASSERT, ISOLATES_RL_NEW.
#ifndef ISOLATES_TESTS_MODEL_RELACY_H_
#define ISOLATES_TESTS_MODEL_RELACY_H_

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <ostream>
#include <source_location>
#include <streambuf>
#include <string>

#include "isolates/clock.h"

// Last: everything above must be read before its macros.
#include <relacy/relacy.hpp>

#undef new
#undef delete
#undef malloc
#undef calloc
#undef realloc
#undef free
#undef assert
#undef errno
#undef memory_order_relaxed
#undef memory_order_consume
#undef memory_order_acquire
#undef memory_order_release
#undef memory_order_acq_rel
#undef memory_order_seq_cst

// Blocks whose life Relacy follows: it reports leaks, double frees and accesses after the end.
#define ISOLATES_RL_NEW RL_NEW_PROXY
#define ISOLATES_RL_DELETE RL_DELETE_PROXY

namespace isolates::model {

// std::atomic's interface over rl::atomic; a report names the line of the algorithm.
template <class T>
class Atomic {
 public:
  using Where = std::source_location;

  Atomic() = default;
  explicit Atomic(T value) {
    atomic_.store(value, rl::mo_relaxed, rl::debug_info("initial value"));
  }
  Atomic(const Atomic&) = delete;
  Atomic& operator=(const Atomic&) = delete;

  T load(std::memory_order order, Where where = Where::current()) const {
    return atomic_.load(Order(order), Info(where));
  }
  void store(T value, std::memory_order order, Where where = Where::current()) {
    atomic_.store(value, Order(order), Info(where));
  }
  T exchange(T value, std::memory_order order, Where where = Where::current()) {
    return atomic_.exchange(value, Order(order), Info(where));
  }
  bool compare_exchange_weak(T& expected, T value, std::memory_order success,
                             std::memory_order failure, Where where = Where::current()) {
    return atomic_.compare_exchange_weak(expected, value, Order(success), Info(where),
                                         Order(failure), Info(where));
  }
  bool compare_exchange_strong(T& expected, T value, std::memory_order success,
                               std::memory_order failure, Where where = Where::current()) {
    return atomic_.compare_exchange_strong(expected, value, Order(success), Info(where),
                                           Order(failure), Info(where));
  }
  T fetch_add(T value, std::memory_order order, Where where = Where::current()) {
    return atomic_.fetch_add(value, Order(order), Info(where));
  }
  T fetch_sub(T value, std::memory_order order, Where where = Where::current()) {
    return atomic_.fetch_sub(value, Order(order), Info(where));
  }
  T fetch_and(T value, std::memory_order order, Where where = Where::current()) {
    return atomic_.fetch_and(value, Order(order), Info(where));
  }
  T fetch_or(T value, std::memory_order order, Where where = Where::current()) {
    return atomic_.fetch_or(value, Order(order), Info(where));
  }

  // The system's wait queue on this word: sleeps while it holds `expected`. If nobody ever wakes
  // the thread, Relacy reports a deadlock, unless the wait is timed.
  void FutexWait(T expected, bool timed, Where where = Where::current()) {
    rl::context& context = rl::ctx();
    context.sched();
    context.atomic_thread_fence_seq_cst();  // the kernel's lock
    bool sleep = false;
    {
      const rl::preemption_disabler whole(context);
      sleep = atomic_.load(rl::mo_acquire, Info(where)) == expected;
    }
    if (sleep) atomic_.wait(context, timed, /*allow_spurious_wakeup=*/true, Info(where));
  }
  void FutexWake(unsigned count, Where where = Where::current()) {
    rl::context& context = rl::ctx();
    context.sched();
    context.atomic_thread_fence_seq_cst();
    atomic_.wake(context, count, Info(where));
  }

 private:
  static rl::memory_order Order(std::memory_order order) {
    switch (order) {
      case std::memory_order::relaxed:
        return rl::mo_relaxed;
      case std::memory_order::consume:
        return rl::mo_consume;
      case std::memory_order::acquire:
        return rl::mo_acquire;
      case std::memory_order::release:
        return rl::mo_release;
      case std::memory_order::acq_rel:
        return rl::mo_acq_rel;
      case std::memory_order::seq_cst:
        break;
    }
    return rl::mo_seq_cst;
  }
  static rl::debug_info Info(const Where& where) {
    return rl::debug_info(where.function_name(), where.file_name(), where.line());
  }

  mutable rl::atomic<T> atomic_;
};

// Takes StdAtomics's place.
struct RelacyAtomics {
  template <class T>
  using Atomic = model::Atomic<T>;

  // Both halves of the asymmetric barrier are full fences here. The system's promises no less: the
  // heavy one executes a fence on every thread at some moment, before or after the place where the
  // light one stands in its code. (That the compiler keeps to that place is the light one's part,
  // which no model shows.) Relacy lets what was written before one fence happen before what is read
  // after the next, plain data too; so models of what is published should not rest on fences.
  static void LightBarrier() { Fence(); }
  static void HeavyBarrier() { Fence(); }

 private:
  static void Fence() { rl::ctx().atomic_thread_fence_seq_cst(); }
};

// Takes SystemFutex's place. A timed wait may be over at any moment, whatever its deadline.
struct RelacyFutex {
  template <class Word>
  static void Wait(Word& word, std::uint32_t expected, TimePoint deadline) {
    word.FutexWait(expected, deadline != TimePoint::max());
  }
  template <class Word>
  static void WakeOne(Word& word) {
    word.FutexWake(1);
  }
  template <class Word>
  static void WakeAll(Word& word) {
    word.FutexWake(~0u);
  }
  static bool Expired(TimePoint deadline) {
    return deadline != TimePoint::max() && rl::rand(2) == 0;
  }
};

// Keeps the first part of what is written, without allocating: while a model runs, Relacy owns new
// and delete.
class ReportBuffer : public std::streambuf {
 public:
  ReportBuffer() { setp(text_.data(), text_.data() + text_.size()); }
  std::string Text() const { return std::string(pbase(), pptr()); }

 private:
  int_type overflow(int_type c) override { return traits_type::not_eof(c); }

  std::array<char, 32768> text_;
};

// Explores `iterations` random schedules of a test suite of Relacy; the history of a failure goes
// to *report.
template <class Suite>
bool Simulate(std::string* report, unsigned iterations = 20000) {
  ReportBuffer buffer;
  std::ostream out(&buffer);
  rl::test_params params;
  params.iteration_count = iterations;
  params.output_stream = &out;
  params.progress_stream = &out;
  const bool ok = rl::simulate<Suite>(params);
  *report = buffer.Text();
  return ok;
}

}  // namespace isolates::model

#endif  // ISOLATES_TESTS_MODEL_RELACY_H_
