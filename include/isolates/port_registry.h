// Names for ports: an isolate registers a SendPort, others look it up. (Flutter's
// IsolateNameServer.)
//
// Any thread. The registry holds the address of a port only: it keeps no isolate alive, and a port
// that closes is gone from it by itself, its name free again.

#ifndef ISOLATES_PORT_REGISTRY_H_
#define ISOLATES_PORT_REGISTRY_H_

#include <optional>
#include <string_view>
#include <typeinfo>
#include <utility>

#include "isolates/detail/port_core.h"
#include "isolates/detail/ref.h"
#include "isolates/port.h"

namespace isolates {

namespace internal {

bool RegisterPortCore(std::string_view name, const Ref<PortCore>& port,
                      const std::type_info& message);
// Null if there is none that is open. Throws StateError if it takes messages of another type.
Ref<PortCore> LookupPortCore(std::string_view name, const std::type_info& message);

}  // namespace internal

// False if the name is taken by a port that is open; nothing changes then. A port may have several
// names. Throws StateError if `port` is connected to nothing.
template <class T>
[[nodiscard]] bool RegisterPort(std::string_view name, const SendPort<T>& port) {
  return internal::RegisterPortCore(name, internal::PortAccess::CoreOf(port), typeid(T));
}

// The port of that name, or nothing if there is none that is open. Throws StateError, which names
// both types, if its messages are not of type T.
template <class T>
[[nodiscard]] std::optional<SendPort<T>> LookupPort(std::string_view name) {
  internal::Ref<internal::PortCore> port = internal::LookupPortCore(name, typeid(T));
  if (!port) return std::nullopt;
  return internal::PortAccess::MakeSendPort<T>(std::move(port));
}

// False if there was no open port of that name. SendPorts that were looked up before go on working.
bool UnregisterPort(std::string_view name);

}  // namespace isolates

#endif  // ISOLATES_PORT_REGISTRY_H_
