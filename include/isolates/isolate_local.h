// IsolateLocal: one value for each isolate.
//
// Globals, statics and thread_local variables are shared: all isolates of the process see the same
// global, and all isolates that happen to run on a worker see the same thread_local, which is
// another one when an isolate has moved to another worker. This is the cure:
//
//   isolates::IsolateLocal<Cache> cache;                      // a static
//   cache->Add(...);                                          // this isolate's own
//
// The value is made at its first use in an isolate, in the isolate's heap, and stays where it is.
// It is destroyed when the isolate ends, in it, after its code has been unwound and its ports have
// closed, and before its heap is looked at: a parcel's builder leaves nothing behind by it.

#ifndef ISOLATES_ISOLATE_LOCAL_H_
#define ISOLATES_ISOLATE_LOCAL_H_

#include <concepts>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>

#include "isolates/detail/heap.h"
#include "isolates/detail/isolate_locals.h"
#include "isolates/detail/ref.h"
#include "isolates/detail/transfer_require.h"
#include "isolates/transfer.h"

namespace isolates {

// So many IsolateLocal objects may be used in a program; the next one is a LimitError.
inline constexpr std::uint32_t kMaxIsolateLocals = 4096;

// A static object, constant-initialized if its initial value is. Any thread may use it; a plain
// thread becomes an isolate by that, as by its first port, and has its value until it ends. (The
// main thread's: until its thread_local variables are destroyed, which is before the statics.)
//
// Values are destroyed in the reverse order of their making. A value that another one has used when
// it was made is older, so it is still there in the other's destructor. One that was never made is
// made even then, and destroyed next; one that is gone is not made again: StateError, which ends
// the program if it leaves a destructor. Find tells beforehand.
template <class T>
class IsolateLocal {
  static_assert(std::is_object_v<T> && !std::is_array_v<T>, "use std::array");
  static_assert(std::is_nothrow_destructible_v<T>,
                "a value of an isolate is destroyed when nobody is left who could catch: its "
                "destructor must be noexcept");

 public:
  // Each isolate begins with T().
  constexpr IsolateLocal() noexcept
    requires std::default_initializable<T>
      : make_([](const Beginning&) { return new T(); }) {}
  // Each isolate begins with a copy of `initial`. Isolates copy it at the same time: so it must be
  // freezable. For all else there is the factory.
  constexpr explicit IsolateLocal(T initial)
    requires std::copy_constructible<T>
      : beginning_(std::move(initial)),
        make_([](const Beginning& from) { return new T(from.value); }) {
    internal::RequireFreezable<T>();
  }
  // Each isolate begins with what the function returns when the isolate calls it.
  constexpr explicit IsolateLocal(T (*factory)()) noexcept
      : beginning_(factory), make_([](const Beginning& from) { return new T(from.factory()); }) {}

  IsolateLocal(const IsolateLocal&) = delete;
  IsolateLocal& operator=(const IsolateLocal&) = delete;

  // The current isolate's value, made now if need be; throws what its constructor or the factory
  // throws, and then the next use tries again. The reference holds until the isolate ends. Throws
  // StateError (see above, or if the factory itself uses the value), LimitError.
  T& Get() {
    if (T* const value = Find()) [[likely]]
      return *value;
    return Make();
  }
  T& operator*() { return Get(); }
  T* operator->() { return &Get(); }

  // The current isolate's value if it was made and is not gone yet, else nullptr. Makes nothing.
  T* Find() noexcept {
    const internal::LocalsHost* const isolate = internal::CurrentLocals();
    if (isolate == nullptr) [[unlikely]]
      return nullptr;
    return static_cast<T*>(isolate->FindLocal(number_.get()));
  }

 private:
  // Never destroyed: isolates may outlive the static objects of a program.
  union Beginning {
    constexpr Beginning() noexcept : nothing() {}
    constexpr explicit Beginning(T&& initial) : value(std::move(initial)) {}
    constexpr explicit Beginning(T (*function)()) noexcept : factory(function) {}
    constexpr ~Beginning() {}  // NOLINT(modernize-use-equals-default): it would be deleted

    char nothing;
    T value;
    T (*factory)();
  };

  __attribute__((noinline)) T& Make() {
    internal::LocalsHost& isolate = internal::RequireLocals();
    // A factory that waits may see its isolate end.
    const internal::Ref<internal::LocalsHost> alive(&isolate);
    const std::uint32_t number = isolate.BeginLocal(number_);
    try {
      // Not in a parcel's heap, if one is being built: the value stays behind.
      const internal::HeapScope scope(isolate.heap());
      std::unique_ptr<T> value(make_(beginning_));
      isolate.FinishLocal(number, value.get(),
                          [](void* made) noexcept { delete static_cast<T*>(made); });
      return *value.release();
    } catch (...) {
      isolate.CancelLocal(number);
      throw;
    }
  }

  internal::LocalNumber number_;
  Beginning beginning_;
  T* (*const make_)(const Beginning&);
};

}  // namespace isolates

#endif  // ISOLATES_ISOLATE_LOCAL_H_
