// What reports say of an isolate that is alive.

#ifndef ISOLATES_LIVE_ISOLATE_H_
#define ISOLATES_LIVE_ISOLATE_H_

#include <cstdint>
#include <string>
#include <vector>

namespace isolates {

// An isolate as LiveIsolates and Shutdown list it.
struct LiveIsolate {
  // What it is doing.
  enum class State {
    kIdle,     // it has nothing to do until something comes
    kRunning,  // it handles something, or is about to
    kBlocked,  // it waits in the middle of something (Get, Receive with a timeout)
  };
  std::uint64_t id = 0;  // Isolate::id
  std::string name;      // Isolate::debug_name
  State state = State::kRunning;
  // What keeps it alive, each in words: "port 'orders'", "2 timers", "1 awaited result", "a pause",
  // "a wait for a message on port 'orders'", "its thread". Of an isolate that runs at the moment
  // the ports and results are only counted: nobody else may look at them.
  std::vector<std::string> kept_by;
};

// "isolate 'parser' (idle), kept alive by port 'orders', 2 timers".
std::string ToString(const LiveIsolate& isolate);

}  // namespace isolates

#endif  // ISOLATES_LIVE_ISOLATE_H_
