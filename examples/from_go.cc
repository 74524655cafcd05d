// What a program with goroutines and channels looks like here: a pipeline, a bounded channel, a
// select, the end of a range.

#include <chrono>
#include <iostream>
#include <string>
#include <utility>

#include "isolates/isolates.h"

namespace {

using isolates::Isolate;
using isolates::On;
using isolates::PortOptions;
using isolates::ReceivePort;
using isolates::Select;
using isolates::SendPort;
using isolates::Task;

// func numbers(out chan<- int)
Task<> Numbers(SendPort<int> out) {
  for (int i = 1; i <= 5; ++i) co_await out.SendWhenRoom(int(i));
  // Here the last SendPort ends: close(out)
}

struct Stage {
  SendPort<SendPort<int>> input;
  SendPort<int> out;
};

// func squares(in <-chan int, out chan<- int)
Task<> Squares(Stage stage) {
  // in := make(chan int, 2)
  ReceivePort<int> in(PortOptions().Capacity(2).CloseWhenSendersGone());
  stage.input.Send(in.send_port());
  // for n := range in
  while (const auto n = co_await in.Receive()) co_await stage.out.SendWhenRoom(*n * *n);
}

Task<> Main() {
  ReceivePort<SendPort<int>> connection;
  ReceivePort<int> results(PortOptions().Capacity(2).CloseWhenSendersGone());
  ReceivePort<std::string> quit;

  // go squares(in, results); go numbers(in)
  Stage stage{connection.send_port(), results.send_port()};
  co_await Isolate::Spawn(Squares, std::move(stage));
  co_await Isolate::Spawn(Numbers, *co_await connection.Receive());

  // for { select { case n, ok := <-results: ...; case <-quit: return } }
  bool more = true;
  Select select(On(
                    results, [](int n) { std::cout << n << '\n'; },
                    [&more] {
                      std::cout << "closed\n";
                      more = false;
                    }),
                On(quit, [&more](const std::string&) { more = false; }));
  while (more) co_await select.Next();

  // case <-time.After(10 * time.Millisecond)
  try {
    co_await isolates::ReceiveWithin(quit, std::chrono::milliseconds(10));
  } catch (const isolates::TimeoutError& error) {
    std::cout << error.what() << '\n';
  }
}

}  // namespace

int main() { return isolates::RunMain(Main); }
