// Boost.Fiber: channels between two threads, and between two fibers of one; async.

#include <boost/fiber/all.hpp>
#include <boost/version.hpp>

#include "harness.h"

namespace {

using peers::Arguments;
using peers::Message;

class Channel {
 public:
  Channel& sender() { return *this; }
  Channel& receiver() { return *this; }
  void Push(const Message& message) { channel_.push(message); }
  void Pop(Message& message) { channel_.pop(message); }

 private:
  boost::fibers::buffered_channel<Message> channel_{65536};
};

double SameThread(const Arguments& arguments) {
  peers::Pin(arguments.cpus[0]);
  return 1e9 * peers::SecondsEach(arguments.seconds, [](std::uint64_t count) {
           boost::fibers::unbuffered_channel<Message> there;
           boost::fibers::unbuffered_channel<Message> back;
           boost::fibers::fiber other([&] {
             Message message;
             for (std::uint64_t i = 0; i < count; ++i) {
               there.pop(message);
               ++message.words[0];
               back.push(message);
             }
           });
           Message message;
           const double start = peers::Now();
           for (std::uint64_t i = 0; i < count; ++i) {
             there.push(message);
             back.pop(message);
           }
           const double elapsed = peers::Now() - start;
           other.join();
           return elapsed;
         });
}

double Async(const Arguments& arguments) {
  peers::Pin(arguments.cpus[0]);
  return peers::MicrosecondsEach(arguments, [] {
    if (boost::fibers::async([] { return 7; }).get() != 7) std::abort();
  });
}

}  // namespace

int main(int argc, char** argv) {
  peers::Cases cases{{"w1_same_thread", SameThread}, {"w4", Async}};
  peers::AddChannel<Channel>(cases, "");
  return peers::Main(argc, argv, BOOST_LIB_VERSION, cases);
}
