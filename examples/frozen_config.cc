// A configuration that is built once, frozen, and read by several isolates where it is. An update
// goes to all of them as one value.

#include <cstddef>
#include <cstdint>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include "isolates/isolates.h"

namespace {

using isolates::Broadcast;
using isolates::Freeze;
using isolates::Frozen;
using isolates::Isolate;
using isolates::ReceivePort;
using isolates::SendPort;
using isolates::Task;

struct Config {
  std::string environment;
  std::map<std::string, int> limits;
};

// The compiler has seen that nothing in a Config can change behind a const reference.
static_assert(isolates::Freezable<Config>);

Frozen<Config> MakeConfig(int orders) { return Freeze(Config{"test", {{"orders", orders}}}); }

struct Start {
  SendPort<SendPort<Frozen<Config>>> subscribe;
  SendPort<std::string> reports;
};

Task<> Reader(Start start) {
  ReceivePort<Frozen<Config>> updates;
  start.subscribe.Send(updates.send_port());
  for (int i = 0; i < 2; ++i) {
    const auto config = co_await updates.Receive();
    if (!config) co_return;
    start.reports.Send((*config)->environment + ": at most " +
                       std::to_string((*config)->limits.at("orders")) + " orders");
  }
}

Task<> Main() {
  ReceivePort<SendPort<Frozen<Config>>> subscriptions;
  ReceivePort<std::string> reports;
  const Broadcast<Frozen<Config>> changes;
  for (int i = 0; i < 3; ++i) {
    const Start start{subscriptions.send_port(), reports.send_port()};
    co_await Isolate::Spawn(Reader, start);
    changes.Subscribe(*co_await subscriptions.Receive());
  }
  for (const int orders : {100, 200}) {
    const std::size_t accepted = changes.Send(MakeConfig(orders)).accepted;
    std::cout << "sent to " << accepted << " isolates\n";
    for (int i = 0; i < 3; ++i) std::cout << *co_await reports.Receive() << '\n';
  }

  // All read the same object: no copy for anybody.
  const Frozen<Config> config = MakeConfig(300);
  const auto is_there = [](Frozen<Config> given, std::uintptr_t address) {
    return reinterpret_cast<std::uintptr_t>(&given.get()) == address;
  };
  const bool same =
      co_await Isolate::Run(is_there, config, reinterpret_cast<std::uintptr_t>(&config.get()));
  std::cout << (same ? "the same object\n" : "a copy\n");
}

}  // namespace

int main() { return isolates::RunMain(Main); }
