// A trace of a program: written for Perfetto, and the time of its messages taken apart.

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <string>
#include <utility>

#include "isolates/isolates.h"

namespace {

void Square(isolates::SendPort<int> answers) {
  isolates::ReceivePort<int> numbers;
  isolates::SendPort<int> to = numbers.send_port();
  for (int number = 1; number <= 3; ++number) to.Send(int{number});
  std::move(numbers).Listen([answers](isolates::ReceivePort<int>& own, int number) {
    answers.Send(number * number);
    if (number == 3) own.Close();
  });
}

}  // namespace

int main() {
  const std::string file = std::filesystem::temp_directory_path() / "isolates_trace.json";
  isolates::ReceivePort<int> answers;

  isolates::Trace::Start();
  isolates::Isolate::Spawn(Square, answers.send_port()).Get();
  for (int i = 0; i < 3; ++i) std::cout << *answers.Receive(isolates::kForever) << '\n';
  isolates::Trace::Stop();

  // Open it in https://ui.perfetto.dev.
  if (!isolates::Trace::Write(file)) return EXIT_FAILURE;
  const isolates::MessageLatencies latencies = isolates::Trace::Latencies();
  std::cout << (latencies.total.count() >= 3 ? "their times are known" : "messages are missing")
            << '\n';
  std::filesystem::remove(file);
}
