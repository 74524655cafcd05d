// What a thread of the library does while it has nothing to do: looks again at once, lets others
// have the processor, or sleeps. Waking a thread that sleeps costs its waker a system call and the
// sleeper tens of microseconds on a virtual machine; a thread that spins costs a processor.

#ifndef ISOLATES_IDLE_STRATEGY_H_
#define ISOLATES_IDLE_STRATEGY_H_

#include <memory>

#include "isolates/clock.h"

namespace isolates {

// An object of this kind is shared by all threads that wait by it, and never changes; what one
// thread learns stands in that thread's Memory. Programs may write their own.
class IdleStrategy {
 public:
  // What a thread remembers between its waits: the spinning that was worth it lately.
  struct Memory {
    Duration window{-1};  // negative: nothing learnt yet
  };

  // What to do next.
  struct Step {
    // Ways to wait.
    enum class Kind {
      kLook,   // look for work again, after a short pause of the processor
      kYield,  // offer the processor to other threads, then look again
      kSleep,  // until woken, but no longer than `at_most`
    };
    Kind kind = Kind::kLook;
    Duration at_most = kForever;  // of a sleep
  };

  virtual ~IdleStrategy() = default;

  // The next step of a wait that has lasted for `waited` so far. `crowded`: more threads want to
  // run than there are processors, so whoever spins may hold up the one it waits for. Any thread.
  virtual Step Next(const Memory& memory, Duration waited, bool crowded) const noexcept = 0;
  // A wait has ended with work, after `waited`. Any thread, on its own memory.
  virtual void Learn(Memory& memory, Duration waited) const noexcept;
};

// Looks all the time: the shortest wake-up, one processor for each waiting thread. For isolates on
// processors of their own. (Where threads are more than processors, it yields between looks.)
std::shared_ptr<const IdleStrategy> BusySpin();

// Looks for `spin`, then yields for as long again, then sleeps for 1 microsecond and twice as long
// each time up to `longest_sleep`: wakers never need a system call to be noticed in bounded time.
std::shared_ptr<const IdleStrategy> BackOff(Duration spin = std::chrono::microseconds(10),
                                            Duration longest_sleep = std::chrono::milliseconds(1));

// Looks for a while, then sleeps until woken. The while adapts between `shortest` and `longest`: it
// doubles when work came soon after it had ended, and loses an eighth when spinning was in vain.
// The default of the library.
std::shared_ptr<const IdleStrategy> SpinThenPark(Duration longest = std::chrono::microseconds(30),
                                                 Duration shortest = std::chrono::microseconds(1));

// Sleeps at once.
std::shared_ptr<const IdleStrategy> Park();

// From now on all threads of the library wait by this strategy, except those of isolates that have
// their own. Any thread. Threads that sleep now learn of it when they wake; they are woken.
void SetIdleStrategy(std::shared_ptr<const IdleStrategy> strategy);

}  // namespace isolates

#endif  // ISOLATES_IDLE_STRATEGY_H_
