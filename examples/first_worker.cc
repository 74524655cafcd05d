// A worker that lives on: it counts words, one text after the other, until nobody can send to it
// any more.

#include <cstddef>
#include <iostream>
#include <sstream>
#include <string>
#include <utility>

#include "isolates/isolates.h"

namespace {

using isolates::Isolate;
using isolates::PortOptions;
using isolates::ReceivePort;
using isolates::SendPort;
using isolates::Task;

// What the worker gets when it starts: where to say how it is reached, and where results go.
struct Start {
  SendPort<SendPort<std::string>> ready;
  SendPort<std::size_t> counts;
};

void CountWords(const Start& start) {
  ReceivePort<std::string> texts(PortOptions().CloseWhenSendersGone());
  start.ready.Send(texts.send_port());
  std::move(texts).Listen([counts = start.counts](const std::string& text) {
    std::istringstream words(text);
    std::size_t count = 0;
    for (std::string word; words >> word;) ++count;
    counts.Send(count);
  });
}

Task<> Main() {
  ReceivePort<SendPort<std::string>> ready;
  ReceivePort<std::size_t> counts;
  Start start{ready.send_port(), counts.send_port()};
  const Isolate worker = co_await Isolate::Spawn(CountWords, std::move(start));

  auto texts = co_await ready.Receive();
  texts->Send("build here, read there");
  texts->Send("share nothing");
  for (int i = 0; i < 2; ++i) std::cout << *co_await counts.Receive() << " words\n";

  texts.reset();  // the last SendPort: the worker's port ends, and so does the worker
  const isolates::ExitInfo end = co_await worker.Ended();
  std::cout << "the worker has " << ExitReasonName(end.reason) << '\n';
}

}  // namespace

int main() { return isolates::RunMain(Main); }
