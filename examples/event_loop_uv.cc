// Isolates inside of libuv: the loop polls the descriptor of this thread's isolate beside a timer.

#include <uv.h>

#include <iostream>
#include <string>

#include "isolates/isolates.h"

namespace {

using isolates::EventLoop;
using isolates::Isolate;
using isolates::ReceivePort;

struct Program {
  EventLoop loop = EventLoop::OfThisThread();
  ReceivePort<std::string> answers;
  uv_timer_t timer{};
  uv_poll_t poll{};
};

// libuv calls again while the descriptor is readable: one event each time is enough.
void HandleEvent(uv_poll_t* poll, int, int) {
  static_cast<Program*>(poll->data)->loop.HandleEvent();
}

void Tick(uv_timer_t* timer) {
  const auto& answers = static_cast<Program*>(timer->data)->answers;
  Isolate::Spawn([](isolates::SendPort<std::string> to) { to.Send("from an isolate"); },
                 answers.send_port())
      .Get();
}

}  // namespace

int main() {
  Program program;
  uv_timer_init(uv_default_loop(), &program.timer);
  uv_poll_init(uv_default_loop(), &program.poll, program.loop.fd());
  program.timer.data = &program;
  program.poll.data = &program;
  program.answers.Listen([&program](std::string text) {
    std::cout << text << '\n';
    uv_close(reinterpret_cast<uv_handle_t*>(&program.timer), nullptr);
    uv_close(reinterpret_cast<uv_handle_t*>(&program.poll), nullptr);
  });
  uv_poll_start(&program.poll, UV_READABLE, HandleEvent);
  uv_timer_start(&program.timer, Tick, 1, 0);
  uv_run(uv_default_loop(), UV_RUN_DEFAULT);
}
