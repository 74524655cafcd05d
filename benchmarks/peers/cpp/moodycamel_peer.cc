// moodycamel's ConcurrentQueue with tokens, spinning; and its blocking queue.

#include <concurrentqueue/blockingconcurrentqueue.h>
#include <concurrentqueue/concurrentqueue.h>

#include "harness.h"

namespace {

using peers::Message;

class Spinning {
 public:
  struct Sender {
    moodycamel::ConcurrentQueue<Message>& queue;
    moodycamel::ProducerToken token{queue};
    void Push(const Message& message) { queue.enqueue(token, message); }
  };
  struct Receiver {
    moodycamel::ConcurrentQueue<Message>& queue;
    moodycamel::ConsumerToken token{queue};
    void Pop(Message& message) {
      while (!queue.try_dequeue(token, message)) peers::Pause();
    }
  };
  Sender sender() { return {queue_}; }
  Receiver receiver() { return {queue_}; }

 private:
  moodycamel::ConcurrentQueue<Message> queue_;
};

class Blocking {
 public:
  struct Sender {
    moodycamel::BlockingConcurrentQueue<Message>& queue;
    moodycamel::ProducerToken token{queue};
    void Push(const Message& message) { queue.enqueue(token, message); }
  };
  struct Receiver {
    moodycamel::BlockingConcurrentQueue<Message>& queue;
    moodycamel::ConsumerToken token{queue};
    void Pop(Message& message) { queue.wait_dequeue(token, message); }
  };
  Sender sender() { return {queue_}; }
  Receiver receiver() { return {queue_}; }

 private:
  moodycamel::BlockingConcurrentQueue<Message> queue_;
};

}  // namespace

int main(int argc, char** argv) {
  peers::Cases cases;
  peers::AddChannel<Spinning>(cases, "_spin");
  peers::AddChannel<Blocking>(cases, "_block");
  return peers::Main(argc, argv, "", cases);
}
