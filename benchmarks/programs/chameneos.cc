// Chameneos: creatures go to a mall again and again and meet whoever is there, two at a time; both
// change their colour. What it stresses: many who compete for one isolate, which answers in pairs.
// (Kaiser and Pradat-Peyre; Computer Language Benchmarks Game "chameneos-redux"; Savina.)
//
// All creatures together have met twice as often as there were meetings.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "benchmarks/programs/crew.h"
#include "benchmarks/programs/program.h"
#include "benchmarks/support/stopwatch.h"
#include "isolates/isolates.h"

namespace isolates::bench {
namespace {

// Three colours: 0, 1, 2.
int Complement(int mine, int other) { return mine == other ? mine : 3 - mine - other; }

struct Creature {
  int number = 0;
  int colour = 0;
};
constexpr int kNobody = -1;  // the number of a partner: the mall has closed

using Roster = std::vector<SendPort<Creature>>;

struct MallSetup {
  int meetings;
  SendPort<SendPort<Creature>> visits;
  SendPort<SendPort<Roster>> roster;
};

class Mall {
 public:
  Mall(int meetings, Roster creatures)
      : left_(meetings), inside_(creatures.size()), creatures_(std::move(creatures)) {}
  // True if that was the last creature to leave.
  bool Visit(Creature creature) {
    if (left_ == 0) {
      Tell(creature, Creature{kNobody, 0});
      return --inside_ == 0;
    }
    if (!waiting_) {
      waiting_ = creature;
      return false;
    }
    Tell(creature, *waiting_);
    Tell(*waiting_, creature);
    waiting_.reset();
    --left_;
    return false;
  }

 private:
  void Tell(const Creature& creature, Creature partner) const {
    creatures_[static_cast<std::size_t>(creature.number)].Send(std::move(partner));
  }

  int left_;
  std::size_t inside_;
  const Roster creatures_;
  std::optional<Creature> waiting_;
};

Task<> RunMall(MallSetup setup) {
  ReceivePort<Creature> visits;
  ReceivePort<Roster> roster;
  setup.visits.Send(visits.send_port());
  setup.roster.Send(roster.send_port());
  Mall mall(setup.meetings, *co_await roster.Receive());
  std::move(visits).Listen(
      [mall = std::move(mall)](ReceivePort<Creature>& port, Creature creature) mutable {
        if (mall.Visit(creature)) port.Close();
      });
}

struct CreatureSetup {
  Creature self;
  SendPort<Creature> mall;
  SendPort<SendPort<Creature>> join;
  SendPort<int> tally;
};

void RunCreature(CreatureSetup setup) {
  ReceivePort<Creature> partners;
  setup.join.Send(partners.send_port());
  setup.mall.Send(Creature(setup.self));
  std::move(partners).Listen([self = setup.self, mall = setup.mall, tally = setup.tally, met = 0](
                                 ReceivePort<Creature>& port, Creature partner) mutable {
    if (partner.number == kNobody) {
      tally.Send(int{met});
      port.Close();
      return;
    }
    ++met;
    self.colour = Complement(self.colour, partner.colour);
    mall.Send(Creature(self));
  });
}

// Nanoseconds for each meeting.
double Meet(int creatures, int meetings) {
  ReceivePort<SendPort<Creature>> ports;
  ReceivePort<SendPort<Roster>> roster_port;
  ReceivePort<int> tally;
  Crew crew;
  crew.Start(RunMall, MallSetup{meetings, ports.send_port(), roster_port.send_port()});
  const SendPort<Creature> mall = *ports.Receive(kForever);
  Roster roster;
  for (int i = 0; i < creatures; ++i) {
    // One after the other: the place in the roster is the number.
    crew.Start(RunCreature, CreatureSetup{{i, i % 3}, mall, ports.send_port(), tally.send_port()});
    roster.push_back(*ports.Receive(kForever));
  }
  const Stopwatch watch;
  roster_port.Receive(kForever)->Send(std::move(roster));
  int met = 0;
  for (int i = 0; i < creatures; ++i) met += *tally.Receive(kForever);
  const double ns = watch.ns_each(meetings);
  Require(met == 2 * meetings, "two creatures for each meeting");
  crew.Wait();
  return ns;
}

}  // namespace
}  // namespace isolates::bench

int main(int argc, char** argv) {
  isolates::bench::Program program(argc, argv);
  const int meetings = program.Scale(200'000, 1'000);
  for (const int creatures : {3, 10, 100}) {
    program.Measure("a meeting of " + std::to_string(creatures) + " creatures", "ns",
                    [=] { return isolates::bench::Meet(creatures, meetings); });
  }
  return program.Finish();
}
