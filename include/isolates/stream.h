// Stream<T>: a coroutine that yields values one after the other, in one isolate. (Dart's async*
// functions.)

#ifndef ISOLATES_STREAM_H_
#define ISOLATES_STREAM_H_

#include <coroutine>
#include <cstddef>
#include <exception>
#include <optional>
#include <utility>

#include "isolates/clock.h"
#include "isolates/detail/coroutine_frames.h"
#include "isolates/error.h"
#include "isolates/task.h"

namespace isolates {

template <class T>
class [[nodiscard]] Stream {
 public:
  using Value = T;
  using IsolatesUnsendable = void;

  class promise_type {
   public:
    // Gives the control back to whoever asked for a value.
    struct Handover {
      bool await_ready() const noexcept { return false; }
      std::coroutine_handle<> await_suspend(
          std::coroutine_handle<promise_type> self) const noexcept {
        return self.promise().asker_;
      }
      void await_resume() const noexcept {}
    };

    Stream get_return_object() noexcept {
      return Stream(std::coroutine_handle<promise_type>::from_promise(*this));
    }
    std::suspend_always initial_suspend() const noexcept { return {}; }
    Handover final_suspend() const noexcept { return {}; }
    Handover yield_value(T value) {
      value_.emplace(std::move(value));
      return {};
    }
    void return_void() const noexcept {}
    void unhandled_exception() noexcept { error_ = std::current_exception(); }
    static void* operator new(std::size_t bytes) { return internal::AllocateFrame(bytes); }
    static void operator delete(void* frame, std::size_t bytes) noexcept {
      internal::FreeFrame(frame, bytes);
    }

   private:
    friend class Stream;
    std::coroutine_handle<> asker_;
    std::optional<T> value_;
    std::exception_ptr error_;
  };

  Stream(Stream&& other) noexcept : coroutine_(std::exchange(other.coroutine_, nullptr)) {}
  Stream& operator=(Stream&& other) noexcept {
    std::swap(coroutine_, other.coroutine_);
    return *this;
  }
  ~Stream() {
    if (coroutine_) coroutine_.destroy();
  }

  // co_await stream.Next(): the next value, or nothing when the stream has ended. Throws what it
  // threw.
  [[nodiscard]] auto Next() {
    struct Awaiter {
      std::coroutine_handle<promise_type> coroutine;
      bool await_ready() const noexcept { return coroutine.done(); }
      std::coroutine_handle<> await_suspend(std::coroutine_handle<> asker) const noexcept {
        coroutine.promise().asker_ = asker;
        return coroutine;
      }
      std::optional<T> await_resume() const {
        promise_type& promise = coroutine.promise();
        if (promise.error_) std::rethrow_exception(std::exchange(promise.error_, nullptr));
        return std::exchange(promise.value_, std::nullopt);
      }
    };
    if (!coroutine_) throw StateError("this Stream was moved from");
    return Awaiter{coroutine_};
  }

 private:
  explicit Stream(std::coroutine_handle<promise_type> coroutine) noexcept : coroutine_(coroutine) {}

  std::coroutine_handle<promise_type> coroutine_;
};

// The value at a position, counted from 0; StateError if the stream ends before. (Dart's
// elementAt.)
template <class T>
Task<T> ElementAt(Stream<T> stream, std::size_t position) {
  for (std::size_t i = 0;; ++i) {
    std::optional<T> value = co_await stream.Next();
    if (!value.has_value()) throw StateError("the stream ended before that position");
    if (i == position) co_return std::move(*value);
  }
}

}  // namespace isolates

#endif  // ISOLATES_STREAM_H_
