#include <chrono>
#include <cstddef>
#include <exception>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "tests/faults/scenario.h"
#include "tests/faults/tally.h"

namespace isolates {
namespace {

using std::chrono::milliseconds;

RunOptions LinkedRun() { return RunOptions().EndWithParent(); }
SpawnOptions Linked() { return SpawnOptions().EndWithParent(); }

std::string Exclaim(std::string text) { return text + "!"; }
Task<std::string> ExclaimLater(std::string text) {
  co_await Delay(milliseconds(1));
  co_return text + "!";
}
int Fail(std::string text) { throw std::runtime_error(text); }
void Stay(std::string) {
  ReceivePort<int> port;
  std::move(port).Listen([](int) {});
}

constexpr const char* kText = "a text that is too long for its string to hold it in itself";

Task<> Runs() {
  auto now = Isolate::Run(LinkedRun(), Exclaim, std::string(kText));
  auto later = Isolate::Run(LinkedRun(), ExclaimLater, std::string(kText));
  auto never = Isolate::Run(LinkedRun(), Fail, std::string(kText));
  co_await now;
  co_await later;
  co_await never;
}

std::string RunAndBlock(std::string text) {
  return Isolate::Run(LinkedRun(), ExclaimLater, std::move(text)).Get();
}

Task<> BlockingRuns() {
  auto a = Isolate::Run(LinkedRun(), RunAndBlock, std::string(kText));
  auto b = Isolate::Run(LinkedRun(), RunAndBlock, std::string(kText));
  co_await a;
  co_await b;
}

Task<> Combined() {
  auto both = WhenAll(Isolate::Run(LinkedRun(), Exclaim, std::string(kText)), ExclaimLater(kText));
  auto length = Isolate::Run(LinkedRun(), Exclaim, std::string(kText)).Then([](std::string text) {
    return text.size();
  });
  Completer<int> completer;
  auto completed = completer.future();
  std::vector<Future<std::string>> any;
  any.push_back(Isolate::Run(LinkedRun(), Exclaim, std::string(kText)));
  any.push_back(Isolate::Run(LinkedRun(), ExclaimLater, std::string(kText)));
  co_await WhenAny(std::move(any));
  co_await both;
  co_await length;
  completer.Complete(1);
  co_await completed;
  auto slow = Isolate::Run(LinkedRun(), ExclaimLater, std::string(kText));
  co_await WithTimeout(std::move(slow), Duration(1));
}

std::vector<std::string> Build(int lines) {
  std::vector<std::string> built;
  for (int i = 0; i < lines; ++i) built.push_back(kText);
  return built;
}

Task<> Parcels() {
  auto future = Isolate::RunParcel(LinkedRun(), Build, 4);
  const Parcel<std::vector<std::string>> parcel = co_await future;
  auto made = MakeParcel<std::vector<std::string>>([] { return Build(3); });
  const auto frozen = Freeze(Build(3));
  auto size = Isolate::Run(
      LinkedRun(), [](Frozen<std::vector<std::string>> lines) { return lines->size(); }, frozen);
  co_await size;
}

Task<> Timers() {
  int ticks = 0;
  auto periodic = Timer::Periodic(milliseconds(1), [&] { ++ticks; });
  const Timer once(milliseconds(2), [] {});
  ReceivePort<Letter> port;
  const Timer sends = SendAfter(port.send_port(), MakeLetter(1), milliseconds(1));
  co_await Delay(milliseconds(5));
  static_cast<void>(port.TryReceive());
  periodic.Cancel();
}

using Lengths = Requester<std::string, std::size_t>;

void MeasureTexts(SendPort<Lengths> out) {
  RequestPort<std::string, std::size_t> port;
  out.Send(port.requester());
  std::move(port).Handle([](std::string text) -> Task<std::size_t> {
    if (text.empty()) throw std::runtime_error(kText);
    if (text == "slow") co_await Delay(milliseconds(10));
    co_return text.size();
  });
}

Task<> Requests() {
  ReceivePort<Lengths> in;
  const Isolate server = co_await Isolate::Spawn(MeasureTexts, in.send_port(), Linked());
  const std::optional<Lengths> lengths = co_await ReceiveWithin(in, patience);
  auto answered = lengths->Call(kText);
  auto in_time = lengths->Call(kText, patience);
  auto failed = lengths->Call(std::string());
  auto late = lengths->Call("slow", milliseconds(1));
  co_await answered;
  co_await in_time;
  try {
    co_await failed;
  } catch (const RemoteError&) {  // empty
  }
  try {
    co_await late;
  } catch (const TimeoutError&) {  // slow
  }
  auto open = lengths->Call("slow");
  server.Kill(ControlPriority::kImmediate, kText);
  co_await open;
}

Task<> Ends() {
  ReceivePort<ExitInfo> infos;
  ReceivePort<Letter> exits;
  ReceivePort<RemoteError> errors;
  const Isolate isolate = co_await Isolate::Spawn(Stay, std::string(kText),
                                                  Linked()
                                                      .DebugName(kText)
                                                      .OnExit(exits.send_port(), MakeLetter(1))
                                                      .OnError(errors.send_port()));
  isolate.Monitor(infos.send_port());
  isolate.AddOnExitListener(exits.send_port(), MakeLetter(2));
  auto ended = isolate.Ended();
  const Capability pause = isolate.Pause();
  isolate.Ping(exits.send_port(), MakeLetter(3));
  isolate.Resume(pause);
  isolate.Kill(ControlPriority::kBeforeNextEvent, kText);
  co_await ended;
  auto again = isolate.Ended();
  co_await again;
}

Task<> FailLater(int) {
  co_await Delay(milliseconds(1));
  throw std::runtime_error(kText);
}

Task<> Supervised() {
  std::vector<ChildSpec> children;
  children.emplace_back("stays", Stay, std::string(kText));
  children.emplace_back("fails", FailLater, 0);
  Supervisor supervisor(std::move(children),
                        SupervisorOptions().Strategy(RestartStrategy::kOneForAll));
  co_await Delay(milliseconds(2));
  supervisor.Stop();
  co_await supervisor.ended();
}

Task<> GivesUp() {
  std::vector<ChildSpec> children;
  children.emplace_back("fails", FailLater, 0);
  Supervisor supervisor(std::move(children));
  co_await supervisor.ended();
}

IsolateLocal<std::map<int, std::string>> numbered_texts;

Task<> Patterns() {
  numbered_texts.Get()[1] = kText;
  ReceivePort<Letter> port;
  const Broadcast<Letter> broadcast;
  broadcast.Subscribe(port.send_port());
  broadcast.Send(MakeLetter(1));
  LatestValuePort<Letter> latest;
  auto sent = Isolate::Run(
      LinkedRun(),
      [](LatestValueSender<Letter> to) {
        numbered_texts.Get()[2] = kText;
        to.Send(MakeLetter(1));
        to.Send(MakeLetter(2));
      },
      latest.sender());
  co_await sent;
  static_cast<void>(latest.TryTake());
  struct Name {
    ~Name() { UnregisterPort("faults"); }
  } const name;
  static_cast<void>(RegisterPort("faults", port.send_port()));
  auto found = Isolate::Run(LinkedRun(), [] {
    if (auto to = LookupPort<Letter>("faults")) to->Send(MakeLetter(2));
  });
  co_await found;
  static_cast<void>(co_await ReceiveWithin(port, patience));
  auto bytes = TransferableTypedData::FromBytes(std::vector<std::byte>(100));
  auto size = Isolate::Run(
      LinkedRun(), [](TransferableTypedData data) { return data.Materialize().size(); },
      std::move(bytes));
  co_await size;
}

Task<> ErrorStreams() {
  const Isolate isolate = co_await Isolate::Spawn(FailLater, 0, Linked());
  auto errors = isolate.Errors();
  auto ended = isolate.Ended();
  co_await ended;
  while (co_await errors.Next()) {
  }
}

}  // namespace

Task<> UseEverything() {
  static constexpr Step kSteps[] = {&ExchangeLetters, &Runs,    &BlockingRuns, &Combined,
                                    &Parcels,         &Timers,  &Requests,     &Ends,
                                    &Supervised,      &GivesUp, &Patterns,     &ErrorStreams};
  for (const Step step : kSteps) {
    try {
      co_await step();
    } catch (const std::exception&) {  // one step less
    }
  }
}

}  // namespace isolates
