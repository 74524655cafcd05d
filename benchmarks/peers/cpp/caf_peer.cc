// CAF: actors on its scheduler, and detached ones with threads of their own.

#include <future>
#include <memory>
#include <optional>

#include <caf/all.hpp>

#include "harness.h"

namespace {

using peers::Arguments;
using Word = std::uint64_t;

// 64 bytes: CAF sends eight words without a type of their own.
template <class Self, class To>
void SendWords(Self* self, const To& to, Word first) {
  self->send(to, first, Word{}, Word{}, Word{}, Word{}, Word{}, Word{}, Word{});
}

// Where a case tells its end.
struct Match {
  Word count = 0;
  bool detached = false;
  std::array<int, 2> cpus{};
  std::promise<void> ended;
};

// CAF takes down an actor system only when all its actors have ended: each case ends its own.
class System {
 public:
  System() {
    config_.set("scheduler.max-threads", std::size_t{2});
    system_.emplace(config_);
  }
  caf::actor_system& operator*() { return *system_; }

 private:
  caf::actor_system_config config_;
  std::optional<caf::actor_system> system_;
};

template <class Function, class... Args>
caf::actor SpawnOne(caf::actor_system& system, bool detached, Function function, Args... args) {
  return detached ? system.spawn<caf::detached>(function, args...)
                  : system.spawn(function, args...);
}

caf::behavior Pong(caf::event_based_actor* self, Match* match) {
  if (match->detached) peers::Pin(match->cpus[1]);
  return {[self](Word number, Word, Word, Word, Word, Word, Word, Word) {
    SendWords(self, caf::actor_cast<caf::actor>(self->current_sender()), number);
  }};
}

caf::behavior Ping(caf::event_based_actor* self, Match* match, caf::actor pong) {
  if (match->detached) peers::Pin(match->cpus[0]);
  SendWords(self, pong, 1);
  return {[self, match, pong](Word number, Word, Word, Word, Word, Word, Word, Word) {
    if (number < match->count) {
      SendWords(self, pong, number + 1);
      return;
    }
    match->ended.set_value();
    self->send_exit(pong, caf::exit_reason::user_shutdown);
    self->quit();
  }};
}

double RoundTrip(const Arguments& arguments, bool detached) {
  System system;
  return 1e9 * peers::SecondsEach(arguments.seconds, [&](Word count) {
           Match match{count, detached, arguments.cpus, {}};
           const caf::actor pong = SpawnOne(*system, detached, Pong, &match);
           const double start = peers::Now();
           SpawnOne(*system, detached, Ping, &match, pong);
           match.ended.get_future().wait();
           const double elapsed = peers::Now() - start;
           (*system).await_all_actors_done();
           return elapsed;
         });
}

caf::behavior Consume(caf::event_based_actor* self, Match* match) {
  if (match->detached) peers::Pin(match->cpus[1]);
  auto left = std::make_shared<Word>(match->count);
  return {[self, match, left](Word, Word, Word, Word, Word, Word, Word, Word) {
    if (--*left > 0) return;
    match->ended.set_value();
    self->quit();
  }};
}

caf::behavior Produce(caf::event_based_actor* self, Match* match, caf::actor consumer, Word count) {
  if (match->detached) peers::Pin(match->cpus[0]);
  for (Word i = 0; i < count; ++i) SendWords(self, consumer, i);
  return {};  // it ends
}

double Throughput(const Arguments& arguments, bool detached, Word producers) {
  System system;
  const auto run = [&](Word count) {
    Match match{count, detached, arguments.cpus, {}};
    const caf::actor consumer = SpawnOne(*system, detached, Consume, &match);
    const double start = peers::Now();
    for (Word i = 0; i < producers; ++i) {
      SpawnOne(*system, detached, Produce, &match, consumer, count / producers);
    }
    match.ended.get_future().wait();
    const double elapsed = peers::Now() - start;
    (*system).await_all_actors_done();
    return elapsed;
  };
  // Its mailboxes are not bounded: no more than memory allows.
  return 1e-6 / peers::SecondsEach(arguments.seconds, run, 2'000'000);
}

double SpawnAndRequest(const Arguments& arguments) {
  System system;
  caf::scoped_actor self(*system);
  return peers::MicrosecondsEach(arguments, [&] {
    const caf::actor worker = self->spawn([](caf::event_based_actor* actor) -> caf::behavior {
      return {[actor](int number) {
        actor->quit();
        return number + 1;
      }};
    });
    self->request(worker, caf::infinite, 6)
        .receive(
            [](int result) {
              if (result != 7) std::abort();
            },
            [](const caf::error&) { std::abort(); });
  });
}

double IdleActors(const Arguments&) {
  constexpr int kCount = 100'000;
  static std::atomic<int> listening{0};
  System system;
  const double before = peers::ResidentBytes();
  std::vector<caf::actor> actors;
  actors.reserve(kCount);
  for (int i = 0; i < kCount; ++i) {
    actors.push_back((*system).spawn([](caf::event_based_actor*) -> caf::behavior {
      listening.fetch_add(1);
      return {[](int) {}};
    }));
  }
  for (peers::Patience patience; listening.load() < kCount;) patience.Wait();
  std::printf("value %.6g\n", (peers::ResidentBytes() - before) / kCount);
  std::fflush(stdout);
  _exit(0);  // not one by one
}

}  // namespace

int main(int argc, char** argv) {
  const peers::Cases cases{
      {"w1_scheduled", [](const Arguments& a) { return RoundTrip(a, false); }},
      {"w1_detached", [](const Arguments& a) { return RoundTrip(a, true); }},
      {"w2_scheduled", [](const Arguments& a) { return Throughput(a, false, 1); }},
      {"w2_detached", [](const Arguments& a) { return Throughput(a, true, 1); }},
      {"w3_scheduled", [](const Arguments& a) { return Throughput(a, false, 4); }},
      {"w3_detached", [](const Arguments& a) { return Throughput(a, true, 4); }},
      {"w4", SpawnAndRequest},
      {"w6", IdleActors}};
  const std::string version = std::to_string(CAF_MAJOR_VERSION) + "." +
                              std::to_string(CAF_MINOR_VERSION) + "." +
                              std::to_string(CAF_PATCH_VERSION);
  return peers::Main(argc, argv, version, cases);
}
