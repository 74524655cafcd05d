// Crew: isolates that are started for one measurement, and whose end is waited for.

#ifndef ISOLATES_BENCHMARKS_PROGRAMS_CREW_H_
#define ISOLATES_BENCHMARKS_PROGRAMS_CREW_H_

#include <utility>

#include "isolates/isolates.h"

namespace isolates::bench {

// Of the thread that made it.
class Crew {
 public:
  template <class Entry, class Message>
  void Start(Entry entry, Message message, SpawnOptions options = {}) {
    Isolate::Spawn(entry, std::move(message), options.OnExit(ended_.send_port(), 1)).Get();
    ++running_;
  }
  // Returns when all have ended.
  void Wait() {
    for (; running_ > 0; --running_) ended_.Receive(kForever).value();
  }

 private:
  ReceivePort<int> ended_;
  int running_ = 0;
};

}  // namespace isolates::bench

#endif  // ISOLATES_BENCHMARKS_PROGRAMS_CREW_H_
