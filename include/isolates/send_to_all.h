#ifndef ISOLATES_SEND_TO_ALL_H_
#define ISOLATES_SEND_TO_ALL_H_

// One message for many receivers, without a copy for each: they all read the same frozen value.

#include <concepts>
#include <cstddef>
#include <ranges>
#include <type_traits>

#include "isolates/frozen.h"
#include "isolates/port.h"

namespace isolates {

// Sends the value to each of the ports (any range of SendPort<Frozen<T>>) and returns how many
// accepted it; the others are closed. Each receiver costs one small message, whatever the size of
// the value. Throws StateError if one of them is connected to no port, before anything is sent. If
// there is no memory for a message, std::bad_alloc: the ports before it have got theirs.
template <class Ports, class T>
  requires std::ranges::forward_range<const Ports> &&
           std::same_as<std::ranges::range_value_t<const Ports>, SendPort<Frozen<T>>>
std::size_t SendToAll(const Ports& ports, const Frozen<T>& message) {
  for (const SendPort<Frozen<T>>& port : ports) static_cast<void>(port.closed());
  std::size_t accepted = 0;
  for (const SendPort<Frozen<T>>& port : ports) {
    if (port.Send(message) == SendResult::kAccepted) ++accepted;
  }
  return accepted;
}

}  // namespace isolates

#endif  // ISOLATES_SEND_TO_ALL_H_
