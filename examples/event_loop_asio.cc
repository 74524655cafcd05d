// Isolates inside of Asio: the thread of an io_context handles its own isolate's messages, and runs
// the turns of an isolate that was made for it.

#include <chrono>
#include <iostream>
#include <string>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "isolates/isolates.h"

namespace {

namespace asio = boost::asio;
using isolates::EventLoop;
using isolates::ReceivePort;
using isolates::SendPort;

// Handles one event in each handler of Asio, so that others get their turn in between.
void HandleEvents(asio::io_context& io, EventLoop& loop) {
  if (loop.HandleEvent()) asio::post(io, [&io, &loop] { HandleEvents(io, loop); });
}

void RunIn(asio::io_context& io, EventLoop& loop) {
  loop.OnEvent([&io, &loop] { asio::post(io, [&io, &loop] { HandleEvents(io, loop); }); });
}

using Ports = std::pair<SendPort<std::string>, SendPort<SendPort<std::string>>>;

// Answers each text with a longer one.
void Echo(Ports ports) {
  ReceivePort<std::string> requests;
  ports.second.Send(requests.send_port());
  std::move(requests).Listen(
      [answers = ports.first](std::string text) { answers.Send("echo of " + text); });
}

}  // namespace

int main() {
  asio::io_context io;
  const auto work = asio::make_work_guard(io);

  EventLoop here = EventLoop::OfThisThread();
  ReceivePort<std::string> answers;
  ReceivePort<SendPort<std::string>> connected;
  answers.Listen([&io](std::string text) {
    std::cout << text << '\n';
    io.stop();
  });
  asio::steady_timer timer(io, std::chrono::milliseconds(1));
  connected.Listen([&timer](SendPort<std::string> echo) {
    timer.async_wait([echo](const auto&) { echo.Send("a timer of Asio"); });
  });
  EventLoop echo = EventLoop::Create(Echo, Ports(answers.send_port(), connected.send_port()));

  RunIn(io, here);
  RunIn(io, echo);
  io.run();
  here.OnEvent(nullptr);
}
