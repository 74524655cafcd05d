// oneTBB: the bounded queue, spinning and blocking; a task group.

#include <tbb/concurrent_queue.h>
#include <tbb/task_group.h>
#include <tbb/version.h>

#include "harness.h"

namespace {

using peers::Message;

template <bool kBlocks>
class Bounded {
 public:
  Bounded() { queue_.set_capacity(4096); }
  Bounded& sender() { return *this; }
  Bounded& receiver() { return *this; }
  void Push(const Message& message) {
    if constexpr (kBlocks) {
      queue_.push(message);
    } else {
      for (peers::Patience patience; !queue_.try_push(message);) patience.Wait();
    }
  }
  void Pop(Message& message) {
    if constexpr (kBlocks) {
      queue_.pop(message);
    } else {
      while (!queue_.try_pop(message)) peers::Pause();
    }
  }

 private:
  tbb::concurrent_bounded_queue<Message> queue_;
};

double Task(const peers::Arguments& arguments) {
  tbb::task_group group;
  return peers::MicrosecondsEach(arguments, [&group] {
    int result = 0;
    group.run([&result] { result = 7; });
    group.wait();
    if (result != 7) std::abort();
  });
}

}  // namespace

int main(int argc, char** argv) {
  peers::Cases cases{{"w4", Task}};
  peers::AddChannel<Bounded<false>>(cases, "_spin");
  peers::AddChannel<Bounded<true>>(cases, "_block");
  return peers::Main(argc, argv, TBB_runtime_version(), cases);
}
