// A handle for code that is not trusted: without capabilities it can neither pause nor end the
// isolate. (Dart: the documentation of Isolate's constructor)

#include <iostream>
#include <string>
#include <utility>

#include "isolates/isolates.h"

namespace {

using isolates::Capability;
using isolates::Isolate;
using isolates::ReceivePort;
using isolates::SendPort;
using isolates::SpawnOptions;
using isolates::Task;

// Answers pings until it is killed: it keeps a port open.
void StayAlive(SendPort<std::string> ready) {
  ReceivePort<int> port;
  std::move(port).Listen([](int) {});
  ready.Send("ready");
}

Task<> Main() {
  ReceivePort<std::string> news;
  const Isolate isolate = co_await Isolate::Spawn(
      StayAlive, news.send_port(), SpawnOptions().OnExit(news.send_port(), std::string("ended")));
  std::cout << *co_await news.Receive() << '\n';

  // No capability: may ask, may listen, nothing else.
  const Isolate restricted(isolate.control_port());
  restricted.Kill();
  restricted.Pause();
  restricted.Ping(news.send_port(), std::string("neither killed nor paused"));
  std::cout << *co_await news.Receive() << '\n';

  // The right to pause, but not to end.
  const Isolate pauser(isolate.control_port(), isolate.pause_capability());
  const Capability resume = pauser.Pause();
  pauser.Kill();
  pauser.Resume(resume);
  pauser.Ping(news.send_port(), std::string("not killed"));
  std::cout << *co_await news.Receive() << '\n';

  isolate.Kill();
  std::cout << *co_await news.Receive() << '\n';
}

}  // namespace

int main() { return isolates::RunMain(Main); }
