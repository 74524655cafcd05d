// A program that sends and receives.

#include <string>

#include "isolates/isolates.h"

int main() {
  isolates::ReceivePort<int> numbers;
  isolates::ReceivePort<std::string> words;
  numbers.send_port().Send(1);
  words.send_port().Send("a word");
  return numbers.Receive(isolates::kForever) == 1 && words.Receive(isolates::kForever) ? 0 : 1;
}
