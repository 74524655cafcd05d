// Thread ring: a token goes round a ring of isolates, one message at a time. What it stresses: the
// change from isolate to isolate on one worker, and nothing in parallel. (Computer Language
// Benchmarks Game, "thread-ring"; also in Savina.)
//
// The isolate that holds the token when it has come to zero is known beforehand.

#include <cstddef>
#include <utility>
#include <vector>

#include "benchmarks/programs/crew.h"
#include "benchmarks/programs/program.h"
#include "benchmarks/support/stopwatch.h"
#include "isolates/isolates.h"

namespace isolates::bench {
namespace {

constexpr int kIsolates = 503;

struct Joined {
  int number;
  SendPort<SendPort<int>> next;  // wants to know the one behind it
  SendPort<int> tokens;
};

struct Setup {
  int number;
  SendPort<Joined> join;
  SendPort<int> finished;
};

// A token below zero ends the ring.
Task<> Member(Setup setup) {
  ReceivePort<SendPort<int>> next_port;
  ReceivePort<int> tokens;
  setup.join.Send(Joined{setup.number, next_port.send_port(), tokens.send_port()});
  SendPort<int> next = *co_await next_port.Receive();
  std::move(tokens).Listen([number = setup.number, finished = setup.finished,
                            next = std::move(next)](ReceivePort<int>& port, int token) {
    if (token == 0) {
      finished.Send(int{number});
      return;
    }
    next.Send(token < 0 ? token : token - 1);
    if (token < 0) port.Close();
  });
}

double Ring(int hops) {
  ReceivePort<Joined> join;
  ReceivePort<int> finished;
  Crew crew;
  for (int i = 0; i < kIsolates; ++i) {
    crew.Start(Member, Setup{i, join.send_port(), finished.send_port()}, SpawnOptions().Light());
  }
  std::vector<Joined> members(kIsolates);
  for (int i = 0; i < kIsolates; ++i) {
    Joined joined = *join.Receive(kForever);
    members[static_cast<std::size_t>(joined.number)] = std::move(joined);
  }
  for (std::size_t i = 0; i < members.size(); ++i) {
    members[i].next.Send(members[(i + 1) % members.size()].tokens);
  }
  const Stopwatch watch;
  members[0].tokens.Send(int{hops});
  const int last = *finished.Receive(kForever);
  const double ns = watch.ns_each(hops);
  Require(last == hops % kIsolates, "the token ends at the isolate it must end at");
  members[0].tokens.Send(-1);
  crew.Wait();
  return ns;
}

}  // namespace
}  // namespace isolates::bench

int main(int argc, char** argv) {
  isolates::bench::Program program(argc, argv);
  const int hops = program.Scale(500'000, 2'000);
  program.Measure("a hop in a ring of 503 isolates", "ns",
                  [=] { return isolates::bench::Ring(hops); });
  return program.Finish();
}
