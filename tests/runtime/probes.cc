// A program that sends, receives, and hands over a value with its heap.

#include <string>

#include "isolates/isolates.h"

int main() {
  isolates::ReceivePort<int> numbers;
  isolates::ReceivePort<std::string> words;
  numbers.send_port().Send(1);
  words.send_port().Send("a word");
  const auto parcel = isolates::Isolate::RunParcel([] { return std::string(100, 'x'); }).Get();
  return numbers.Receive(isolates::kForever) == 1 && words.Receive(isolates::kForever) &&
                 parcel->size() == 100
             ? 0
             : 1;
}
