#include "isolates/port_registry.h"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "isolates/detail/heap.h"
#include "isolates/detail/main_heap.h"
#include "isolates/detail/type_name.h"
#include "isolates/error.h"

namespace isolates {
namespace internal {
namespace {

// All of it lives in the main heap (H4): whoever calls has the main heap in force. The lock is held
// for the look and the change only; what is removed is let go of after it.
class PortRegistry : public MainHeapObject {
 public:
  // Never destroyed: isolates may ask to the very end.
  static PortRegistry& Get() {
    static PortRegistry& registry = *new PortRegistry;
    return registry;
  }

  bool Register(std::string_view name, const Ref<PortCore>& port, const std::type_info& message) {
    Map removed;
    const std::lock_guard lock(mutex_);
    if (const auto found = by_name_.find(name); found != by_name_.end()) {
      if (!found->second.port->closed()) return false;
      removed.insert(by_name_.extract(found));
    }
    if (by_name_.size() >= prune_at_) Prune(removed);
    by_name_.emplace(name, Entry{port, &message});
    return true;
  }

  struct Entry {
    Ref<PortCore> port;
    const std::type_info* message = nullptr;
  };
  // An entry of no port if there is none that is open.
  Entry Lookup(std::string_view name) {
    Map removed;
    const std::lock_guard lock(mutex_);
    const auto found = by_name_.find(name);
    if (found == by_name_.end()) return {};
    if (!found->second.port->closed()) return found->second;
    removed.insert(by_name_.extract(found));
    return {};
  }

  bool Unregister(std::string_view name) {
    Map removed;
    const std::lock_guard lock(mutex_);
    const auto found = by_name_.find(name);
    if (found == by_name_.end()) return false;
    const bool open = !found->second.port->closed();
    removed.insert(by_name_.extract(found));
    return open;
  }

 private:
  using Map = std::map<std::string, Entry, std::less<>>;

  // Forgets ports that have closed, whenever the map has doubled.
  void Prune(Map& removed) {
    for (auto i = by_name_.begin(); i != by_name_.end();) {
      const auto here = i++;
      if (here->second.port->closed()) removed.insert(by_name_.extract(here));
    }
    prune_at_ = std::max<std::size_t>(32, by_name_.size() * 2);
  }

  std::mutex mutex_;
  Map by_name_;
  std::size_t prune_at_ = 32;
};

}  // namespace

bool RegisterPortCore(std::string_view name, const Ref<PortCore>& port,
                      const std::type_info& message) {
  if (!port) throw StateError("this SendPort is empty: it was never connected to a ReceivePort");
  const MainHeapScope main_heap;
  return PortRegistry::Get().Register(name, port, message);
}

Ref<PortCore> LookupPortCore(std::string_view name, const std::type_info& message) {
  const MainHeapScope main_heap;
  PortRegistry::Entry entry = PortRegistry::Get().Lookup(name);
  if (entry.port && *entry.message != message) {
    throw StateError("the port '" + std::string(name) + "' takes messages of type " +
                     TypeName(*entry.message) + ", not " + TypeName(message));
  }
  return std::move(entry.port);
}

}  // namespace internal

bool UnregisterPort(std::string_view name) {
  const internal::MainHeapScope main_heap;
  return internal::PortRegistry::Get().Unregister(name);
}

}  // namespace isolates
