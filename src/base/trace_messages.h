// What a trace says, put in order: the records of all threads by time, and its messages.

#ifndef ISOLATES_SRC_BASE_TRACE_MESSAGES_H_
#define ISOLATES_SRC_BASE_TRACE_MESSAGES_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "src/base/trace_ring.h"

namespace isolates::internal {

#if ISOLATES_INSTRUMENTS

struct MergedRecord : TraceRecord {
  std::size_t thread = 0;   // index in TraceStory::threads
  std::size_t order = 0;    // of those of one time: as their threads wrote them
  std::size_t message = 0;  // number of the message from 1, of what belongs to one; 0: none
};

struct TracedMessage {
  std::uint64_t port = 0;
  std::uint64_t sender = 0;  // isolates; 0: a plain thread
  std::uint64_t receiver = 0;
  // Records. Each message has all of the first three.
  std::size_t send = 0;
  std::size_t visible = 0;
  std::size_t dequeued = 0;
  // Times.
  std::uint64_t woken = 0;
  std::uint64_t begin = 0;  // of its handling
  std::uint64_t end = 0;
};

struct TraceStory {
  struct Thread {
    std::uint64_t id = 0;
    std::string name;
  };
  std::vector<Thread> threads;
  std::vector<MergedRecord> records;  // in the order of time
  std::vector<TracedMessage> messages;
};

// Of the present trace. Begins where no thread has lost anything; handlers of others than listeners
// are put in as records.
TraceStory TellTrace();

#endif

}  // namespace isolates::internal

#endif  // ISOLATES_SRC_BASE_TRACE_MESSAGES_H_
