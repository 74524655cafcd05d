#include "tests/faults/scenario.h"

#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "tests/faults/tally.h"

namespace isolates {
namespace {

using std::chrono::milliseconds;

SpawnOptions Linked() { return SpawnOptions().EndWithParent(); }

// --- letters, and where they go to

using Correspondence = std::pair<SendPort<SendPort<Letter>>, SendPort<Letter>>;

void PostAddress(const SendPort<SendPort<Letter>>& to, SendPort<Letter> address) {
  if (to.Send(std::move(address)) == SendResult::kAccepted) Tally::Add(Tally::accepted);
}

void AnswerLetters(Correspondence with) {
  ReceivePort<Letter> port("letters");
  PostAddress(with.first, port.send_port());
  std::move(port).Listen([out = with.second](ReceivePort<Letter>& self, Letter letter) {
    Tally::Received(letter);
    Post(out, letter.number);
    if (letter.number == 3) self.Close();
  });
}

void AnswerLettersLater(Correspondence with) {
  ReceivePort<Letter> port("later");
  PostAddress(with.first, port.send_port());
  std::move(port).Listen([out = with.second](ReceivePort<Letter>& self, Letter letter) -> Task<> {
    Tally::Received(letter);
    co_await Delay(milliseconds(1));
    Post(out, letter.number);
    if (letter.number == 3) self.Close();
  });
}

Task<> ReceiveLetters(Correspondence with) {
  ReceivePort<Letter> a("a");
  ReceivePort<Letter> b("b");
  PostAddress(with.first, a.send_port());
  int left = 3;
  Select select(On(a,
                   [&](Letter letter) {
                     Tally::Received(letter);
                     Post(b.send_port(), letter.number);
                   }),
                On(b, [&](Letter letter) {
                  Tally::Received(letter);
                  Post(with.second, letter.number);
                  if (--left == 0) {
                    a.Close();
                    b.Close();
                  }
                }));
  while (co_await select.Next()) {
  }
}

void ExitWithALetter(Correspondence with) {
  ReceivePort<Letter> port("exits");
  PostAddress(with.first, port.send_port());
  std::move(port).Listen([out = with.second](Letter letter) {
    Tally::Received(letter);
    Letter last = MakeLetter(letter.number);
    Tally::Add(Tally::accepted);  // Exit hands it over, or counts it, or throws before
    try {
      Isolate::Exit(out, std::move(last));
    } catch (const std::exception&) {
      Tally::accepted.fetch_sub(1);
      throw;
    }
  });
}

template <auto kEntry>
Task<> WriteTo() {
  ReceivePort<SendPort<Letter>> addresses("addresses");
  ReceivePort<Letter> answers("answers");
  Correspondence with(addresses.send_port(), answers.send_port());
  Isolate correspondent = co_await Isolate::Spawn(kEntry, std::move(with), Linked());
  try {
    const std::optional<SendPort<Letter>> to = co_await ReceiveWithin(addresses, patience);
    Tally::Add(Tally::received);
    for (int number = 1; number <= 4; ++number) Post(*to, number);
    for (int left = 3; left > 0; --left) {
      std::optional<Letter> answer = co_await ReceiveWithin(answers, patience);
      if (answer) Tally::Received(*answer);
    }
  } catch (const std::exception&) {  // it has ended early
  }
  correspondent.Kill(ControlPriority::kImmediate);
}

}  // namespace

Task<> ExchangeLetters() {
  static constexpr Step kSteps[] = {&WriteTo<&AnswerLetters>, &WriteTo<&AnswerLettersLater>,
                                    &WriteTo<&ReceiveLetters>, &WriteTo<&ExitWithALetter>};
  for (const Step step : kSteps) {
    try {
      co_await step();
    } catch (const std::exception&) {  // one step less
    }
  }
}

}  // namespace isolates
