// Select: waiting for several ports at once.
//
//   Select select(On(orders, [&](Order order) { ... }),
//                 On(prices, [&](Price price) { ... }, [&] { prices_are_over = true; }));
//   while (co_await select.Next()) {
//   }
//
// A Select is made once and used in a loop, which allocates nothing. It belongs to the isolate of
// its ports.

#ifndef ISOLATES_SELECT_H_
#define ISOLATES_SELECT_H_

#include <array>
#include <concepts>
#include <coroutine>
#include <cstddef>
#include <functional>
#include <memory>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "isolates/clock.h"
#include "isolates/detail/port_core.h"
#include "isolates/detail/select_core.h"
#include "isolates/error.h"
#include "isolates/port.h"

namespace isolates {

namespace internal {

struct IgnoreClosed {
  void operator()() const noexcept {}
};

template <class T, class Handler, class ClosedHandler>
class TypedSelectCase final : public SelectCase {
 public:
  TypedSelectCase(Ref<PortCore> port, Handler handler, ClosedHandler closed_handler)
      : SelectCase(std::move(port)),
        handler_(std::move(handler)),
        closed_handler_(std::move(closed_handler)) {}

  void OnMessage(ReceivedMessage message) override {
    std::invoke(handler_, std::move(message).template Take<T>());
  }
  void OnClosed() override { std::invoke(closed_handler_); }

 private:
  Handler handler_;
  ClosedHandler closed_handler_;
};

class SelectAwaiter {
 public:
  explicit SelectAwaiter(SelectCore& select) noexcept : select_(select) {}
  SelectAwaiter(const SelectAwaiter&) = delete;
  SelectAwaiter& operator=(const SelectAwaiter&) = delete;
  ~SelectAwaiter() {
    if (waiting_) select_.ClearWaiter();  // the coroutine is destroyed while it waits
  }

  bool await_ready() const {
    select_.CheckUsable();
    return select_.MayGoOn();
  }
  void await_suspend(std::coroutine_handle<> waiter) {
    waiting_ = true;
    select_.SetWaiter(waiter);
  }
  bool await_resume() {
    if (std::exchange(waiting_, false)) select_.ClearWaiter();
    select_.CheckStop();
    return select_.HandleOne();
  }

 private:
  SelectCore& select_;
  bool waiting_ = false;
};

template <class T>
concept IsSelectCase = std::derived_from<T, SelectCase>;

}  // namespace internal

// A case of a Select: what is done with the messages of a port. handler(T) is an ordinary function;
// what is to be awaited is awaited in the loop around. The port may close while the Select exists,
// also by its end.
template <class T, std::invocable<T> Handler>
[[nodiscard]] auto On(ReceivePort<T>& port, Handler handler) {
  static_assert(std::is_void_v<std::invoke_result_t<Handler&, T>>,
                "isolates: a handler of a Select returns void; await in the loop around it");
  return internal::TypedSelectCase<T, Handler, internal::IgnoreClosed>(
      internal::PortAccess::CoreOf(port), std::move(handler), {});
}
// The same, and closed_handler() is called once when the port has closed.
template <class T, std::invocable<T> Handler, std::invocable<> ClosedHandler>
[[nodiscard]] auto On(ReceivePort<T>& port, Handler handler, ClosedHandler closed_handler) {
  static_assert(std::is_void_v<std::invoke_result_t<Handler&, T>>,
                "isolates: a handler of a Select returns void; await in the loop around it");
  return internal::TypedSelectCase<T, Handler, ClosedHandler>(
      internal::PortAccess::CoreOf(port), std::move(handler), std::move(closed_handler));
}

// Options of Select.
class SelectOptions {
 public:
  // False (default): ports that have messages take turns, so none waits for ever. True: the first
  // of the cases that has a message is always next.
  SelectOptions& Biased(bool biased = true) noexcept {
    biased_ = biased;
    return *this;
  }

 private:
  template <class...>
  friend class Select;
  bool biased_ = false;
};

// All that follows may be called only in the isolate of the ports, and while nobody else receives
// from them (else: StateError). What a handler throws comes out of the call, which has handled its
// message then.
template <class... Cases>
class Select {
  static_assert(sizeof...(Cases) > 0, "isolates: a Select needs a case, On(port, handler)");

 public:
  using IsolatesUnsendable = void;
  static constexpr std::string_view kIsolatesRemedy =
      "keep it in the isolate of its ports and send their SendPorts";

  // Throws StateError if a port belongs to another isolate, or is given twice.
  explicit Select(Cases... cases)
    requires(internal::IsSelectCase<Cases> && ...)
      : Select(SelectOptions(), std::move(cases)...) {}
  explicit Select(SelectOptions options, Cases... cases)
    requires(internal::IsSelectCase<Cases> && ...)
      : cases_(std::move(cases)...),
        pointers_(std::apply(
            [](Cases&... one) {
              return std::array<internal::SelectCase*, sizeof...(Cases)>{&one...};
            },
            cases_)),
        core_(pointers_, options.biased_) {}
  Select(const Select&) = delete;
  Select& operator=(const Select&) = delete;

  // co_await select.Next(): handles the next message, or tells that one port has closed, which then
  // drops out. False: all ports have closed before.
  [[nodiscard]] internal::SelectAwaiter Next() { return internal::SelectAwaiter(core_); }

  // The same, blocking the calling thread; TimeoutError when the time is over (kForever: never).
  // Not for coroutines: they would block their whole isolate.
  bool Next(Duration timeout) {
    core_.CheckUsable();
    if (!core_.Wait(DeadlineAfter(timeout))) throw TimeoutError("no message arrived in time");
    return core_.HandleOne();
  }

  // The same for what is there now. False: nothing is; see all_closed.
  bool TryNext() {
    core_.CheckUsable();
    return core_.HandleOne();
  }

  // All ports have closed, and that was told.
  bool all_closed() const noexcept { return core_.all_closed(); }

 private:
  std::tuple<Cases...> cases_;
  std::array<internal::SelectCase*, sizeof...(Cases)> pointers_;
  internal::SelectCore core_;
};

template <class... Cases>
  requires(internal::IsSelectCase<Cases> && ...)
Select(Cases...) -> Select<Cases...>;
template <class... Cases>
  requires(internal::IsSelectCase<Cases> && ...)
Select(SelectOptions, Cases...) -> Select<Cases...>;

}  // namespace isolates

#endif  // ISOLATES_SELECT_H_
