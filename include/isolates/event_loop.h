// EventLoop: isolates whose turns run on threads of the program, inside of a foreign event loop
// (epoll, Asio, libuv, a game's frame) or in a loop of their own.
//
// A loop is either that of the calling thread's own isolate (OfThisThread: main, or any plain
// thread with ports), or that of an isolate made for it (Create), which may be run by any thread,
// one turn at a time. Both allocate from the program's heap.

#ifndef ISOLATES_EVENT_LOOP_H_
#define ISOLATES_EVENT_LOOP_H_

#include <concepts>
#include <functional>
#include <type_traits>
#include <utility>

#include "isolates/isolate.h"

namespace isolates {

class EventLoop {
 public:
  using IsolatesUnsendable = void;

  // The loop of the calling thread's isolate; a plain thread becomes one. All functions but
  // isolate() and done() are then for this thread alone, and not for code of other isolates
  // (StateError).
  static EventLoop OfThisThread();

  // An isolate with `entry(message)` that runs only where HandleEvent or Run is called; its entry
  // runs in the first turn. (Dart's Isolate.create.) Dedicated has no meaning here. Throws as
  // Spawn.
  template <class Entry, class Message>
    requires std::invocable<std::decay_t<Entry>, std::decay_t<Message>>
  static EventLoop Create(Entry&& entry, Message&& message, SpawnOptions options = {}) {
    options.launch_.hosted = true;
    return EventLoop(
        Isolate::Spawn(std::forward<Entry>(entry), std::forward<Message>(message), options).Get());
  }

  EventLoop(EventLoop&& other) noexcept = default;
  EventLoop& operator=(EventLoop&& other) noexcept;
  // An isolate made by Create that has not ended is killed, and its code unwound, here.
  ~EventLoop();

  const Isolate& isolate() const noexcept { return isolate_; }
  // True once the isolate has ended. Any thread.
  bool done() const noexcept;

  // Handles at most one event (or the entry). True if it did; false if there was nothing to do. Any
  // thread for a created loop: waits while another thread handles an event. StateError from an
  // event of the same isolate, and while another thread is in Run. An uncaught error of the
  // thread's own isolate is thrown; that of a created one ends it and goes to its listeners.
  bool HandleEvent();

  // Handles events here until the isolate has ended, or until nothing keeps the thread's own
  // isolate alive. (Dart's runEventLoopSync.)
  void Run();

  // `on_event` is called, on any thread, when there is something to handle after HandleEvent has
  // found nothing; at once if there is something now. It must only pass the news on: it may not
  // handle events, nor wait. nullptr: nobody is called. (Dart's onEvent.)
  void OnEvent(std::function<void()> on_event);

  // A descriptor (Linux eventfd) that is readable while there is something to handle, for poll and
  // its kin. Made at the first call and closed with the isolate; do not read from it.
  int fd();

 private:
  explicit EventLoop(Isolate isolate);
  internal::Ref<internal::PortHost> core_;  // nullptr: moved from
  Isolate isolate_;
};

}  // namespace isolates

#endif  // ISOLATES_EVENT_LOOP_H_
