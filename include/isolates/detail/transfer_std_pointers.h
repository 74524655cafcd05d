#ifndef ISOLATES_DETAIL_TRANSFER_STD_POINTERS_H_
#define ISOLATES_DETAIL_TRANSFER_STD_POINTERS_H_

// Pointers: owning, non-owning, shared; views; std::function.

#include <cstddef>
#include <cstring>
#include <functional>
#include <initializer_list>
#include <memory>
#include <new>
#include <span>
#include <string_view>
#include <type_traits>
#include <typeinfo>

#include "isolates/detail/transfer_dynamic.h"
#include "isolates/detail/transfer_traits.h"

namespace isolates {
namespace internal {

// Holding a pointer to T by const reference lets a reader change or move what T owns, or where it
// leads (H4). Writing to numbers harms nobody.
template <class T>
constexpr bool LetsReadersMove() {
  if constexpr (std::is_const_v<T>) {
    return false;
  } else if constexpr (Complete<T>) {
    return !std::is_arithmetic_v<T> && !std::is_enum_v<T>;
  } else {
    return true;
  }
}
// The same for an owner of T, which can ask for T's class: such a T does not lead back to its owner
// by types.
template <class T>
constexpr bool LetsReadersMoveOwned() {
  if constexpr (std::is_const_v<T>) {
    return false;
  } else if constexpr (Complete<T>) {
    if constexpr (std::is_trivially_destructible_v<T>) {
      return kTransferClass<T> != TransferClass::kPlain;
    } else {
      return true;
    }
  } else {
    return true;
  }
}

// The same for any change: what leads to const can be read only.
template <class T>
inline constexpr Constness kPointeeConstness =
    std::is_const_v<T> ? Constness::kDeep : Constness::kShallow;

// ---- owning ----

// A program may specialize std::default_delete for its own types. The primary template converts
// from the deleters of derived classes, which nobody writes for a specialization.
template <class T>
struct DerivedProbe : T {};
template <class T>
constexpr bool HasOrdinaryDeleter() {
  if constexpr (std::is_class_v<T> && !std::is_final_v<T>) {
    return std::is_constructible_v<std::default_delete<T>,
                                   const std::default_delete<DerivedProbe<std::remove_cv_t<T>>>&>;
  } else {
    // The primary template declares a constructor; a specialization has no use for one.
    return !std::is_aggregate_v<std::default_delete<T>>;
  }
}

template <class T>
struct UniqueTraits {
  using Parts = TypeList<T>;
  static constexpr Moving kMoving = Moving::kTakesAll;
  static constexpr TransferClass kClass = TransferClass::kOwned;
  static constexpr bool kDroppable = !DeletesItself<T>;
  static constexpr bool kShallow = LetsReadersMoveOwned<T>();
  static constexpr Constness kConstness = kPointeeConstness<T>;
  static constexpr bool kCarrier = true;
  static void Walk(const std::unique_ptr<T>& value, Walker& walker) {
    if (value == nullptr) return;
    walker.Block(value.get(), sizeof(T));
    walker.Visit(*value);
  }
};

// What `new T[n]` has noted in front of the elements. clang's AddressSanitizer forbids everybody
// but `delete[]` to read it.
[[gnu::no_sanitize_address]] inline std::size_t ArrayLength(const std::byte* first) noexcept {
  return *reinterpret_cast<const std::size_t*>(first - sizeof(std::size_t));
}

// The number of elements is known only where `new T[n]` had to note it in front of them.
template <class T>
struct UniqueArrayTraits {
  using Parts = TypeList<T>;
  static constexpr Moving kMoving = Moving::kTakesAll;
  static constexpr TransferClass kClass = TransferClass::kOwned;
  static constexpr bool kDroppable = !DeletesItself<T>;
  static constexpr bool kShallow = LetsReadersMoveOwned<T>();
  static constexpr Constness kConstness = kPointeeConstness<T>;
  static constexpr bool kCarrier = true;
  static constexpr std::string_view Label(std::size_t) { return "[]"; }
  static void Walk(const std::unique_ptr<T[]>& value, Walker& walker) {
    if (value == nullptr) return;
    if constexpr (std::is_trivially_destructible_v<T>) {
      walker.BlockOfUnknownSize(value.get(), sizeof(T));
    } else {
      constexpr std::size_t kCookie =
          alignof(T) > sizeof(std::size_t) ? alignof(T) : sizeof(std::size_t);
      const auto* const first = reinterpret_cast<const std::byte*>(value.get());
      const std::size_t count = ArrayLength(first);
      walker.Block(first - kCookie, kCookie + count * sizeof(T));
      walker.Elements(std::span<const T>(value.get(), count));
    }
  }
};

template <class T>
struct UnknownArrayTraits : RejectedTraits<T> {
  static constexpr std::string_view kProblem =
      "leads to an array whose length is not recorded, so its elements cannot be checked";
  static constexpr std::string_view kRemedy = "use std::vector";
};
template <class T>
struct DeleterTraits : RejectedTraits<T> {
  static constexpr std::string_view kProblem = "has a deleter of its own";
  static constexpr std::string_view kRemedy =
      "wrap it into a class that owns it and declares IsolatesMembers, or send the data";
};

template <class T>
constexpr auto ChooseUnique() {
  if constexpr (!Complete<T>) {
    return std::type_identity<IncompleteTraits<T>>{};
    // (Asking for the deleter would derive from a class without a virtual destructor.)
    // NOLINTNEXTLINE(bugprone-branch-clone): the order of the questions matters
  } else if constexpr (std::is_polymorphic_v<T> && !std::is_final_v<T> && !kListsDynamicTypes<T>) {
    return ChoosePolymorphicUnique<T>();
  } else if constexpr (!HasOrdinaryDeleter<T>()) {
    return std::type_identity<DeleterTraits<T>>{};
  } else if constexpr (std::is_polymorphic_v<T> && !std::is_final_v<T>) {
    return ChoosePolymorphicUnique<T>();
  } else {
    return std::type_identity<UniqueTraits<T>>{};
  }
}
template <class T>
constexpr auto ChooseUniqueArray() {
  if constexpr (!Complete<T>) {
    return std::type_identity<IncompleteTraits<T>>{};
  } else if constexpr (std::is_aggregate_v<std::default_delete<T[]>>) {
    return std::type_identity<DeleterTraits<T>>{};
  } else if constexpr (std::is_trivially_destructible_v<T>) {
    // (Such a type cannot own a unique_ptr to itself: asking for its class ends.)
    if constexpr (kTransferClass<T> != TransferClass::kPlain) {
      return std::type_identity<UnknownArrayTraits<T>>{};
    } else {
      return std::type_identity<UniqueArrayTraits<T>>{};
    }
  } else {
    return std::type_identity<UniqueArrayTraits<T>>{};
  }
}

// ---- non-owning ----

template <class T>
struct ViewTraits {
  static constexpr TransferClass kClass = TransferClass::kChecked;
  static constexpr bool kDroppable = true;
  static constexpr bool kViews = true;
  static constexpr bool kShallow = LetsReadersMove<T>();
  static constexpr Constness kConstness = kPointeeConstness<T>;
};

template <class T>
constexpr std::size_t PointeeBytes() {
  if constexpr (Complete<T>) {
    return sizeof(T);
  } else {
    return 1;
  }
}

template <class T>
struct PointerTraits : ViewTraits<T> {
  static void Walk(T* const& value, Walker& walker) {
    walker.View(const_cast<const void*>(static_cast<const volatile void*>(value)),
                PointeeBytes<T>(), "pointer");
  }
};

template <class T>
struct KnownPointerTraits : KnownTraits<T> {};

template <class T>
constexpr auto ChoosePointer() {
  if constexpr (std::is_function_v<T>) {
    return std::type_identity<PlainTraits<T*>>{};
  } else if constexpr (FindKnown(TypeNameOf<std::remove_cv_t<T>>()) != kNotKnown) {
    return std::type_identity<KnownPointerTraits<std::remove_cv_t<T>>>{};
  } else {
    return std::type_identity<PointerTraits<T>>{};
  }
}

// ---- shared ----

template <class T>
struct SharedPolymorphicTraits : RejectedTraits<T> {
  static constexpr std::string_view kProblem =
      "leads to a polymorphic or unknown type: nobody can see what it shares";
  static constexpr std::string_view kRemedy = "use unique_ptr to a final class, or std::variant";
};
template <class T>
struct SharedFromThisTraits : RejectedTraits<T> {
  static constexpr std::string_view kProblem =
      "leads to a type that hands out references to itself (enable_shared_from_this)";
  static constexpr std::string_view kRemedy = "use unique_ptr, or send a value";
};

#if defined(__GLIBCXX__)
inline constexpr bool kKnownSharedLayout = true;

// Both words of a shared_ptr or weak_ptr: the object and the owner.
struct SharedWords {
  const void* object;
  const std::byte* owner;
};
template <class P>
SharedWords ReadShared(const P& pointer) noexcept {
  static_assert(sizeof(P) == sizeof(SharedWords));
  SharedWords words;
  std::memcpy(&words, &pointer, sizeof(words));
  return words;
}

enum class SharedKind { kUnknown, kInPlace, kSeparate };

// Finds out what the owner really holds: only an owner that was made for exactly a T by
// make_shared, by new, or from a unique_ptr is known in full.
template <class T>
SharedKind KindOfOwner(const SharedWords& words) noexcept {
  constexpr auto kPolicy = __gnu_cxx::__default_lock_policy;
  using Object = std::remove_cv_t<T>;
  const auto& base = *reinterpret_cast<const std::_Sp_counted_base<kPolicy>*>(words.owner);
  const std::type_info& type = typeid(base);
  const auto one_of = [&type]<class... C>(TypeList<C...>) { return ((type == typeid(C)) || ...); };
  if (one_of(TypeList<std::_Sp_counted_ptr_inplace<Object, std::allocator<void>, kPolicy>,
                      std::_Sp_counted_ptr_inplace<Object, std::allocator<Object>, kPolicy>,
                      std::_Sp_counted_ptr_inplace<T, std::allocator<void>, kPolicy>>{})) {
    // The object follows the two counters.
    const std::size_t header = sizeof(std::_Sp_counted_base<kPolicy>);
    const std::size_t offset = (header + alignof(T) - 1) / alignof(T) * alignof(T);
    return words.object == words.owner + offset ? SharedKind::kInPlace : SharedKind::kUnknown;
  }
  if (one_of(TypeList<std::_Sp_counted_ptr<Object*, kPolicy>, std::_Sp_counted_ptr<T*, kPolicy>,
                      std::_Sp_counted_deleter<Object*, std::default_delete<Object>,
                                               std::allocator<void>, kPolicy>,
                      std::_Sp_counted_deleter<T*, std::default_delete<T>, std::allocator<void>,
                                               kPolicy>>{})) {
    const void* object = nullptr;
    std::memcpy(&object, words.owner + sizeof(std::_Sp_counted_base<kPolicy>), sizeof(object));
    return object == words.object ? SharedKind::kSeparate : SharedKind::kUnknown;
  }
  return SharedKind::kUnknown;
}

// Counts references that are not shared_ptrs of the graph, too: weak ones outside would find the
// object in another isolate's hands.
inline long WeakCountOf(const SharedWords& words) noexcept {
  int count = 0;
  std::memcpy(&count, words.owner + sizeof(void*) + sizeof(int), sizeof(count));
  return count;
}

template <class T>
struct SharedTraits {
  using Parts = TypeList<T>;
  static constexpr Moving kMoving = Moving::kTakesAll;
  static constexpr TransferClass kClass = TransferClass::kChecked;
  static constexpr bool kDroppable = false;
  static constexpr bool kShallow = !std::is_const_v<T>;
  static constexpr bool kCarrier = true;
  static constexpr std::string_view kFreezeProblem =
      "hands out references that outlive what is frozen";
  static constexpr std::string_view kFreezeRemedy = "use unique_ptr to const, or hold the value";
  static void Walk(const std::shared_ptr<T>& value, Walker& walker) {
    const SharedWords words = ReadShared(value);
    if (words.owner == nullptr) {
      // An alias of nothing: a plain pointer.
      walker.View(words.object, sizeof(T), "shared_ptr without owner");
      return;
    }
    if (!walker.Shared(words.owner, value.use_count(), WeakCountOf(words))) {
      if (KindOfOwner<T>(words) == SharedKind::kUnknown) {
        walker.Refuse(Fault::kSharedOpaque, words.object);
      }
      return;
    }
    constexpr std::size_t kHeader = sizeof(void*) + 2 * sizeof(int);
    switch (KindOfOwner<T>(words)) {
      case SharedKind::kUnknown:
        walker.Refuse(Fault::kSharedOpaque, words.object);
        return;
      case SharedKind::kInPlace:
        walker.Block(words.owner, static_cast<std::size_t>(
                                      static_cast<const std::byte*>(words.object) - words.owner) +
                                      sizeof(T));
        break;
      case SharedKind::kSeparate:
        walker.Block(words.owner, kHeader + sizeof(void*));
        walker.Block(words.object, sizeof(T));
        break;
    }
    walker.Visit(*value);
  }
};

template <class T>
struct WeakTraits {
  static constexpr Moving kMoving = Moving::kTakesAll;
  static constexpr TransferClass kClass = TransferClass::kChecked;
  static constexpr bool kDroppable = false;
  static constexpr bool kShallow = !std::is_const_v<T>;
  static constexpr std::string_view kFreezeProblem =
      "hands out references that outlive what is frozen";
  static constexpr std::string_view kFreezeRemedy = "use a pointer to const";
  static void Walk(const std::weak_ptr<T>& value, Walker& walker) {
    const SharedWords words = ReadShared(value);
    if (words.owner != nullptr) walker.Weak(words.owner, value.expired());
  }
};
#else
inline constexpr bool kKnownSharedLayout = false;
template <class T>
using SharedTraits = SharedPolymorphicTraits<T>;
template <class T>
using WeakTraits = SharedPolymorphicTraits<T>;
#endif

template <class T>
constexpr auto ChooseShared() {
  if constexpr (!Complete<T> || std::is_array_v<T> || !kKnownSharedLayout) {
    return std::type_identity<SharedPolymorphicTraits<T>>{};
  } else if constexpr (requires(T& object) { object.weak_from_this(); }) {
    return std::type_identity<SharedFromThisTraits<T>>{};
  } else if constexpr (std::is_polymorphic_v<T> && !std::is_final_v<T>) {
    return std::type_identity<SharedPolymorphicTraits<T>>{};
  } else {
    return std::type_identity<SharedTraits<T>>{};
  }
}

}  // namespace internal

template <class T, class D>
struct TransferTraits<std::unique_ptr<T, D>> : internal::DeleterTraits<T> {};
template <class T>
struct TransferTraits<std::unique_ptr<T>> : decltype(internal::ChooseUnique<T>())::type {};
template <class T>
struct TransferTraits<std::unique_ptr<T[]>> : decltype(internal::ChooseUniqueArray<T>())::type {};

template <class T>
struct TransferTraits<T*> : decltype(internal::ChoosePointer<T>())::type {};

// Inside of tuples and pairs; Walker::Element looks at it.
template <class T>
struct TransferTraits<T&> : internal::ViewTraits<T> {};

template <class T>
struct TransferTraits<std::reference_wrapper<T>> : internal::ViewTraits<T> {
  static void Walk(const std::reference_wrapper<T>& value, internal::Walker& walker) {
    walker.View(std::addressof(value.get()), internal::PointeeBytes<T>(), "reference_wrapper");
  }
};

template <class C, class Traits>
struct TransferTraits<std::basic_string_view<C, Traits>> : internal::ViewTraits<const C> {
  static void Walk(const std::basic_string_view<C, Traits>& value, internal::Walker& walker) {
    walker.View(value.data(), value.size() * sizeof(C), "string_view");
  }
};

template <class T, std::size_t N>
struct TransferTraits<std::span<T, N>> : internal::ViewTraits<T> {
  static void Walk(const std::span<T, N>& value, internal::Walker& walker) {
    walker.View(value.data(), value.size_bytes(), "span");
  }
};

template <class T>
struct TransferTraits<std::initializer_list<T>> : internal::ViewTraits<const T> {
  static void Walk(const std::initializer_list<T>& value, internal::Walker& walker) {
    walker.View(value.begin(), value.size() * sizeof(T), "initializer_list");
  }
};

template <class T>
struct TransferTraits<std::shared_ptr<T>> : decltype(internal::ChooseShared<T>())::type {};
template <class T>
struct TransferTraits<std::weak_ptr<T>> : internal::WeakTraits<T> {};

// What it holds cannot be seen: the bytes of the callable are scanned like those of a closure. They
// are in the function object itself, or in a block of its own.
template <class R, class... A>
struct TransferTraits<std::function<R(A...)>> {
  static constexpr TransferClass kClass = TransferClass::kChecked;
  static constexpr Moving kMoving = Moving::kTakesAll;  // a scan says the same of a copy
  static constexpr bool kDroppable = false;
  static constexpr bool kShallow = true;
  static constexpr std::string_view kFreezeProblem = "may change what it has captured";
  static constexpr std::string_view kFreezeRemedy =
      "use a function pointer, and hold the captured values beside it";
  static void Walk(const std::function<R(A...)>& value, internal::Walker& walker) {
    if (value == nullptr) return;
#if defined(__GLIBCXX__)
    // NOLINTNEXTLINE(google-readability-casting): no other cast reaches a private base
    const auto& base = (const std::_Function_base&)(value);
    std::_Any_data target;
    base._M_manager(target, base._M_functor, std::__get_functor_ptr);
    const void* const callable = target._M_access<const void*>();
    if (callable != &base._M_functor) {
      walker.OpaqueBlock(callable);
      return;
    }
#endif
    internal::ScanClosure(value, walker);
  }
};

}  // namespace isolates

#endif  // ISOLATES_DETAIL_TRANSFER_STD_POINTERS_H_
