// An isolate library inside of an epoll loop: this thread waits for a pipe and for its isolate's
// messages in one place.

#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <iostream>
#include <string>

#include "isolates/isolates.h"

namespace {

using isolates::EventLoop;
using isolates::Isolate;
using isolates::ReceivePort;

void Watch(int epoll, int fd) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = fd;
  epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

std::uint64_t Squared(std::uint64_t n) { return n * n; }

}  // namespace

int main() {
  std::array<int, 2> input{};
  if (pipe(input.data()) != 0) return 1;
  EventLoop loop = EventLoop::OfThisThread();
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  Watch(epoll, input[0]);
  Watch(epoll, loop.fd());

  ReceivePort<std::uint64_t> results;
  std::uint64_t sum = 0;
  int missing = 3;
  results.Listen([&](std::uint64_t square) {
    sum += square;
    --missing;
  });

  // What comes in through the pipe goes to isolates; what they make of it comes back as messages.
  const std::string numbers = "345";
  if (write(input[1], numbers.data(), numbers.size()) != 3) return 1;
  while (missing > 0) {
    epoll_event event{};
    if (epoll_wait(epoll, &event, 1, -1) != 1) continue;
    if (event.data.fd == loop.fd()) {
      loop.HandleEvent();
      continue;
    }
    char digit = 0;
    if (read(input[0], &digit, 1) != 1) break;
    Isolate::Spawn(
        [](std::pair<std::uint64_t, isolates::SendPort<std::uint64_t>> job) {
          job.second.Send(Squared(job.first));
        },
        std::pair(static_cast<std::uint64_t>(digit - '0'), results.send_port()))
        .Get();
  }
  std::cout << "sum of squares: " << sum << '\n';
  close(epoll);
}
