#ifndef ISOLATES_MAKE_PARCEL_H_
#define ISOLATES_MAKE_PARCEL_H_

// MakeParcel: a value with a heap of its own, built by the caller and on the spot.
//
//   auto parcel = MakeParcel<Document>(ParseDocument, text);
//   port.Send(std::move(parcel));  // O(1)
//
// The receiver reads it in place and drops it in time proportional to its pages instead of its
// objects, if the builder has left nothing else in the heap (Receipt::droppable). Worth it from
// about 100 KB; what is smaller is cheaper to send as it is.

#include <functional>
#include <type_traits>
#include <utility>

#include "isolates/detail/parcel_site.h"
#include "isolates/detail/transfer_seal.h"
#include "isolates/parcel.h"
#include "isolates/transfer.h"

namespace isolates {

// Options of MakeParcel.
class ParcelOptions {
 public:
  // kAlways: refuses a closure in the value that looks as if it led to a stack, even where that is
  // not certain.
  ParcelOptions& Verify(VerifyLevel level) {
    plan_.verify = level;
    return *this;
  }
  // kCarry unless set: a copy costs the builder time, runs copy constructors that nobody has asked
  // for and drops spare capacity; only the caller knows whether the parcel lives long enough to be
  // worth that.
  ParcelOptions& Carry(CarryPolicy policy) {
    plan_.carry = policy;
    return *this;
  }

  const internal::ParcelPlan& plan() const noexcept { return plan_; }

 private:
  internal::ParcelPlan plan_;
};

namespace internal {

template <class T>
concept CoroutineResult = requires { typename T::promise_type; } || requires(T result) {
  result.operator co_await();
} || requires(T result) { result.await_ready(); };

struct OfBuilder {};  // the type of the value is what the builder returns

template <class T, class Builder, class... Args>
auto BuildParcel(const ParcelPlan& plan, Builder&& builder, Args&&... args) {
  using Returned = std::invoke_result_t<Builder, Args...>;
  static_assert(!CoroutineResult<std::decay_t<Returned>>,
                "isolates: the builder of a parcel returns the value itself, not a coroutine or a "
                "Future: await what it needs first, then call MakeParcel; or use "
                "Isolate::RunParcel");
  static_assert(!std::is_void_v<Returned>, "isolates: the builder of a parcel returns the value");
  using Value = std::conditional_t<std::is_same_v<T, OfBuilder>, std::decay_t<Returned>, T>;
  if constexpr (!CoroutineResult<std::decay_t<Returned>> && !std::is_void_v<Returned>) {
    RequireTransferable<Value>();
    const std::uintptr_t kind = BuilderKindOf<std::remove_cvref_t<Builder>>(builder);
    ParcelSite site(kind);
    Value* root = nullptr;
    {
      const HeapScope scope(site.heap());
      root = new Value(std::invoke(std::forward<Builder>(builder), std::forward<Args>(args)...));
    }
    const MainHeapScope main_heap;
    return FinishParcel(site.GiveToSeal(), root, plan, kind);
  }
}

}  // namespace internal

// Calls `builder(args...)` with a fresh heap as the one that everything allocates in, and makes the
// result a parcel: MakeParcel<T>(...), or MakeParcel(...) for the type that the builder returns.
// Any thread, inside and outside of isolates; builders may make parcels themselves.
//
// What the value owns of the caller's own heap (moved in, not built by the builder) stays there and
// goes along; such a parcel is not dropped as a whole. An exception of the builder leaves nothing
// behind. Throws TransferError: something in the value leads to what stays here.
template <class T = internal::OfBuilder, class Builder, class... Args>
  requires std::invocable<Builder, Args...>
[[nodiscard]] auto MakeParcel(Builder&& builder, Args&&... args) {
  return internal::BuildParcel<T>({}, std::forward<Builder>(builder), std::forward<Args>(args)...);
}
template <class T = internal::OfBuilder, class Builder, class... Args>
  requires std::invocable<Builder, Args...>
[[nodiscard]] auto MakeParcel(const ParcelOptions& options, Builder&& builder, Args&&... args) {
  return internal::BuildParcel<T>(options.plan(), std::forward<Builder>(builder),
                                  std::forward<Args>(args)...);
}

}  // namespace isolates

#endif  // ISOLATES_MAKE_PARCEL_H_
