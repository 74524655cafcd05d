// A receiver that is slower than its senders: three ways to live with it. And a worker that ends
// when nobody can send to it any more.

#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "isolates/isolates.h"

namespace {

using isolates::FullPolicy;
using isolates::Isolate;
using isolates::MessageOrder;
using isolates::PortOptions;
using isolates::ReceivePort;
using isolates::SendPort;
using isolates::SendResult;
using isolates::Task;

// Sends 1 to 10 and does not wait. What did not fit stays with it: here it only counts.
int SendAll(const SendPort<int>& out) {
  int refused = 0;
  for (int i = 1; i <= 10; ++i) {
    if (out.Send(int(i)) == SendResult::kFull) ++refused;
  }
  return refused;
}

void Print(const std::string& what, ReceivePort<int>& port) {
  std::cout << what << ':';
  while (const auto number = port.TryReceive()) std::cout << ' ' << *number;
  std::cout << '\n';
}

Task<> Main() {
  // The sender is told.
  ReceivePort<int> jobs(PortOptions().DebugName("jobs").Capacity(4).OnFull(FullPolicy::kRefuse));
  std::cout << "refused: " << co_await Isolate::Run(SendAll, jobs.send_port()) << '\n';
  Print("jobs", jobs);

  // Old messages make room for new ones.
  ReceivePort<int> prices(PortOptions()
                              .DebugName("prices")
                              .Capacity(4)
                              .OnFull(FullPolicy::kDropOldest)
                              .Order(MessageOrder::kTotal));
  std::cout << "refused: " << co_await Isolate::Run(SendAll, prices.send_port()) << '\n';
  Print("prices", prices);
  std::cout << "dropped: " << prices.counters().dropped_oldest << '\n';

  // The sender waits, and everything arrives. When the last SendPort is gone, the port ends.
  ReceivePort<int> orders(PortOptions().DebugName("orders").Capacity(4).CloseWhenSendersGone());
  auto sender = Isolate::Run(
      [](SendPort<int> out) -> Task<void> {
        for (int i = 1; i <= 10; ++i) co_await out.SendWhenRoom(int(i));
      },
      orders.send_port());
  int sum = 0;
  while (const auto order = co_await orders.Receive()) sum += *order;
  co_await sender;
  std::cout << "sum of all orders: " << sum << '\n';
}

}  // namespace

int main() { return isolates::RunMain(Main); }
