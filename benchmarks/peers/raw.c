/* The limit of the machine, which brackets every measurement.
 *
 *   raw bounce CPU_A CPU_B   a cache line to and fro between two processors, ns: the better of with
 *                            and without pause in the spin loops
 *   raw stream CPU_A CPU_B   64-byte messages through a ring, one way, million/s: the reader gives
 *                            the slots back 64 at a time
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { kRing = 1024, kGiveBack = 64, kBetweenLooks = 512 };
static const double kSeconds = 0.05;      /* of each measurement */
static const uint64_t kEnd = UINT64_MAX; /* the other side may go */

struct Slot {
  _Alignas(64) uint64_t words[8];
};

static _Alignas(128) atomic_uint_fast64_t ball;
static _Alignas(128) atomic_uint_fast64_t written;
static _Alignas(128) atomic_uint_fast64_t given_back;
static _Alignas(128) struct Slot ring[kRing];
static int cpus[2];
static int with_pause;

static void Pin(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  sched_setaffinity(0, sizeof set, &set);
}

static double Now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* A value other than `old`. */
static uint64_t Await(uint64_t old) {
  uint64_t value = 0;
  while ((value = atomic_load_explicit(&ball, memory_order_acquire)) == old) {
    if (with_pause) __builtin_ia32_pause();
  }
  return value;
}

static void* Return(void* unused) {
  Pin(cpus[1]);
  for (uint64_t value = Await(0); value != kEnd; value = Await(value + 1)) {
    atomic_store_explicit(&ball, value + 1, memory_order_release);
  }
  return unused;
}

static double Bounce(int pause) {
  pthread_t other;
  double start = 0;
  double elapsed = 0;
  uint64_t rounds = 0;
  with_pause = pause;
  atomic_store(&ball, 0);
  if (pthread_create(&other, NULL, Return, NULL) != 0) abort();
  while (elapsed < kSeconds) {
    for (int i = 0; i < kBetweenLooks; ++i, ++rounds) {
      atomic_store_explicit(&ball, 2 * rounds + 1, memory_order_release);
      Await(2 * rounds + 1);
      if (rounds == 0) start = Now(); /* the other is there */
    }
    elapsed = Now() - start;
  }
  atomic_store(&ball, kEnd);
  pthread_join(other, NULL);
  return 1e9 * elapsed / (double)(rounds - 1);
}

static void* Write(void* unused) {
  Pin(cpus[1]);
  uint64_t free_until = kRing;
  struct Slot message = {{0}};
  for (uint64_t i = 0;; ++i) {
    while (i == free_until) {
      const uint64_t back = atomic_load_explicit(&given_back, memory_order_acquire);
      if (back == kEnd) return unused;
      free_until = back + kRing;
    }
    message.words[0] = i;
    memcpy(&ring[i % kRing], &message, sizeof message);
    atomic_store_explicit(&written, i + 1, memory_order_release);
  }
}

static double Stream(void) {
  pthread_t other;
  double start = 0;
  double elapsed = 0;
  uint64_t read = 0;
  uint64_t seen = 0;
  uint64_t sum = 0;
  if (pthread_create(&other, NULL, Write, NULL) != 0) abort();
  while (elapsed < 2 * kSeconds) {
    for (int i = 0; i < kBetweenLooks; ++i) {
      while (read == seen) seen = atomic_load_explicit(&written, memory_order_acquire);
      if (read == 0) start = Now();
      struct Slot message;
      memcpy(&message, &ring[read % kRing], sizeof message);
      for (int word = 0; word < 8; ++word) sum += message.words[word];
      if (++read % kGiveBack == 0) {
        atomic_store_explicit(&given_back, read, memory_order_release);
      }
    }
    elapsed = Now() - start;
  }
  atomic_store(&given_back, kEnd);
  pthread_join(other, NULL);
  if (sum != read * (read - 1) / 2) abort();
  return 1e-6 * (double)read / elapsed;
}

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  cpus[0] = atoi(argv[2]);
  cpus[1] = atoi(argv[3]);
  Pin(cpus[0]);
  if (strcmp(argv[1], "bounce") == 0) {
    const double spinning = Bounce(0);
    const double pausing = Bounce(1);
    printf("value %.6g\n", spinning < pausing ? spinning : pausing);
  } else {
    printf("value %.6g\n", Stream());
  }
  return 0;
}
