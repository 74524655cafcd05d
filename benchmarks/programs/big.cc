// Big: every isolate sends a ping to another, chosen at random, and the next when the answer is
// there; all do so at once. What it stresses: many to many, each port with very many senders.
// (BenchErl and Savina, "big".)
//
// All together have answered as many pings as were sent.

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

struct Message {
  enum class Kind { kPing, kPong, kEnd };
  Kind kind = Kind::kPing;
  std::size_t from = 0;
};
using Roster = std::vector<SendPort<Message>>;

struct Joined {
  SendPort<Message> messages;
  SendPort<Roster> roster;
};

struct Setup {
  std::size_t number = 0;
  int pings = 0;
  SendPort<Joined> join;
  SendPort<int> finished;  // gets 0 when all answers are there
  SendPort<int> answered;  // gets how many pings were answered, at the end
};

class Member {
 public:
  Member(Setup setup, Roster roster)
      : setup_(std::move(setup)), roster_(std::move(roster)), random_(setup_.number) {}

  void Ping() {
    if (sent_++ == setup_.pings) {
      setup_.finished.Send(0);
      return;
    }
    // Anyone but itself.
    const std::size_t other =
        (setup_.number + 1 + random_() % (roster_.size() - 1)) % roster_.size();
    roster_[other].Send(Message{Message::Kind::kPing, setup_.number});
  }
  // True if it was the last message.
  bool Handle(const Message& message) {
    switch (message.kind) {
      case Message::Kind::kPing:
        ++answered_;
        roster_[message.from].Send(Message{Message::Kind::kPong, setup_.number});
        return false;
      case Message::Kind::kPong:
        Ping();
        return false;
      case Message::Kind::kEnd:
        setup_.answered.Send(int{answered_});
        return true;
    }
    return true;
  }

 private:
  const Setup setup_;
  const Roster roster_;
  std::minstd_rand random_;
  int sent_ = 0;
  int answered_ = 0;
};

Task<> RunMember(Setup setup) {
  ReceivePort<Message> messages;
  ReceivePort<Roster> roster_port;
  setup.join.Send(Joined{messages.send_port(), roster_port.send_port()});
  auto roster = co_await roster_port.Receive();
  Member member(std::move(setup), std::move(*roster));
  member.Ping();
  std::move(messages).Listen(
      [member = std::move(member)](ReceivePort<Message>& port, Message message) mutable {
        if (member.Handle(message)) port.Close();
      });
}

// Nanoseconds for each ping and its answer.
double Big(int isolates, int pings) {
  ReceivePort<Joined> join;
  ReceivePort<int> finished;
  ReceivePort<int> answered;
  Crew crew;
  Roster roster;
  std::vector<SendPort<Roster>> roster_ports;
  for (int i = 0; i < isolates; ++i) {
    // One after the other: the place in the roster is the number.
    crew.Start(RunMember, Setup{static_cast<std::size_t>(i), pings, join.send_port(),
                                finished.send_port(), answered.send_port()});
    const Joined joined = *join.Receive(kForever);
    roster.push_back(joined.messages);
    roster_ports.push_back(joined.roster);
  }
  const Stopwatch watch;
  for (const auto& port : roster_ports) port.Send(roster);
  for (int i = 0; i < isolates; ++i) finished.Receive(kForever).value();
  const double ns = watch.ns_each(std::int64_t{isolates} * pings);
  for (const auto& port : roster) port.Send(Message{Message::Kind::kEnd, 0});
  int sum = 0;
  for (int i = 0; i < isolates; ++i) sum += *answered.Receive(kForever);
  Require(sum == isolates * pings, "each ping is answered once");
  crew.Wait();
  return ns;
}

}  // namespace
}  // namespace isolates::bench

int main(int argc, char** argv) {
  isolates::bench::Program program(argc, argv);
  const int pings = program.Scale(2'000, 20);
  for (const int isolates : {8, 128}) {
    program.Measure("a ping among " + std::to_string(isolates), "ns",
                    [=] { return isolates::bench::Big(isolates, pings); });
  }
  return program.Finish();
}
