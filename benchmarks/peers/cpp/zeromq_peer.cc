// ZeroMQ inside of a process: PAIR sockets for one to one, PUSH and PULL for many to one.

#include <zmq.h>

#include <atomic>

#include "harness.h"

namespace {

using peers::Message;

template <int kSending, int kReceiving>
class Sockets {
 public:
  Sockets() : context_(zmq_ctx_new()), receiving_(zmq_socket(context_, kReceiving)) {
    if (zmq_bind(receiving_, "inproc://peer") != 0) std::abort();
  }
  Sockets(const Sockets&) = delete;
  Sockets& operator=(const Sockets&) = delete;
  ~Sockets() {
    zmq_close(receiving_);
    zmq_ctx_term(context_);
  }

  class Sender {
   public:
    explicit Sender(void* context) : socket_(zmq_socket(context, kSending)) {
      if (zmq_connect(socket_, "inproc://peer") != 0) std::abort();
    }
    Sender(const Sender&) = delete;
    Sender& operator=(const Sender&) = delete;
    ~Sender() { zmq_close(socket_); }
    void Push(const Message& message) {
      if (zmq_send(socket_, &message, sizeof(message), 0) < 0) std::abort();
    }

   private:
    void* socket_;
  };
  struct Receiver {
    void* socket;
    void Pop(Message& message) {
      if (zmq_recv(socket, &message, sizeof(message), 0) != sizeof(message)) std::abort();
    }
  };
  Sender sender() { return Sender(context_); }
  Receiver receiver() { return {receiving_}; }

 private:
  void* context_;
  void* receiving_;
};

std::string Version() {
  int major = 0;
  int minor = 0;
  int patch = 0;
  zmq_version(&major, &minor, &patch);
  return std::to_string(major) + "." + std::to_string(minor) + "." + std::to_string(patch);
}

}  // namespace

int main(int argc, char** argv) {
  using Pair = Sockets<ZMQ_PAIR, ZMQ_PAIR>;
  using PushPull = Sockets<ZMQ_PUSH, ZMQ_PULL>;
  const peers::Cases cases{
      {"w1", peers::RoundTrip<Pair>},
      {"w2", [](const peers::Arguments& a) { return peers::Throughput<Pair>(a, 1); }},
      {"w3", [](const peers::Arguments& a) { return peers::Throughput<PushPull>(a, 4); }}};
  return peers::Main(argc, argv, Version(), cases);
}
