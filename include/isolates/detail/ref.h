// Counted references to the library's own objects.

#ifndef ISOLATES_DETAIL_REF_H_
#define ISOLATES_DETAIL_REF_H_

#include <atomic>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace isolates::internal {

// Base of counted objects. An object starts with one reference, owned by its creator (see
// AdoptRef).
class RefCounted {
 public:
  RefCounted() = default;
  RefCounted(const RefCounted&) = delete;
  RefCounted& operator=(const RefCounted&) = delete;

  // relaxed - counter only: whoever adds a reference holds one already.
  void AddRef() const noexcept { references_.fetch_add(1, std::memory_order_relaxed); }

  void Release() const noexcept {
    // acq_rel - release half: pairs with the last Release, which must see all that was done through
    // this reference; acquire half: the last Release sees what every other holder did.
    if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }

 protected:
  virtual ~RefCounted() = default;

 private:
  mutable std::atomic<std::uint32_t> references_{1};
};

template <class T>
class Ref {
 public:
  Ref() = default;
  Ref(std::nullptr_t) {}  // NOLINT(google-explicit-constructor)
  explicit Ref(T* object) noexcept : object_(object) {
    if (object_ != nullptr) object_->AddRef();
  }
  Ref(const Ref& other) noexcept : Ref(other.object_) {}
  Ref(Ref&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  template <class Derived>
    requires std::convertible_to<Derived*, T*>
  // NOLINTNEXTLINE(google-explicit-constructor): as from T* to a base
  Ref(Ref<Derived> other) noexcept : object_(other.Detach()) {}
  Ref& operator=(Ref other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  ~Ref() {
    if (object_ != nullptr) object_->Release();
  }

  T* get() const noexcept { return object_; }
  T* operator->() const noexcept { return object_; }
  T& operator*() const noexcept { return *object_; }
  explicit operator bool() const noexcept { return object_ != nullptr; }
  bool operator==(const Ref&) const noexcept = default;

  // Gives the reference away without releasing it.
  T* Detach() noexcept { return std::exchange(object_, nullptr); }
  // Takes over a reference that the caller owns.
  static Ref Adopt(T* object) noexcept {
    Ref ref;
    ref.object_ = object;
    return ref;
  }

 private:
  T* object_ = nullptr;
};

template <class T, class... Args>
Ref<T> MakeRef(Args&&... args) {
  return Ref<T>::Adopt(new T(std::forward<Args>(args)...));
}

}  // namespace isolates::internal

#endif  // ISOLATES_DETAIL_REF_H_
