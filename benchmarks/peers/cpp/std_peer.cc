// The standard library: mutex and condition variable, std::async, std::thread with a promise; the
// hand-over of a parsed JSON document through a promise.

#include <condition_variable>
#include <deque>
#include <future>
#include <mutex>
#include <utility>

#include <nlohmann/json.hpp>

#include "harness.h"

namespace {

using peers::Arguments;
using peers::Message;

class Locked {
 public:
  Locked& sender() { return *this; }
  Locked& receiver() { return *this; }
  void Push(const Message& message) {
    {
      const std::lock_guard lock(mutex_);
      messages_.push_back(message);
    }
    arrived_.notify_one();
  }
  void Pop(Message& message) {
    std::unique_lock lock(mutex_);
    arrived_.wait(lock, [this] { return !messages_.empty(); });
    message = messages_.front();
    messages_.pop_front();
  }

 private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<Message> messages_;
};

double Async(const Arguments& arguments) {
  return peers::MicrosecondsEach(arguments, [] {
    if (std::async(std::launch::async, [] { return 7; }).get() != 7) std::abort();
  });
}

double Thread(const Arguments& arguments) {
  return peers::MicrosecondsEach(arguments, [] {
    std::promise<int> promise;
    std::thread thread([&promise] { promise.set_value(7); });
    if (promise.get_future().get() != 7) std::abort();
    thread.join();
  });
}

// From the end of the parse in a worker to the first look at the document here, microseconds.
double Json(const Arguments& arguments) {
  std::promise<std::pair<nlohmann::json, double>> promise;
  std::thread worker([&] {
    peers::Pin(arguments.cpus[1]);
    nlohmann::json document = nlohmann::json::parse(peers::TextOf(arguments.file));
    const double start = peers::Now();
    promise.set_value({std::move(document), start});
  });
  peers::Pin(arguments.cpus[0]);
  const auto [document, start] = promise.get_future().get();
  if (document.empty()) std::abort();
  const double elapsed = peers::Now() - start;
  worker.join();
  return 1e6 * elapsed;
}

// Bytes of a thread that waits.
double IdleThreads(const Arguments&) {
  constexpr int kCount = 2'000;
  static std::mutex mutex;
  static std::condition_variable never;
  static std::atomic<int> waiting{0};
  const double before = peers::ResidentBytes();
  for (int i = 0; i < kCount; ++i) {
    std::thread([] {
      std::unique_lock lock(mutex);
      waiting.fetch_add(1);
      never.wait(lock, [] { return false; });
    }).detach();
  }
  for (peers::Patience patience; waiting.load() < kCount;) patience.Wait();
  return (peers::ResidentBytes() - before) / kCount;
}

}  // namespace

int main(int argc, char** argv) {
  peers::Cases cases{{"w4_async", Async}, {"w4_thread", Thread}, {"w5", Json}, {"w6", IdleThreads}};
  peers::AddChannel<Locked>(cases, "");
  return peers::Main(argc, argv, "g++ " __VERSION__, cases);
}
