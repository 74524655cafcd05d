// Starts an isolate paused, so that the listeners are there before its first line runs. (Dart: the
// documentation of Isolate.addErrorListener, and the implementation of Isolate.errors)

#include <functional>
#include <iostream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "isolates/isolates.h"

namespace {

using isolates::Completer;
using isolates::Isolate;
using isolates::RawReceivePort;
using isolates::ReceivePort;
using isolates::RemoteError;
using isolates::SpawnOptions;
using isolates::Task;

// Dart's Isolate.errors: a broadcast of the uncaught errors of an isolate, for as long as this
// lives.
class ErrorStream {
 public:
  explicit ErrorStream(Isolate isolate) : isolate_(std::move(isolate)) {
    port_.set_handler([this](RemoteError error) {
      for (const auto& listener : listeners_) listener(error);
    });
    isolate_.AddErrorListener(port_.send_port());
  }
  ErrorStream(const ErrorStream&) = delete;
  ErrorStream& operator=(const ErrorStream&) = delete;
  ~ErrorStream() { isolate_.RemoveErrorListener(port_.send_port()); }

  void Listen(std::function<void(const RemoteError&)> listener) {
    listeners_.push_back(std::move(listener));
  }

 private:
  Isolate isolate_;
  RawReceivePort<RemoteError> port_;
  std::vector<std::function<void(const RemoteError&)>> listeners_;
};

void Fail(std::string text) { throw std::runtime_error(text); }

Task<> Main() {
  const Isolate isolate = co_await Isolate::Spawn(Fail, std::string("at the first line"),
                                                  SpawnOptions().DebugName("failing").Paused());

  Completer<> failed;
  ErrorStream errors(isolate);
  errors.Listen([](const RemoteError& e) {
    std::cout << "error in " << e.isolate_name() << ": " << e.message() << '\n';
  });
  errors.Listen([&failed](const RemoteError& e) {
    std::cout << "its type: " << e.type() << '\n';
    failed.Complete();
  });
  ReceivePort<std::string> exits;
  isolate.AddOnExitListener(exits.send_port(), std::string("it has ended"));

  isolate.Resume(isolate.pause_capability());
  co_await failed.future();
  std::cout << *co_await exits.Receive() << '\n';
}

}  // namespace

int main() { return isolates::RunMain(Main); }
