#include "examples/json_keys/measure.h"

#include <sched.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <thread>
#include <utility>

#include <nlohmann/json.hpp>

#include "examples/json_keys/load.h"
#include "isolates/adapters/nlohmann_json.h"

namespace json_keys {
namespace {

using isolates::Future;
using isolates::Isolate;
using isolates::Parcel;
using isolates::ReceivePort;
using isolates::RunOptions;
using isolates::SendPort;
using isolates::StateError;
using isolates::TimeoutError;
using nlohmann::json;
using Clock = std::chrono::steady_clock;

struct Done {};

std::int64_t NanosecondsSinceStart(Clock::time_point time) {
  return std::chrono::nanoseconds(time.time_since_epoch()).count();
}

template <class Action>
std::int64_t TimeOf(const Action& action) {
  const auto start = Clock::now();
  action();
  return std::chrono::nanoseconds(Clock::now() - start).count();
}

// The worker threads are bound to processors; without this the system may put the main thread,
// which polls, onto one of theirs.
void KeepToOwnProcessor() {
  const isolates::RuntimeInfo info = isolates::runtime_info();
  if (info.cpus.size() < 2) return;
  cpu_set_t own;
  CPU_ZERO(&own);
  CPU_SET(static_cast<std::size_t>(info.cpus.front()), &own);
  sched_setaffinity(0, sizeof(own), &own);  // refused: then the figures vary more
}

// The worker's job. `done` hears of its end, before the result is verified and sent.
Loaded LoadAndTell(const std::string& path, SendPort<Done> done) {
  struct AtEnd {
    SendPort<Done> done;
    ~AtEnd() { done.Send(Done()); }
  };
  const AtEnd at_end{std::move(done)};
  return Load(path);
}

// Waits for the end of the job in a sleep, and then for the result awake, so that the time of the
// hand-over does not contain that of waking up.
template <class T>
T Await(Future<T> future, ReceivePort<Done>& done, const Options& options) {
  const isolates::Duration limit = options.deadline ? *options.deadline : isolates::kForever;
  try {
    if (!done.Receive(limit).has_value()) {
      throw StateError("the port was closed");
    }
  } catch (const TimeoutError&) {
    throw TimeoutError(options.path + ": the worker did not answer within " +
                       std::to_string(options.deadline->count()) + " ms");
  }
  const bool alone = std::thread::hardware_concurrency() < 2;
  while (!future.ready()) {
    if (alone) {
      std::this_thread::yield();
    } else {
      __builtin_ia32_pause();
    }
  }
  return future.Get();
}

// Parses in a worker isolate and takes the document over.
Parcel<Loaded> Receive(const Options& options, Measured& measured) {
  ReceivePort<Done> done;
  Parcel<Loaded> parcel = Await(Isolate::RunParcel(RunOptions().DebugName("parser"), LoadAndTell,
                                                   options.path, done.send_port()),
                                done, options);
  measured.keys = parcel->document.size();
  const std::int64_t received = NanosecondsSinceStart(Clock::now());

  measured.receipt = parcel.receipt();
  measured.file_bytes = parcel->file_bytes;
  measured.parse_ns.push_back(parcel->parse_ns);
  measured.verify_ns.push_back(
      (measured.receipt.verify_time + measured.receipt.census_time).count());
  measured.handover_ns.push_back(received - static_cast<std::int64_t>(measured.receipt.sent_ns));
  return parcel;
}

// In place of the hand-over: a deep copy.
void Copy(const Parcel<Loaded>& parcel, Measured& measured) {
  json copy;
  measured.copy_ns.push_back(TimeOf([&] { copy = parcel->document; }));
}

// In place of the drop: the value without its heap, which its destructor takes apart.
void Destroy(const Options& options, Measured& measured) {
  ReceivePort<Done> done;
  Loaded loaded = Await(
      Isolate::Run(RunOptions().DebugName("parser"), LoadAndTell, options.path, done.send_port()),
      done, options);
  measured.destructor_ns.push_back(TimeOf([&] { loaded.document = nullptr; }));
}

}  // namespace

std::int64_t Median(Samples samples) {
  std::sort(samples.begin(), samples.end());
  const std::size_t middle = samples.size() / 2;
  return samples.size() % 2 == 1 ? samples[middle] : (samples[middle - 1] + samples[middle]) / 2;
}

Measured Measure(const Options& options) {
  // Starts the runtime, which happens once in a program.
  Isolate::Run([] { return 0; }).Get();
  KeepToOwnProcessor();

  Measured measured;
  const int count = options.repeat.value_or(options.compare ? 5 : 1);
  for (int i = 0; i < count; ++i) {
    Parcel<Loaded> parcel = Receive(options, measured);
    if (options.compare) Copy(parcel, measured);
    measured.drop_ns.push_back(TimeOf([&] { parcel.Drop(); }));
    if (options.compare) Destroy(options, measured);
  }
  return measured;
}

}  // namespace json_keys
