// For the tests of lanes: how a sender gets one, and how many there are.

#ifndef ISOLATES_TESTS_PORT_LANES_H_
#define ISOLATES_TESTS_PORT_LANES_H_

#include "isolates/isolates.h"

namespace isolates {

// So many messages in a row, none of which finds the port asleep, and their sender has a lane.
inline constexpr int kMakesHot = 100;

struct Numbered {
  int sender = 0;
  int number = 0;
};

template <class Port>
int LaneCount(const Port& port) {
  return internal::PortAccess::CoreOf(port)->lane_count();
}

// Calls send(number) for 0, 1, 2, ... below `count`; all must be accepted.
template <class Send>
bool SendAll(int count, Send send) {
  for (int i = 0; i < count; ++i) {
    if (send(i) != SendResult::kAccepted) return false;
  }
  return true;
}

// The next `count` messages, which are there, are the numbers from `first` on.
inline bool HasNumbers(ReceivePort<int>& port, int first, int count) {
  for (int i = first; i < first + count; ++i) {
    if (port.TryReceive() != i) return false;
  }
  return true;
}

}  // namespace isolates

#endif  // ISOLATES_TESTS_PORT_LANES_H_
