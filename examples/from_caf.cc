// What a program for the C++ Actor Framework looks like here: an actor with a typed interface, its
// state, a request with a time limit, a monitor.

#include <chrono>
#include <iostream>
#include <stdexcept>
#include <string>
#include <variant>

#include "isolates/isolates.h"

namespace {

using isolates::Isolate;
using isolates::ReceivePort;
using isolates::RemoteError;
using isolates::Requester;
using isolates::RequestPort;
using isolates::SendPort;
using isolates::SpawnOptions;
using isolates::Task;

// The messages of the interface: one type, of several kinds.
struct Add {
  int amount;
};
struct Divide {
  int by;
};
using Message = std::variant<Add, Divide>;
using Cell = Requester<Message, int>;

// The actor: its state is an object, its behaviour is the handler.
class CellState {
 public:
  int Handle(const Add& add) { return value_ += add.amount; }
  int Handle(const Divide& divide) {
    if (divide.by == 0) throw std::invalid_argument("division by zero");
    return value_ /= divide.by;
  }

 private:
  int value_ = 0;
};

void CellActor(const SendPort<Cell>& self) {
  RequestPort<Message, int> port;
  self.Send(port.requester());
  std::move(port).Handle([state = CellState()](Message message) mutable {
    return std::visit([&state](const auto& kind) { return state.Handle(kind); }, message);
  });
}

Task<> Main() {
  ReceivePort<Cell> started;
  const Isolate actor = co_await Isolate::Spawn(CellActor, started.send_port(),
                                                SpawnOptions().DebugName("cell").Light());
  const auto cell = co_await started.Receive();

  // request(cell, 1s, ...).then(...)
  std::cout << "add: " << co_await cell->Call(Add{42}, std::chrono::seconds(60)) << '\n';
  std::cout << "divide: " << co_await cell->Call(Divide{2}, std::chrono::seconds(60)) << '\n';
  try {
    co_await cell->Call(Divide{0}, std::chrono::seconds(60));
  } catch (const RemoteError& error) {
    std::cout << error.type() << ": " << error.message() << '\n';
  }

  // anon_send_exit(actor, exit_reason::user_shutdown)
  actor.Kill(isolates::ControlPriority::kBeforeNextEvent, "no longer needed");
  const isolates::ExitInfo down = co_await actor.Ended();
  std::cout << down.isolate_name << ' ' << ExitReasonName(down.reason) << ": " << down.message
            << '\n';
}

}  // namespace

int main() { return isolates::RunMain(Main); }
