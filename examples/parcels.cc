// A large value that is built in a heap of its own, handed over with it, read in place and dropped
// as a whole.

#include <iostream>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "isolates/isolates.h"

namespace {

using isolates::Isolate;
using isolates::MakeParcel;
using isolates::Parcel;
using isolates::ReceivePort;
using isolates::SendPort;
using isolates::Task;

using Index = std::map<std::string, std::vector<int>>;

Index BuildIndex(int words) {
  Index index;
  for (int i = 0; i < words; ++i) index["word " + std::to_string(i)] = {i, 2 * i};
  return index;
}

// Whatever else this isolate makes stays in its own heap.
void Builder(const SendPort<Parcel<Index>>& out) { out.Send(MakeParcel<Index>(BuildIndex, 1000)); }

Task<> Main() {
  ReceivePort<Parcel<Index>> indexes;
  co_await Isolate::Spawn(Builder, indexes.send_port());

  Parcel<Index> index = *co_await indexes.Receive();
  std::cout << index->size() << " words, the last at " << index->at("word 999").back() << '\n';
  std::cout << (index.receipt().droppable ? "dropped as a whole" : "dropped by destructors") << ": "
            << ToString(index.receipt().reason) << '\n';
}

}  // namespace

int main() { return isolates::RunMain(Main); }
