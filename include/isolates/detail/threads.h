// Which threads the library knows, and where their stacks are. Verification asks it whether an
// address lies on a stack, and whose.

#ifndef ISOLATES_DETAIL_THREADS_H_
#define ISOLATES_DETAIL_THREADS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace isolates::internal {

// Notes the calling thread's stack under a name; further calls only change the name. The entry goes
// when the thread ends. Threads that use the library are registered by it. Throws std::bad_alloc,
// not if it only changes the name.
void RegisterThisThread(std::string_view name);

// Changes the name that reports use for the calling thread (the isolate that runs on it). No lock.
void NameThisThread(std::string_view name) noexcept;

// True if the address lies in the stack of a registered thread. Takes no lock. Any thread.
bool IsOnAnyStack(const void* address) noexcept;

// True if it lies in the stack of the calling thread, which is registered.
bool IsOnThisStack(const void* address) noexcept;

// The name under which the stack that holds the address is registered.
std::optional<std::string> StackNameOf(const void* address);

// The calling thread's pthread_self() as a number: its thread_locals of the images that were loaded
// at start lie at distances from it that are the same in every thread.
std::uintptr_t SelfOfThisThread() noexcept;

struct KnownThread {
  std::uintptr_t self;
  std::string name;
};

// Every registered thread (for reports).
std::vector<KnownThread> KnownThreads();

}  // namespace isolates::internal

#endif  // ISOLATES_DETAIL_THREADS_H_
