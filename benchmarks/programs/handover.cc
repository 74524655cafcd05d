// Hand-over: a parcel goes from one live isolate to another and is dropped, by its size and by the
// number of its blocks; beside a deep copy of the same value and its destructors. What it stresses:
// that the cost of a hand-over does not depend on what is handed over.
//
// Limits: for the send, that of a number through the same two isolates; for the copy, memcpy of as
// many bytes; for the drop, the destructors of the copy. All are taken in turns on the same graph.

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "benchmarks/programs/crew.h"
#include "benchmarks/programs/lines.h"
#include "benchmarks/programs/program.h"
#include "benchmarks/support/limits.h"
#include "benchmarks/support/stopwatch.h"
#include "isolates/isolates.h"

namespace isolates::bench {
namespace {

template <class Message>
struct EchoSetup {
  SendPort<SendPort<Message>> connect;
  SendPort<Message> replies;
};

bool IsEnd(std::uint64_t number) { return number == 0; }
bool IsEnd(const Parcel<Lines>& parcel) { return parcel.empty(); }
std::uint64_t Look(std::uint64_t number) { return number; }
std::uint64_t Look(const Parcel<Lines>& parcel) {
  return static_cast<std::uint64_t>(parcel->front().front());
}

// Looks at each message and sends it back; an empty one ends it.
template <class Message>
void Echo(EchoSetup<Message> setup) {
  ReceivePort<Message> messages;
  setup.connect.Send(messages.send_port());
  std::move(messages).Listen([replies = setup.replies, seen = std::uint64_t{0}](
                                 ReceivePort<Message>& port, Message message) mutable {
    if (IsEnd(message)) {
      port.Close();
      return;
    }
    seen += Look(message);
    replies.Send(std::move(message));
  });
}

// An isolate that sends messages back.
template <class Message>
class Partner {
 public:
  explicit Partner(Crew& crew) {
    ReceivePort<SendPort<Message>> connect;
    crew.Start(Echo<Message>, EchoSetup<Message>{connect.send_port(), replies_.send_port()});
    out_ = *connect.Receive(kForever);
  }
  // Half of a round trip, the median of several; the message comes back. Microseconds.
  double TimeOfSend(Message& message, int round_trips) {
    std::vector<double> times;
    for (int i = 0; i < round_trips; ++i) {
      const Stopwatch watch;
      out_.Send(std::move(message));
      message = *replies_.Receive(kForever);
      times.push_back(static_cast<double>(watch.ns()) / 2e3);
    }
    return SpreadOf(std::move(times)).median;
  }
  void End() { out_.Send(Message{}); }

 private:
  ReceivePort<Message> replies_;
  SendPort<Message> out_;
};

// One figure and what it is compared with, over the repetitions.
struct Series {
  std::vector<double> values;
  std::vector<double> limits;
  void Add(double value, double limit) {
    values.push_back(value);
    limits.push_back(limit);
  }
  Result ToResult(std::string name) const {
    std::vector<double> ratios;
    for (std::size_t i = 0; i < values.size(); ++i) ratios.push_back(values[i] / limits[i]);
    Result result =
        ResultOf(std::move(name), SpreadOf(values), "us", static_cast<int>(values.size()));
    result.limit = SpreadOf(limits).median;
    result.ratio = SpreadOf(std::move(ratios)).median;
    return result;
  }
};

void Measure(Program& program, const std::string& name, std::size_t blocks,
             std::size_t bytes_each) {
  // The parcel, the copy, the two buffers of memcpy, and what the allocator keeps of those before.
  const std::size_t bytes = blocks * (bytes_each + sizeof(std::string));
  if (!HasMemoryFor(5 * bytes)) {
    program.Add(ResultOf(name + ": too little free memory", SpreadOf({}), "us", 0));
    return;
  }
  const int repetitions = program.quick() ? 2 : bytes > 100'000'000 ? 3 : 9;
  const int round_trips = program.Scale(64, 4);
  Crew crew;
  Partner<std::uint64_t> numbers(crew);
  Partner<Parcel<Lines>> parcels(crew);
  std::vector<double> seal;
  Series send;
  Series copy;
  Series drop;
  for (int i = 0; i < repetitions; ++i) {
    Parcel<Lines> parcel = MakeParcel(Build, blocks, bytes_each);
    Require(parcel.receipt().droppable || allocator() == Allocator::kMalloc,
            "the parcel is droppable as a whole");
    const std::chrono::duration<double, std::micro> sealed =
        parcel.receipt().verify_time + parcel.receipt().census_time;
    seal.push_back(sealed.count());
    std::uint64_t number = 1;
    const double before = numbers.TimeOfSend(number, round_trips);
    const double parcel_us = parcels.TimeOfSend(parcel, round_trips);
    const double after = numbers.TimeOfSend(number, round_trips);
    send.Add(parcel_us, (before + after) / 2);
    Check(*parcel, blocks, bytes_each);
    std::unique_ptr<Lines> copied;
    const double copy_us = TimeOf([&] { copied = std::make_unique<Lines>(*parcel); }) / 1e3;
    copy.Add(copy_us, MemcpyOf(bytes) / 1e3);
    Check(*copied, blocks, bytes_each);
    const double drop_us = TimeOf([&] { parcel.Drop(); }) / 1e3;
    drop.Add(drop_us, TimeOf([&] { copied.reset(); }) / 1e3);
  }
  program.Add(ResultOf(name + ", seal, once", SpreadOf(std::move(seal)), "us", repetitions));
  program.Add(send.ToResult(name + ", hand-over (limit: a number)"));
  program.Add(copy.ToResult(name + ", deep copy (limit: memcpy)"));
  program.Add(drop.ToResult(name + ", drop (limit: destructors)"));
  numbers.End();
  parcels.End();
  crew.Wait();
}

void Run(Program& program) {
  // By size: blocks of 100 bytes.
  const auto largest = program.Scale<std::size_t>(1'000'000'000, 1'000'000);
  for (std::size_t bytes = 1'000; bytes <= largest; bytes *= 10) {
    const std::size_t blocks = bytes / (100 + sizeof(std::string));
    Measure(program, std::to_string(bytes) + " bytes", blocks, 100);
  }
  // By number of blocks: 64 MB in all, or as much as two million of 48 bytes take.
  const auto all = program.Scale<std::size_t>(std::size_t{64} << 20, std::size_t{1} << 20);
  for (std::size_t blocks = 1; blocks <= program.Scale<std::size_t>(2'000'000, 20'000);
       blocks = blocks == 1 ? 2'000 : blocks * 10) {
    Measure(program, std::to_string(blocks) + " blocks", blocks,
            std::max<std::size_t>(48, all / blocks));
  }
}

}  // namespace
}  // namespace isolates::bench

int main(int argc, char** argv) {
  isolates::bench::Program program(argc, argv);
  isolates::bench::Run(program);
  return program.Finish();
}
