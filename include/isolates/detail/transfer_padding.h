#ifndef ISOLATES_DETAIL_TRANSFER_PADDING_H_
#define ISOLATES_DETAIL_TRANSFER_PADDING_H_

// The values that an object of a trivially copyable class holds, without its padding: that keeps
// whatever lay there before.
//
// g++ clears padding by a builtin. clang 19 has none, but one that calls back for each field: it
// passes fields of built-in types by reference and the address of any other field. What is held by
// reference shows as an address elsewhere.

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <functional>
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
  explicit ValuesOf(const T& object) noexcept {
    T copy(object);
    __builtin_clear_padding(&copy);  // g++ 12 wants a local variable
    std::memcpy(values_, static_cast<const void*>(&copy), sizeof(T));
  }
  const void* data() const noexcept { return values_; }

 private:
  alignas(T) unsigned char values_[sizeof(T)];
};

#elif defined(__clang__)

template <class T>
class ValuesOf {
 public:
  explicit ValuesOf(const T& object) noexcept
      : object_(reinterpret_cast<const unsigned char*>(&object)) {
    Fields(object);
    // A word of which no field is known is a reference, or a field that hides its address.
    for (std::size_t word = 0; word + kWord <= sizeof(T); word += kWord) {
      const bool known =
          std::find(known_ + word, known_ + word + kWord, true) != known_ + word + kWord;
      if (!known) std::memcpy(values_ + word, object_ + word, kWord);
    }
  }
  const void* data() const noexcept { return values_; }

 private:
  static constexpr std::size_t kWord = sizeof(void*);

  struct OnField {
    // A format and its arguments: three for the line's head, then the field; more if it is a bit
    // field, of which nobody can tell where it lies.
    template <class... Args>
    int operator()(const char*, Args&&... args) const noexcept {
      if constexpr (sizeof...(Args) == 4) {
        Last(std::forward<Args>(args)...);
      } else if constexpr (sizeof...(Args) > 4) {
        values->Keep(enclosing, bytes);
      }
      return 0;
    }
    template <class A, class B, class C, class Field>
    void Last(A&&, B&&, C&&, Field&& field) const noexcept {
      if constexpr (std::is_lvalue_reference_v<Field>) {
        values->Keep(&field, sizeof(field));
      } else if constexpr (std::is_pointer_v<std::remove_cvref_t<Field>>) {
        values->FieldAt(field);
      }
    }
    ValuesOf* values;
    const void* enclosing;
    std::size_t bytes;
  };

  template <class U>
  void Fields(const volatile U& part) noexcept {
    if constexpr (std::is_array_v<U>) {
      for (const auto& element : part) Fields(element);
    } else if constexpr (std::is_class_v<U>) {
      const U* const known = const_cast<const U*>(std::addressof(part));
      __builtin_dump_struct(known, OnField{this, known, sizeof(part)});
    } else {
      Keep(&part, sizeof(part));
    }
  }

  // The address may be that of what is held by reference: that object is none of ours.
  template <class U>
  void FieldAt(U* address) noexcept {
    if constexpr (std::is_object_v<U>) {
      if (Holds(const_cast<const void*>(static_cast<const volatile void*>(address)))) {
        Fields(*address);
      }
    }
  }

  bool Holds(const void* at) const noexcept {
    const auto* const byte = static_cast<const unsigned char*>(at);
    return std::less_equal<>()(object_, byte) && std::less<>()(byte, object_ + sizeof(T));
  }
  void Keep(const volatile void* volatile_at, std::size_t bytes) noexcept {
    const void* const at = const_cast<const void*>(volatile_at);
    if (!Holds(at)) return;
    const std::ptrdiff_t offset = static_cast<const unsigned char*>(at) - object_;
    std::memcpy(values_ + offset, at, bytes);
    std::fill_n(known_ + offset, bytes, true);
  }

  const unsigned char* object_;
  alignas(void*) unsigned char values_[sizeof(T)] = {};
  bool known_[sizeof(T)] = {};
};

#endif
#undef ISOLATES_CLEARS_PADDING

}  // namespace isolates::internal

#endif  // ISOLATES_DETAIL_TRANSFER_PADDING_H_
