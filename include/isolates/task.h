// Task<T>: a coroutine of one isolate.
//
// A Task starts when it is awaited, or when Start is called; it goes on in turns of the isolate
// that created it and is never moved to another. Its frame lives in that isolate's heap.

#ifndef ISOLATES_TASK_H_
#define ISOLATES_TASK_H_

#include <coroutine>
#include <exception>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "isolates/detail/coroutine_frames.h"
#include "isolates/detail/future_state.h"
#include "isolates/error.h"

namespace isolates {

template <class T>
class Task;
template <class T>
class Future;

namespace internal {

class TaskPromiseBase {
 public:
  std::suspend_always initial_suspend() const noexcept { return {}; }

  struct FinalAwaiter {
    bool await_ready() const noexcept { return false; }
    template <class Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> self) const noexcept {
      return self.promise().continuation;
    }
    void await_resume() const noexcept {}
  };
  FinalAwaiter final_suspend() const noexcept { return {}; }

  void unhandled_exception() noexcept { error = std::current_exception(); }

  static void* operator new(std::size_t bytes) { return AllocateFrame(bytes); }
  static void operator delete(void* frame, std::size_t bytes) noexcept { FreeFrame(frame, bytes); }

  std::coroutine_handle<> continuation;
  std::exception_ptr error;
};

template <class T>
class TaskPromise final : public TaskPromiseBase {
 public:
  Task<T> get_return_object() noexcept;
  template <class U>
    requires std::convertible_to<U&&, T>
  void return_value(U&& from) {
    value_.emplace(std::forward<U>(from));
  }
  T Result() {
    if (error) std::rethrow_exception(error);
    return std::move(*value_);
  }

 private:
  std::optional<T> value_;
};

template <>
class TaskPromise<void> final : public TaskPromiseBase {
 public:
  Task<void> get_return_object() noexcept;
  void return_void() const noexcept {}
  void Result() const {
    if (error) std::rethrow_exception(error);
  }
};

}  // namespace internal

template <class T = void>
class [[nodiscard]] Task {
 public:
  using promise_type = internal::TaskPromise<T>;
  using Value = T;
  // A suspended coroutine cannot be sent.
  using IsolatesUnsendable = void;

  Task(Task&& other) noexcept : coroutine_(std::exchange(other.coroutine_, nullptr)) {}
  Task& operator=(Task&& other) noexcept {
    std::swap(coroutine_, other.coroutine_);
    return *this;
  }
  // Ends a coroutine that has not come to its end: its locals are destroyed.
  ~Task() {
    if (coroutine_) coroutine_.destroy();
  }

  // co_await std::move(task): runs it and gives its result, or throws what it threw.
  // Throws StateError the second time, and after the task was moved away.
  auto operator co_await() && {
    struct Awaiter {
      std::coroutine_handle<promise_type> coroutine;
      bool await_ready() const noexcept { return false; }
      std::coroutine_handle<> await_suspend(std::coroutine_handle<> waiter) const noexcept {
        coroutine.promise().continuation = waiter;
        return coroutine;
      }
      T await_resume() const { return coroutine.promise().Result(); }
    };
    if (!coroutine_) throw StateError("this Task is empty: it was moved from");
    if (coroutine_.promise().continuation) throw StateError("this Task was awaited already");
    return Awaiter{coroutine_};
  }

 private:
  friend class internal::TaskPromise<T>;
  explicit Task(std::coroutine_handle<promise_type> coroutine) noexcept : coroutine_(coroutine) {}

  std::coroutine_handle<promise_type> coroutine_;
};

namespace internal {

template <class T>
Task<T> TaskPromise<T>::get_return_object() noexcept {
  return Task<T>(std::coroutine_handle<TaskPromise>::from_promise(*this));
}
inline Task<void> TaskPromise<void>::get_return_object() noexcept {
  return Task<void>(std::coroutine_handle<TaskPromise>::from_promise(*this));
}

template <class T>
inline constexpr bool kIsTask = false;
template <class T>
inline constexpr bool kIsTask<Task<T>> = true;

// A coroutine that its isolate owns: it starts at once and goes when it is done, or with its
// isolate.
class Root {
 public:
  class promise_type : public RootCoroutine {
   public:
    promise_type() {
      handle = std::coroutine_handle<promise_type>::from_promise(*this);
      InsertBefore(CurrentTasks().roots);
    }
    ~promise_type() { Unlink(); }
    Root get_return_object() const noexcept { return {}; }
    std::suspend_never initial_suspend() const noexcept { return {}; }
    std::suspend_never final_suspend() const noexcept { return {}; }
    void return_void() const noexcept {}
    // Roots catch what their task throws; the signal that ends an isolate passes through.
    void unhandled_exception() {
      Unlink();
      InsertBefore(CurrentTasks().failed);
      throw;
    }
    static void* operator new(std::size_t bytes) { return AllocateFrame(bytes); }
    static void operator delete(void* frame, std::size_t bytes) noexcept {
      FreeFrame(frame, bytes);
    }
  };
};

// True if the code of this thread's isolate is being unwound for good.
bool IsolateIsEnding() noexcept;

// Awaits the task and gives its outcome to the sink. If the frame goes first, the sink fails by
// itself.
template <class T>
Root RunIntoSink(Task<T> task, ResultSink<T> sink) {
  std::exception_ptr error;
  try {
    if constexpr (std::is_void_v<T>) {
      co_await std::move(task);
      sink.Succeed();
    } else {
      sink.Succeed(co_await std::move(task));
    }
  } catch (...) {
    if (IsolateIsEnding()) throw;
    error = std::current_exception();
  }
  if (error != nullptr) sink.FailLocally(std::move(error));
}

// Awaits the task of a listener; what it throws is an uncaught error of the isolate. `keep` holds
// the listener, whose captures the coroutine may use; `begun` is set when nothing is in the way of
// its first step any more.
Root RunListener(Task<void> task, std::shared_ptr<void> keep, bool& begun);

}  // namespace internal

// Found by a port when its listener is a coroutine.
inline void FinishListener(Task<void> task, std::shared_ptr<void> keep, bool& begun) {
  internal::RunListener(std::move(task), std::move(keep), begun);
}

}  // namespace isolates

#endif  // ISOLATES_TASK_H_
