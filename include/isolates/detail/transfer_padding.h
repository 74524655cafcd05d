#ifndef ISOLATES_DETAIL_TRANSFER_PADDING_H_
#define ISOLATES_DETAIL_TRANSFER_PADDING_H_

// The values that an object of a trivially copyable class holds, without its padding: that keeps
// whatever lay there before.
//
// g++ clears padding by a builtin. clang 19 has none, but one that calls back for each field; it
// passes fields of built-in types by reference, the address of any other field, and for what is
// captured by reference the address of the referent.

#include <cstddef>
#include <cstring>
#include <memory>
#include <type_traits>
#include <utility>

#ifdef __has_builtin
#if __has_builtin(__builtin_clear_padding)
#define ISOLATES_CLEARS_PADDING 1
#endif
#endif

namespace isolates::internal {

#ifdef ISOLATES_CLEARS_PADDING

template <class T>
class ValuesOf {
 public:
  explicit ValuesOf(const T& object) noexcept : copy_(object) { __builtin_clear_padding(&copy_); }
  const void* data() const noexcept { return std::addressof(copy_); }
  static constexpr std::size_t size() noexcept { return sizeof(T); }

 private:
  T copy_;
};

#elif defined(__clang__)

template <class T>
class ValuesOf {
 public:
  explicit ValuesOf(const T& object) noexcept : object_(reinterpret_cast<const char*>(&object)) {
    Fields(object);
  }
  const void* data() const noexcept { return values_; }
  static constexpr std::size_t size() noexcept { return sizeof(values_); }

 private:
  struct OnField {
    // A format and its arguments: three for the line's head, then the field; five arguments are a
    // bit field's, six or more do not occur.
    template <class... Args>
    int operator()(const char*, Args&&... args) const noexcept {
      if constexpr (sizeof...(Args) == 4) {
        Last(std::forward<Args>(args)...);
      } else if constexpr (sizeof...(Args) > 4) {
        values->Keep(enclosing, bytes);  // where a bit field lies cannot be told
      }
      return 0;
    }
    template <class A, class B, class C, class Field>
    void Last(A&&, B&&, C&&, Field&& field) const noexcept {
      if constexpr (std::is_lvalue_reference_v<Field>) {
        values->Keep(const_cast<const void*>(static_cast<const volatile void*>(&field)),
                     sizeof(field));
      } else {
        values->AtAddress(field);
      }
    }
    ValuesOf* values;
    const void* enclosing;
    std::size_t bytes;
  };

  template <class U>
  void Fields(const U& part) noexcept {
    if constexpr (std::is_array_v<U>) {
      for (const auto& element : part) Fields(element);
    } else if constexpr (std::is_class_v<U>) {
      __builtin_dump_struct(std::addressof(part),
                            OnField{this, std::addressof(part), sizeof(part)});
    } else {
      Keep(std::addressof(part), sizeof(part));
    }
  }

  template <class U>
  void AtAddress(U* address) noexcept {
    const auto* const at = reinterpret_cast<const char*>(address);
    if (at >= object_ && at < object_ + sizeof(T)) {
      if constexpr (std::is_object_v<U>) Fields(*address);
    } else if (references_ < kMostReferences) {
      std::memcpy(values_ + sizeof(T) + references_ * sizeof(at), &at, sizeof(at));
      ++references_;
    }
  }
  template <class U>
  void AtAddress(const U&) noexcept {}

  void Keep(const void* at, std::size_t bytes) noexcept {
    std::memcpy(values_ + (static_cast<const char*>(at) - object_), at, bytes);
  }

  static constexpr std::size_t kMostReferences = sizeof(T) / sizeof(void*);
  const char* object_;
  std::size_t references_ = 0;
  // As they lie in the object, then the addresses of what it holds by reference.
  alignas(void*) unsigned char values_[sizeof(T) + kMostReferences * sizeof(void*)] = {};
};

#endif
#undef ISOLATES_CLEARS_PADDING

}  // namespace isolates::internal

#endif  // ISOLATES_DETAIL_TRANSFER_PADDING_H_
