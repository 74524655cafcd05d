// Banking: a teller moves money between accounts; each account is an isolate. What it stresses:
// requests that pass through several isolates before they are answered. (Savina, "banking".)
//
//   teller -> account that pays -> account that receives -> teller
//
// The sum of all accounts is the same at the end.

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "benchmarks/programs/crew.h"
#include "benchmarks/programs/program.h"
#include "benchmarks/support/stopwatch.h"
#include "isolates/isolates.h"

namespace isolates::bench {
namespace {

struct Order {
  enum class Kind { kPay, kReceive, kReport };
  Kind kind = Kind::kPay;
  std::int64_t amount = 0;
  std::size_t receiver = 0;
};
using Accounts = std::vector<SendPort<Order>>;

struct Joined {
  SendPort<Order> orders;
  SendPort<Accounts> accounts;
};

struct Setup {
  std::int64_t balance = 0;
  SendPort<Joined> join;
  SendPort<std::int64_t> teller;  // told the amount of each transfer that is done
  SendPort<std::int64_t> reports;
};

Task<> Account(Setup setup) {
  ReceivePort<Order> orders;
  ReceivePort<Accounts> accounts_port;
  setup.join.Send(Joined{orders.send_port(), accounts_port.send_port()});
  auto accounts = co_await accounts_port.Receive();
  std::move(orders).Listen([setup = std::move(setup), accounts = std::move(*accounts)](
                               ReceivePort<Order>& port, Order order) mutable {
    switch (order.kind) {
      case Order::Kind::kPay:
        setup.balance -= order.amount;
        order.kind = Order::Kind::kReceive;
        accounts[order.receiver].Send(std::move(order));
        return;
      case Order::Kind::kReceive:
        setup.balance += order.amount;
        setup.teller.Send(std::int64_t{order.amount});
        return;
      case Order::Kind::kReport:
        setup.reports.Send(std::int64_t{setup.balance});
        port.Close();
        return;
    }
  });
}

constexpr std::int64_t kBalance = 1'000'000;
constexpr int kOnTheWay = 100;  // transfers at a time

// Nanoseconds for each transfer.
double Bank(int accounts, int transfers) {
  ReceivePort<Joined> join;
  ReceivePort<std::int64_t> done;
  ReceivePort<std::int64_t> reports;
  Crew crew;
  Accounts orders;
  std::vector<SendPort<Accounts>> account_ports;
  for (int i = 0; i < accounts; ++i) {
    crew.Start(Account, Setup{kBalance, join.send_port(), done.send_port(), reports.send_port()});
    const Joined joined = *join.Receive(kForever);
    orders.push_back(joined.orders);
    account_ports.push_back(joined.accounts);
  }
  for (const auto& port : account_ports) port.Send(orders);
  std::minstd_rand random(1);
  std::int64_t ordered = 0;
  std::int64_t moved = 0;
  const Stopwatch watch;
  for (int sent = 0, answered = 0; answered < transfers;) {
    if (sent < transfers && sent - answered < kOnTheWay) {
      const std::size_t from = random() % orders.size();
      const std::size_t to = (from + 1 + random() % (orders.size() - 1)) % orders.size();
      const auto amount = static_cast<std::int64_t>(random() % 100);
      ordered += amount;
      orders[from].Send(Order{Order::Kind::kPay, amount, to});
      ++sent;
    } else {
      moved += *done.Receive(kForever);
      ++answered;
    }
  }
  const double ns = watch.ns_each(transfers);
  for (const auto& port : orders) port.Send(Order{Order::Kind::kReport, 0, 0});
  std::int64_t sum = 0;
  for (int i = 0; i < accounts; ++i) sum += *reports.Receive(kForever);
  Require(moved == ordered, "each transfer is told");
  Require(sum == kBalance * accounts, "no money is lost or made");
  crew.Wait();
  return ns;
}

}  // namespace
}  // namespace isolates::bench

int main(int argc, char** argv) {
  isolates::bench::Program program(argc, argv);
  const int transfers = program.Scale(200'000, 1'000);
  for (const int accounts : {10, 1'000}) {
    program.Measure("a transfer between two of " + std::to_string(accounts) + " accounts", "ns",
                    [=] { return isolates::bench::Bank(accounts, transfers); });
  }
  return program.Finish();
}
